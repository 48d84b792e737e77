"""Without outcomes the performance is estimated, and right under covariate shift."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from functions.monitor.performance.estimated import (
    estimate_accuracy,
    estimate_error,
    estimate_from_bins,
)
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.baseline import Reference
from sklambda.sketch.sketcher import Sketcher, count_numbers
from sklambda.sketch.watched_scores import CONFIDENCE
from tests.support.scoring import base, draw, estimate_from_rows
from training.baseline.monitoring_files import HeldOut, baseline
from training.baseline.rulers import quantile_ruler

BASE = base()
CALIBRATOR = BASE.calibrators["yes"]
MEASURES = {
    "accuracy": accuracy_score,
    "precision": precision_score,
    "recall": recall_score,
    "f1": f1_score,
}


@pytest.mark.parametrize("moved", [0.0, 0.7, -1.0])
@pytest.mark.parametrize("name", MEASURES)
def test_the_realised_metrics_are_estimated(name: str, moved: float) -> None:
    window = draw(50_000, seed=5, moved=moved)

    found = estimate_from_rows(window.scores, window.positive, CALIBRATOR)[name]

    assert found.value == pytest.approx(MEASURES[name](window.true, window.positive), abs=0.015)


@pytest.mark.parametrize("name", [*MEASURES, "roc_auc"])
def test_an_estimate_is_the_metric_of_rows_weighted_by_their_probabilities(name: str) -> None:
    window = draw(2000, seed=5)
    probabilities = CALIBRATOR(window.scores)
    both = np.repeat([True, False], 2000)
    predicted = np.tile(window.scores if name == "roc_auc" else window.positive, 2)
    measure = roc_auc_score if name == "roc_auc" else MEASURES[name]

    found = estimate_from_rows(window.scores, window.positive, CALIBRATOR)[name].value

    expected = measure(
        both, predicted, sample_weight=np.concatenate([probabilities, 1 - probabilities])
    )
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("moved", [0.0, 0.7, -0.7])
def test_the_area_and_the_accuracy_are_within_5_thousandths(moved: float) -> None:
    window = draw(100_000, seed=6, moved=moved)

    found = estimate_from_rows(window.scores, window.positive, CALIBRATOR)

    area = roc_auc_score(window.true, window.scores)
    accuracy = accuracy_score(window.true, window.positive)
    assert found["roc_auc"].value == pytest.approx(area, abs=0.005)
    assert found["accuracy"].value == pytest.approx(accuracy, abs=0.005)


def test_bins_say_nearly_the_same() -> None:
    window = draw(20_000, seed=5, moved=0.5)
    reference = BASE.scores["yes"]
    column = count_numbers(reference.ruler, window.scores)

    binned = estimate_from_bins(reference, column, 0.5, CALIBRATOR)

    whole = estimate_from_rows(window.scores, window.positive, CALIBRATOR)
    for name, one in whole.items():
        assert binned[name].value == pytest.approx(one.value, abs=0.0013)
        assert binned[name].deviation == pytest.approx(one.deviation, rel=0.02)


def test_the_deviation_is_that_of_realised_metrics() -> None:
    window = draw(1000, seed=5)
    probabilities = CALIBRATOR(window.scores)
    drawn = np.random.default_rng(1)
    outcomes = [drawn.random(1000) < probabilities for _ in range(150)]

    found = estimate_from_rows(window.scores, window.positive, CALIBRATOR)

    for name, measure in MEASURES.items():
        deviation = np.std([measure(true, window.positive) for true in outcomes])
        assert found[name].deviation == pytest.approx(deviation, rel=0.2)
    areas = [roc_auc_score(true, window.scores) for true in outcomes]
    assert found["roc_auc"].deviation == pytest.approx(np.std(areas), rel=0.2)
    assert found["roc_auc"].value == pytest.approx(np.mean(areas), abs=0.002)


def test_certain_scores_give_the_figures_themselves() -> None:
    known = draw(500, seed=2)
    certain = known.true.astype(float)

    found = estimate_from_rows(certain, known.positive)

    assert found["accuracy"].value == accuracy_score(known.true, known.positive)
    assert found["accuracy"].deviation == 0


def test_without_positive_predictions_precision_is_undefined() -> None:
    found = estimate_from_rows(np.array([0.1, 0.2]), np.array([False, False]))

    assert np.isnan(found["precision"].value)
    assert found["accuracy"].value == pytest.approx(0.85)


def test_the_accuracy_among_many_classes_is_the_mean_score_of_the_label() -> None:
    drawn = np.random.default_rng(3)
    scores = drawn.dirichlet([0.5, 0.5, 0.5], 5000)
    right = drawn.random(5000) < scores.max(axis=1)
    ruler = BASE.scores["yes"].ruler
    reference = Reference(ruler=ruler, column=count_numbers(ruler, scores.max(axis=1)))

    found = estimate_accuracy(reference, reference.column)

    assert found.value == pytest.approx(scores.max(axis=1).mean(), abs=1e-12)
    assert abs(right.mean() - found.value) < 3 * found.deviation


def test_three_classes_are_estimated_from_a_sketch() -> None:
    known, later = three_classes(20_000, 1), three_classes(5000, 2, moved=0.5)
    base = baseline(THREE, known.scores, known)

    window = Sketcher(THREE, base).sketch(later.scores, later.scores, later.labels)

    calibrators = base.calibrators
    accuracy = estimate_accuracy(
        base.scores[CONFIDENCE], window.scores[CONFIDENCE], calibrators.get(CONFIDENCE)
    )
    area = estimate_from_bins(base.scores["b"], window.scores["b"], np.inf, calibrators.get("b"))[
        "roc_auc"
    ]
    assert accuracy.value == pytest.approx((later.labels == later.true).mean(), abs=0.015)
    realised = roc_auc_score(later.true[:, 0] == 1, later.scores[:, 1])
    assert area.value == pytest.approx(realised, abs=0.015)


THREE = Signature(
    features=tuple(Feature(name=f"x{k}", kind="number", nullable=False) for k in range(3)),
    target=Target(task="multiclass", classes=("a", "b", "c")),
)


def three_classes(rows: int, seed: int, moved: float = 0.0) -> HeldOut:
    """Draw rows that a model scores too boldly."""
    drawn = np.random.default_rng(seed)
    raw = drawn.normal([moved, 0, 0], 1, (rows, 3))
    probabilities = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    bold = np.exp(2 * raw) / np.exp(2 * raw).sum(axis=1, keepdims=True)
    true = (drawn.random((rows, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return HeldOut(bold, bold.argmax(axis=1)[:, None], true[:, None])


def test_the_error_of_a_regressor_is_the_mean_of_predicted_ones() -> None:
    predicted = np.random.default_rng(3).gamma(2, 1, 5000)
    ruler = quantile_ruler(predicted)
    reference = Reference(ruler=ruler, column=count_numbers(ruler, predicted))
    window = count_numbers(ruler, predicted[:400])

    found = estimate_error(reference, window, deviation=0.5)

    assert found.value == pytest.approx(predicted[:400].mean(), abs=1e-12)
    assert found.deviation == pytest.approx(0.025)
