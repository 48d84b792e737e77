"""Metrics by outcomes are scikit-learn's with honest intervals, and concept drift is found."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from functions.monitor.performance.fairness import group_rates
from functions.monitor.performance.measure import (
    binary_metrics,
    concept_drift,
    concept_drift_of_labels,
    multiclass_accuracy,
    regression_errors,
)
from functions.monitor.statistics.intervals import wilson
from sklambda.arrays import FloatVector
from tests.support.scoring import Scored, base, draw, estimate_from_rows

TRUTH = draw(400_000, seed=99)


def weighted(window: Scored, weights: FloatVector) -> dict[str, float]:
    label, true = window.positive, window.true
    return {
        "accuracy": accuracy_score(true, label, sample_weight=weights),
        "precision": precision_score(true, label, sample_weight=weights),
        "recall": recall_score(true, label, sample_weight=weights),
        "f1": f1_score(true, label, sample_weight=weights),
        "roc_auc": roc_auc_score(true, window.scores, sample_weight=weights),
    }


def test_figures_are_scikit_learns() -> None:
    window = draw(700, seed=4)
    selection = np.random.default_rng(1).uniform(0.1, 1, 700)

    found = binary_metrics(window.scores, window.positive, window.true, selection)

    for name, value in weighted(window, 1 / selection).items():
        assert found[name].value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("selective", [False, True])
def test_intervals_hold_the_truth(selective: bool) -> None:
    truth = weighted(TRUTH, np.ones(len(TRUTH.scores)))
    held = dict.fromkeys(truth, 0)
    for seed in range(300):
        window = draw(1200, seed)
        chance = 1 - np.abs(window.scores - 0.5) * 1.6 if selective else np.full(1200, 0.4)
        selected = np.random.default_rng(seed + 1000).random(1200) < chance
        some = window.only(selected)

        found = binary_metrics(some.scores, some.positive, some.true, chance[selected])

        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high
    assert all(count >= 0.91 * 300 for count in held.values()), held


def test_a_perfect_model_is_not_taken_for_certain() -> None:
    true = np.array([True, False] * 10)

    found = binary_metrics(true.astype(float), true, true)

    assert all(one.value == 1 and 0.5 < one.low < 1 for one in found.values())


def test_wilson_is_scipys() -> None:
    expected = stats.binomtest(7, 40).proportion_ci(method="wilson")

    found = wilson(7 / 40, 40)

    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_without_rows_metrics_are_undefined() -> None:
    nothing = np.array([], dtype=bool)

    found = binary_metrics(np.array([]), nothing, nothing)

    assert all(np.isnan(one.value) for one in found.values())


def test_the_accuracy_among_many_classes() -> None:
    found = multiclass_accuracy(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]))

    assert (found.value, found.rows) == (0.75, 4)


def test_the_errors_of_a_regressor() -> None:
    drawn = np.random.default_rng(1)
    true = drawn.normal(size=2000)
    values = true + drawn.normal(0.3, 1, 2000)

    found = regression_errors(values, true)

    assert found["bias"].value == pytest.approx((values - true).mean())
    assert found["bias"].low < 0.3 < found["bias"].high
    root = found["root_mean_squared_error"]
    assert root.value == pytest.approx(np.sqrt(((values - true) ** 2).mean()))
    assert root.low < np.sqrt(1.09) < root.high


def test_groups_are_compared() -> None:
    groups = np.array([0, 0, 0, 0, 1, 1, 1])
    positive = np.array([True, True, False, False, True, False, False])
    true = np.array([1, 0, 1, np.nan, 1, 1, np.nan])

    found = group_rates(groups, positive, true)

    assert [(one.rows, one.labelled) for one in found.values()] == [(4, 3), (3, 2)]
    assert [one.selection.value for one in found.values()] == pytest.approx([1 / 2, 1 / 3])
    assert [one.true_positive.value for one in found.values()] == pytest.approx([1 / 2, 1 / 2])
    assert found[0].false_positive.value == 1
    assert np.isnan(found[1].false_positive.value)


CALIBRATOR = base().calibrators["yes"]


def alarms(rows: int, runs: int, moved: float = 0.0, reversed_: float = 0.0) -> float:
    count = 0
    for seed in range(runs):
        window = draw(rows, 10_000 + seed, moved, reversed_)
        probabilities = CALIBRATOR(window.scores)
        count += concept_drift(probabilities, window.positive, window.true, CALIBRATOR.rows).alarm
    return count / runs


def test_concept_drift_is_found_with_200_outcomes() -> None:
    assert alarms(200, 500, reversed_=0.6) >= 0.9


@pytest.mark.parametrize("moved", [0.0, 0.8])
def test_without_concept_drift_there_are_few_alarms(moved: float) -> None:
    assert alarms(200, 1000, moved) <= 0.02


def test_estimates_are_blind_to_concept_drift() -> None:
    window = draw(20_000, seed=3, reversed_=0.6)

    found = estimate_from_rows(window.scores, window.positive, CALIBRATOR)["accuracy"]

    assert found.value - (window.positive == window.true).mean() > 0.1


def test_the_expected_accuracy_is_returned() -> None:
    positive, true = np.array([True, False]), np.array([True, True])

    found = concept_drift(np.array([0.9, 0.4]), positive, true)

    assert (found.rows, found.realised) == (2, 0.5)
    assert found.expected == pytest.approx(0.75)
    assert found.z == pytest.approx(0.5 / np.sqrt(0.09 + 0.24))
    assert not found.alarm


def test_without_outcomes_there_is_no_alarm() -> None:
    nothing = np.array([])

    found = concept_drift_of_labels(nothing, nothing.astype(bool))

    assert np.isnan(found.expected)
    assert not found.alarm


def test_a_certain_label_that_is_wrong_is_an_alarm() -> None:
    assert concept_drift_of_labels(np.ones(3), np.array([True, True, False])).alarm
