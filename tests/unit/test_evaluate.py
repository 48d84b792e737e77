from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from training.errors import DataError, QualityGateFailed
from training.evaluate import Metric, check_gates, evaluate

type Sample = tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.str_]]


def _sample(classes: int, rows: int = 300) -> Sample:
    """Labels, probabilities that know something of them, and the classes."""
    rng = np.random.default_rng(classes)
    names = np.array([f"class {place:02}" for place in range(classes)], dtype=object)
    codes = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    probabilities = rng.dirichlet(np.ones(classes), rows) + 0.2 * np.eye(classes)[codes]
    return names[codes], probabilities / probabilities.sum(axis=1, keepdims=True), names


def _evaluate(
    sample: Sample, *, seed: int = 1, resamples: int = 100, positive: object = None
) -> dict[str, Metric]:
    return evaluate(*sample, confidence=0.95, resamples=resamples, seed=seed, positive=positive)


def test_metrics_of_two_classes_are_those_of_scikit_learn() -> None:
    truth, scores, names = sample = _sample(2)

    found = {name: metric.value for name, metric in _evaluate(sample).items()}

    second = truth == names[1]
    assert found == {
        "roc_auc": metrics.roc_auc_score(truth, scores[:, 1]),
        "average_precision": metrics.average_precision_score(second, scores[:, 1]),
        "brier": metrics.brier_score_loss(second, scores[:, 1]),
        "log_loss": metrics.log_loss(truth, scores),
        "accuracy": metrics.accuracy_score(truth, names[scores.argmax(axis=1)]),
    }


@pytest.mark.parametrize("classes", [3, 20])
def test_metrics_of_many_classes_are_those_of_scikit_learn(classes: int) -> None:
    truth, scores, names = sample = _sample(classes)

    found = {name: metric.value for name, metric in _evaluate(sample).items()}

    assert found == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(
                truth, scores, multi_class="ovr", average="weighted", labels=names
            ),
            "log_loss": metrics.log_loss(truth, scores, labels=names),
            "accuracy": metrics.accuracy_score(truth, names[scores.argmax(axis=1)]),
        },
        rel=1e-12,
    )


def test_tied_scores_rank_as_in_scikit_learn() -> None:
    truth, scores, names = _sample(3)
    coarse = np.round(scores, 1) + 0.01
    coarse /= coarse.sum(axis=1, keepdims=True)

    found = _evaluate((truth, coarse, names))["roc_auc"].value

    assert found == pytest.approx(
        metrics.roc_auc_score(truth, coarse, multi_class="ovr", average="weighted"), rel=1e-12
    )


def test_average_precision_looks_for_the_class_that_is_named() -> None:
    truth, scores, names = sample = _sample(2)

    found = _evaluate(sample, positive="class 00")["average_precision"].value

    assert found == metrics.average_precision_score(truth == names[0], scores[:, 0])


def test_a_positive_class_may_be_a_number() -> None:
    truth, scores, _ = _sample(2)
    codes = (truth == "class 01").astype(int)

    numbered = _evaluate((codes, scores, np.array([0, 1])), positive=1)

    assert numbered["average_precision"] == _evaluate(_sample(2))["average_precision"]


@pytest.mark.parametrize(("classes", "positive"), [(2, "other"), (3, "class 01")])
def test_a_positive_class_must_be_one_of_two(classes: int, positive: str) -> None:
    with pytest.raises(DataError, match=r"`evaluation\.positive`"):
        _evaluate(_sample(classes), positive=positive)


@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_hold_the_value(classes: int) -> None:
    for metric in _evaluate(_sample(classes)).values():
        assert metric.low < metric.value < metric.high


def test_the_interval_of_accuracy_is_that_of_a_proportion() -> None:
    truth, scores, names = sample = _sample(2, rows=1000)

    accuracy = _evaluate(sample, resamples=1000)["accuracy"]

    share = metrics.accuracy_score(truth, names[scores.argmax(axis=1)])
    half_width = 1.96 * np.sqrt(share * (1 - share) / 1000)
    assert accuracy.high - accuracy.low == pytest.approx(2 * half_width, rel=0.1)


def test_the_same_seed_gives_the_same_intervals() -> None:
    sample = _sample(2)

    assert _evaluate(sample, seed=4) == _evaluate(sample, seed=4)
    assert _evaluate(sample, seed=4) != _evaluate(sample, seed=5)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_class_of_one_row_leaves_every_interval_defined(classes: int) -> None:
    truth, scores, names = _sample(classes, rows=60)
    truth[truth == names[1]] = names[0]
    truth[7] = names[1]

    found = _evaluate((truth, scores, names))

    assert all(np.isfinite([m.value, m.low, m.high]).all() for m in found.values())


@pytest.mark.parametrize("classes", [2, 10])
def test_200_resamples_of_1400_rows_take_under_five_processor_seconds(
    classes: int,
) -> None:
    sample = _sample(classes, rows=1400)

    started = process_time()
    _evaluate(sample, resamples=200)

    assert process_time() - started < 5


MEASURED = {"roc_auc": Metric(0.8, 0.7, 0.9), "brier": Metric(0.2, 0.1, 0.3)}


@pytest.mark.parametrize(
    "gates", [{}, {"roc_auc": 0.8}, {"brier": 0.2}, {"roc_auc": 0.5, "brier": 0.9}]
)
def test_a_metric_on_the_right_side_of_its_gate_passes(gates: dict[str, float]) -> None:
    check_gates(MEASURED, gates)


def test_a_score_below_its_gate_is_named_with_both_numbers() -> None:
    with pytest.raises(QualityGateFailed, match=r"roc_auc is 0\.8000 and must be at least 0\.9"):
        check_gates(MEASURED, {"roc_auc": 0.9})


def test_a_loss_above_its_gate_is_named_with_both_numbers() -> None:
    with pytest.raises(QualityGateFailed, match=r"brier is 0\.2000 and must be at most 0\.1"):
        check_gates(MEASURED, {"brier": 0.1})


def test_every_gate_that_is_missed_is_named() -> None:
    with pytest.raises(QualityGateFailed, match=r"roc_auc .*; brier "):
        check_gates(MEASURED, {"roc_auc": 0.9, "brier": 0.1})


def test_a_gate_on_what_is_not_measured_is_missed() -> None:
    with pytest.raises(QualityGateFailed, match="average_precision"):
        check_gates(MEASURED, {"average_precision": 0.1})
