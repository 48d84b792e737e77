"""A change is large enough and significant, and nothing else is a change."""

import numpy as np
import pytest

from functions.monitor.drift.compare import Findings, compare
from functions.monitor.drift.verdict import Check, Thresholds, Verdict
from sklambda.arrays import FloatMatrix
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Sketch
from sklambda.sketch.sketcher import Sketcher
from tests.support.drifting import (
    DRIFTS,
    SIGNATURE,
    answers,
    matrix,
    reference,
    sketch,
    with_unseen,
)

BASE = reference()


def judge(X: FloatMatrix, base: Baseline = BASE) -> Findings:
    return compare(SIGNATURE, base, sketch(base, X))


def of(findings: Findings, name: str, check: Check = "distribution") -> Verdict:
    verdicts = [*findings.features, *findings.predictions]
    [verdict] = [one for one in verdicts if (one.name, one.check) == (name, check)]
    return verdict


def changed(findings: Findings) -> set[str]:
    return {verdict.name for verdict in findings.features if verdict.changed}


@pytest.mark.parametrize(("rows", "runs"), [(50, 100), (500, 60), (5000, 10)])
def test_without_drift_hardly_anything_is_flagged(rows: int, runs: int) -> None:
    findings = [judge(matrix(rows, 100 + run)) for run in range(runs)]

    flags = [verdict.changed for one in findings for verdict in one.features + one.predictions]
    assert sum(flags) / runs <= 0.1


def test_real_drifts_are_found_at_500_rows() -> None:
    found = [changed(judge(matrix(500, 300 + run, drifted=True))) for run in range(40)]

    assert sum(len(names & DRIFTS) for names in found) / (40 * len(DRIFTS)) >= 0.88


def test_missing_values_are_found_at_50_rows() -> None:
    found = [judge(matrix(50, 400 + run, drifted=True)) for run in range(100)]

    assert sum(of(one, "n19", "missing").changed for one in found) >= 98


def test_features_with_the_greatest_weight_come_first() -> None:
    weights = dict.fromkeys(SIGNATURE.names, 0.02) | {"n17": 0.42}

    findings = judge(matrix(5000, 7, drifted=True), BASE.replace(weights=weights))

    assert findings.features[0].name == "n17"
    assert findings.features[0].weight == 0.42


def test_changes_come_before_the_rest() -> None:
    states = [verdict.changed for verdict in judge(matrix(1000, 7, drifted=True)).features]

    assert states == sorted(states, reverse=True)


def test_a_wild_outlier_raises_no_alarm() -> None:
    X = matrix(1000, seed=11)
    X[0, 0] = 1e12

    findings = judge(X)

    assert findings.state == "stable"
    assert of(findings, "n00", "out_of_range").after == pytest.approx(0.001, abs=1e-3)


def test_a_wild_outlier_hides_no_shift() -> None:
    X = matrix(500, seed=11)
    X[:, 0] += 1
    X[0, 0] = -1e12

    verdict = of(judge(X), "n00")

    assert verdict.changed
    assert verdict.effect == pytest.approx(1, abs=0.1)
    assert verdict.direction == "up"


def test_directions() -> None:
    X = matrix(2000, seed=11)
    X[:, 1] -= 1
    X[:, 2] = 2 + (X[:, 2] - 2) * 2
    X[:, 3] = 3 + (X[:, 3] - 3) / 2

    findings = judge(X)

    found = [of(findings, name).direction for name in ("n01", "n02", "n03")]
    assert found == ["down", "wider", "narrower"]


def test_the_categories_that_moved_are_named() -> None:
    X = matrix(1000, seed=11)
    X[:300, SIGNATURE.names.index("c2")] = 2

    verdict = of(judge(X), "c2")

    assert verdict.changed
    assert verdict.shifts[0][0] == "v2"
    assert verdict.shifts[0][1] == pytest.approx(0.25, abs=0.05)


def test_unseen_categories_are_a_change_of_quality() -> None:
    findings = judge(with_unseen(matrix(1000, seed=11), "c9", rows=100))

    assert of(findings, "c9", "unseen").changed
    [name, share] = of(findings, "c9").shifts[0]
    assert name == "unseen"
    assert share == pytest.approx(0.1)


