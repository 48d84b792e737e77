"""A window is compared and measured, and a state says when there is too little data."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from functions.monitor.judge import judge
from functions.monitor.results import Results
from sklambda.arrays import FloatMatrix
from sklambda.manifest import MetricInterval
from sklambda.policy.watching import Watching
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Directory, Storage
from tests.support.capturing import (
    HOUR,
    NOON,
    captured,
    deliver,
    drawn_outcomes,
    line,
    package,
    put_outcomes,
)
from tests.support.drifting import DRIFTS, answers, matrix, reference

BASE = reference(5000).replace(
    calibrators={}, metrics={"accuracy": MetricInterval(value=0.7, low=0.68, high=0.72)}
)
DAY = timedelta(days=1)


@pytest.fixture
def storage(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def run(storage: Storage, watching: Watching | None = None, base: Baseline = BASE) -> Results:
    return judge(storage, package(), base, watching or Watching(), NOON, NOON)


def serve(storage: Storage, X: FloatMatrix, hours_before: int = 1, start: int = 0) -> None:
    deliver(storage, NOON - hours_before * HOUR, [line(captured(X, start))])


def test_no_captures_are_a_state_of_their_own(storage: Directory) -> None:
    results = run(storage)

    assert (results.state, results.window.rows, results.window.hours) == ("no_data", 0, 0)
    assert results.window.mode == ""
    assert [one.name for one in results.comparisons] == ["training"]
    assert results.performance[0].realised == {}
    assert results.performance[0].estimated == {}
    assert results.history == []


def test_few_rows_without_a_change_are_insufficient(storage: Directory) -> None:
    serve(storage, matrix(100, seed=1))

    assert run(storage).state == "insufficient_data"


def test_rows_as_in_training_are_stable(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1))

    results = run(storage)

    assert results.state == "stable"
    assert (results.model, results.model_id) == ("drifting", package().manifest.id)
    assert results.window.start == "2021-11-21T12:00:00+00:00"
    assert results.window.stop == "2021-11-22T12:00:00+00:00"
    assert {pair.name for pair in results.pictures} >= DRIFTS


def test_drift_is_found_against_training_and_the_window_before(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1), hours_before=30)
    serve(storage, matrix(600, seed=2, drifted=True), start=1000)

    results = run(storage)

    assert results.state == "changed"
    training, previous = results.comparisons
    assert previous.name == "previous"
    for findings in (training.findings, previous.findings):
        found = {one.name for one in findings.features if one.changed}
        assert len(found & DRIFTS) >= 6


def test_the_same_hours_last_week_are_compared_as_they_were_counted(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1), hours_before=7 * 24 + 1)
    judge(storage, package(), BASE, Watching(), NOON - 7 * DAY, NOON - 7 * DAY)
    serve(storage, matrix(600, seed=2), start=1000)

    assert [one.name for one in run(storage).comparisons] == ["training", "last week"]


def test_a_challenger_is_compared_with_the_champion(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1))
    other = captured(matrix(600, seed=1), start=2000)
    for prediction in other:
        prediction["scores"] = [0.01, 0.99]
    deliver(storage, NOON - HOUR, [line(other, role="challenger", model="next")], "two")

    results = run(storage)

    assert results.window.rows == 600
    [challenger] = [one for one in results.comparisons if one.name == "challenger"]
    assert challenger.findings.state == "changed"
    assert any(one.changed for one in challenger.findings.predictions)
    assert [one.name for one in challenger.findings.features if one.changed] == []


def test_a_segment_is_compared_with_itself_before(storage: Directory) -> None:
    X = matrix(1200, seed=2)
    X[:, 1] += np.where(X[:, 22] == 1, 3.0, 0.0)
    serve(storage, matrix(1200, seed=1), hours_before=30)
    serve(storage, X, start=2000)

    results = run(storage, Watching(segments=("c2",)))

    changed = {
        one.name: {found.name for found in one.findings.features if found.changed}
        for one in results.comparisons[2:]
    }
    assert changed == {"c2 = v0": set(), "c2 = v1": {"n01"}, "c2 = v2": set()}


def test_late_predictions_are_counted_as_late(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1))
    run(storage)
    deliver(storage, NOON - HOUR, [line(captured(matrix(50, seed=3), start=5000))], "late")

    window = run(storage).window

    assert (window.rows, window.late) == (650, 50)


def test_running_again_gives_the_same(storage: Directory) -> None:
    X = matrix(600, seed=1)
    serve(storage, X)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", one) for k, one in enumerate(drawn_outcomes(X))])

    assert run(storage) == run(storage)


def test_performance_is_realised_estimated_and_expected(storage: Directory) -> None:
    X = matrix(600, seed=1)
    truth = drawn_outcomes(X)
    serve(storage, X)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", truth[k]) for k in range(400)])

    [found] = run(storage).performance

    right = (answers(X)[1][:400, 0] == (np.array(truth[:400]) == "yes")).mean()
    assert found.target == "label"
    assert found.labelled == 400
    assert found.realised["accuracy"].value == pytest.approx(right)
    assert found.estimated["accuracy"].value == pytest.approx(right, abs=0.06)
    assert found.concept is not None
    assert not found.concept.alarm
    assert found.trained == BASE.metrics


def test_predictions_that_are_wrong_more_often_than_expected_raise_the_alarm(
    storage: Directory,
) -> None:
    X = matrix(600, seed=1)
    serve(storage, X)
    turned = ["no" if one == "yes" else "yes" for one in drawn_outcomes(X)]
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", one) for k, one in enumerate(turned)])

    [found] = run(storage).performance

    assert found.concept is not None
    assert found.concept.alarm
    assert "accuracy" in found.dropped


def test_with_few_outcomes_no_metric_drops(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1))
    labels = answers(matrix(600, seed=1))[1][:20, 0]
    put_outcomes(
        storage, NOON - HOUR, [(f"a-{k}", "no" if one else "yes") for k, one in enumerate(labels)]
    )

    assert run(storage).performance[0].dropped == ()


def test_outcomes_are_weighted_by_their_selection(storage: Directory) -> None:
    serve(storage, matrix(600, seed=1))
    labels = [("no", "yes")[label] for label in answers(matrix(600, seed=1))[1][:, 0]]
    wrong = ["yes" if label == "no" else "no" for label in labels]
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", labels[k]) for k in range(100)], selection=0.1)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", wrong[k]) for k in range(100, 200)])

    accuracy = run(storage).performance[0].realised["accuracy"]

    assert accuracy.value == pytest.approx(1000 / 1100)


def test_groups_are_compared(storage: Directory) -> None:
    X = matrix(600, seed=1)
    X[:10, 22] = np.nan
    serve(storage, X)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", one) for k, one in enumerate(drawn_outcomes(X))])

    [group] = run(storage, Watching(groups=("c2",))).groups

    assert group.column == "c2"
    assert group.treatments.keys() == {"v0", "v1", "v2", "missing"}
    rates = group.treatments["v1"]
    assert rates.rows == rates.labelled == (X[:, 22] == 1).sum()
    chosen = answers(X)[1][X[:, 22] == 1, 0].mean()
    assert rates.selection.value == pytest.approx(chosen)


def test_the_history_is_of_hours_and_then_of_days(storage: Directory) -> None:
    X = matrix(300, seed=1)
    serve(storage, X, hours_before=5)
    serve(storage, matrix(100, seed=2), start=1000)
    put_outcomes(storage, NOON - HOUR, [(f"a-{k}", one) for k, one in enumerate(drawn_outcomes(X))])

    hours = run(storage).history

    assert [(one.time[11:13], one.rows) for one in hours] == [("07", 300), ("11", 100)]
    low, middle, high = hours[0].scores["yes"]
    expected = np.quantile(answers(X)[0][:, 1], (0.1, 0.5, 0.9))
    np.testing.assert_allclose((low, middle, high), expected, atol=0.03)
    assert hours[0].realised["accuracy"].rows == 300
    assert hours[0].estimated["accuracy"].value == pytest.approx(
        hours[0].realised["accuracy"].value, abs=0.1
    )
    assert hours[1].realised == {}

    serve(storage, matrix(70, seed=3), hours_before=72, start=5000)
    judge(storage, package(), BASE, Watching(), NOON - 2 * DAY, NOON - 2 * DAY)

    days = run(storage).history

    assert [(one.time[:13], one.rows) for one in days] == [
        ("2021-11-19T12", 70),
        ("2021-11-21T12", 400),
    ]


def test_damaged_objects_are_named(storage: Directory) -> None:
    storage.put({f"captures/{'year=2021/month=11/day=22/hour=11'}/x.gz": b"x"})
    damaged: list[str] = []

    judge(storage, package(), BASE, Watching(), NOON, NOON, damaged.append)

    assert damaged == ["captures/year=2021/month=11/day=22/hour=11/x.gz"]