def test_one_unseen_category_in_few_rows_is_no_change() -> None:
    assert changed(judge(with_unseen(matrix(50, seed=11), "c9", rows=1))) == set()


@pytest.mark.parametrize(("column", "value"), [(0, 0.0), (25, 1.0)])
def test_a_constant_is_found(column: int, value: float) -> None:
    X = matrix(100, seed=11)
    X[:, column] = value

    assert of(judge(X), SIGNATURE.names[column], "constant").changed


def test_values_outside_of_the_range_are_found() -> None:
    X = matrix(100, seed=11)
    X[:20, 5] = 1e6

    assert of(judge(X), "n05", "out_of_range").changed


def test_coerced_values_are_found() -> None:
    X = matrix(100, seed=11)
    window = Sketcher(SIGNATURE, BASE).sketch(X, *answers(X), coerced={"n01": 30})

    assert of(compare(SIGNATURE, BASE, window), "n01", "coerced").changed


def test_duplicated_rows_are_found() -> None:
    X = matrix(300, seed=11)
    findings = judge(np.concatenate([X, X[:100]]))

    assert of(findings, "", "duplicated").changed


@pytest.mark.parametrize("rows", [500, 20_000])
def test_duplicates_that_training_had_too_are_no_change(rows: int) -> None:
    few = BASE.replace(rows=2000, duplicates=400)
    window = sketch(BASE, matrix(rows, seed=11)).replace(duplicates=rows // 6)

    assert changed(compare(SIGNATURE, few, window)) == set()


def test_drift_of_the_predictions_is_found() -> None:
    X = matrix(1000, seed=11)
    X[:, [0, 3]] += 1

    findings = judge(X)

    assert {verdict.name for verdict in findings.predictions if verdict.changed} == {
        "yes",
        "label",
    }
    assert of(findings, "yes").direction == "up"


@pytest.mark.parametrize(("rows", "state"), [(0, "no_data"), (499, "insufficient_data")])
def test_little_is_not_called_stable(rows: int, state: str) -> None:
    assert judge(matrix(rows, seed=12)).state == state


def test_a_great_change_is_called_one_in_few_rows() -> None:
    X = matrix(50, seed=12)
    X[:, 0] += 3

    assert judge(X).state == "changed"


def test_a_column_without_values_has_no_data() -> None:
    X = matrix(600, seed=12)
    X[:, 0] = np.nan

    findings = judge(X)

    assert of(findings, "n00").state == "no_data"
    assert of(findings, "n00", "missing").changed


def test_a_window_can_be_compared_with_another() -> None:
    one, other = sketch(BASE, matrix(2000, 1, drifted=True)), sketch(BASE, matrix(2000, 2, True))

    assert compare(SIGNATURE, BASE, one).state == "changed"
    assert compare(SIGNATURE, BASE, one, other).state == "stable"


def test_raw_and_binned_windows_are_not_compared() -> None:
    window = sketch(BASE, matrix(50, 1))

    with pytest.raises(ValueError, match="same mode, got raw and binned"):
        compare(SIGNATURE, BASE, window, window.replace(mode="binned"))


@pytest.mark.parametrize(("weight", "is_compared"), [(0.04, True), (0.06, False)])
def test_scores_without_a_feature_that_matters_are_not_compared_with_training(
    weight: float, is_compared: bool
) -> None:
    base = BASE.replace(weights={"n17": weight, "n18": 1 - weight})
    window, before = (sketch(base, matrix(500, seed)) for seed in (1, 2))
    features = {name: one for name, one in window.features.items() if name != "n17"}
    window = window.replace(features=features)

    since_training = compare(SIGNATURE, base, window)

    assert bool(since_training.predictions) == is_compared
    assert compare(SIGNATURE, base, window, before).predictions
    assert since_training.features


def test_the_thresholds_decide() -> None:
    window: Sketch = sketch(BASE, matrix(5000, 7, drifted=True))

    findings = compare(SIGNATURE, BASE, window, thresholds=Thresholds(effect=0.4, points=0.5))

    assert changed(findings) == {"n18"}
