"""Outcomes are read once, and the last one counts."""

from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from functions.monitor.counting.hours import count_hour
from functions.monitor.counting.predictions import digest
from functions.monitor.outcomes import (
    Outcomes,
    champion_predictions,
    collect_outcomes,
    join,
    outcome_reader,
    resolve_rows,
)
from functions.monitor.watched_model import WatchedModel
from sklambda.policy.watching import Watching
from sklambda.signature import Target
from sklambda.storage import Directory, hour_folder
from tests.support.capturing import (
    HOUR,
    NOON,
    captured,
    deliver,
    line,
    package,
    put_outcomes,
    watched_model,
)
from tests.support.drifting import matrix, reference

BASE = reference(2000)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def model(tmp_path: Path) -> WatchedModel:
    return watched_model(Directory(tmp_path), BASE)


def collect(model: WatchedModel, start: datetime = NOON, hours: int = 3) -> dict[int, float]:
    outcomes = collect_outcomes(model, start, start + hours * HOUR)
    return dict(zip(outcomes.ids.tolist(), outcomes.values[:, 0].tolist(), strict=True))


def test_the_outcome_with_the_latest_time_counts(model: WatchedModel) -> None:
    put_outcomes(model.storage, NOON + HOUR, [("a", "yes"), ("b", "no")])
    put_outcomes(model.storage, NOON, [("a", "no")])
    put_outcomes(model.storage, NOON + 2 * HOUR, [("b", "yes")])

    assert collect(model) == {digest("a"): 1.0, digest("b"): 1.0}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("step", [timedelta(minutes=10), HOUR])
def test_the_newest_outcome_counts_in_whatever_order_they_arrive(
    model: WatchedModel, order: tuple[int, ...], step: timedelta
) -> None:
    truth = ("yes", "no", "yes")
    for place in order:
        put_outcomes(model.storage, NOON + place * step, [("a", truth[place])])
        collect(model)
        put_outcomes(model.storage, NOON + place * step, [("a", truth[place])])

    assert collect(model) == {digest("a"): 1.0}


def test_an_outcome_before_its_prediction_is_left_out(model: WatchedModel) -> None:
    minutes = (-6, -4, 4)
    records = captured(matrix(3, seed=1))
    for place, _ in enumerate(minutes):
        records[place]["prediction_id"] = f"p{place}"
    deliver(model.storage, NOON, [line(records, time=(NOON + 30 * MINUTE).isoformat())])
    count_hour(model, NOON)
    for place, minute in enumerate(minutes):
        put_outcomes(model.storage, NOON + (30 + minute) * MINUTE, [(f"p{place}", "yes")])

    predictions = champion_predictions(model, NOON, NOON + HOUR)
    labelled = join(predictions, collect_outcomes(model, NOON, NOON + HOUR))

    assert set(labelled.predictions.ids.tolist()) == {digest("p1"), digest("p2")}


def of_rows(model: WatchedModel) -> dict[int, float]:
    """Return the outcomes of the predictions of rows from noon until three."""
    for place in range(3):
        count_hour(model, NOON + place * HOUR)
    outcomes = collect_outcomes(model, NOON, NOON + 3 * HOUR)
    found = resolve_rows(model, outcomes, NOON, NOON + 3 * HOUR)
    assert not found.by_row.any()
    return dict(zip(found.ids.tolist(), found.values[:, 0].tolist(), strict=True))


def predict_row(model: WatchedModel, at: datetime, name: str, row: str = "aa") -> None:
    [record] = captured(matrix(1, seed=1))
    record |= {"prediction_id": name, "row": row}
    deliver(model.storage, at, [line([record], time=at.isoformat())], name)


def test_an_outcome_of_a_row_is_that_of_its_newest_prediction_by_then(model: WatchedModel) -> None:
    for name, at in (("first", NOON), ("second", NOON + MINUTE), ("third", NOON + HOUR)):
        predict_row(model, at, name)
    predict_row(model, NOON + MINUTE, "of another row", "bb")

    put_outcomes(model.storage, NOON + 10 * MINUTE, [("x", "yes")], row="aa")
    put_outcomes(model.storage, NOON + 2 * HOUR, [("x", "no")], row="aa")
    put_outcomes(model.storage, NOON + 2 * HOUR, [("y", "no")], row="unknown")

    assert of_rows(model) == {digest("second"): 1.0, digest("third"): 0.0}


def test_an_outcome_of_a_row_before_all_its_predictions_is_left_out(model: WatchedModel) -> None:
    predict_row(model, NOON + 30 * MINUTE, "first")

    put_outcomes(model.storage, NOON + 24 * MINUTE, [("x", "yes")], row="aa")

    assert of_rows(model) == {}


def test_of_outcomes_by_row_and_by_id_the_newest_counts(model: WatchedModel) -> None:
    predict_row(model, NOON, "first")

    put_outcomes(model.storage, NOON + 2 * MINUTE, [("x", "no")], row="aa")
    put_outcomes(model.storage, NOON + MINUTE, [("first", "yes")])

    assert of_rows(model) == {digest("first"): 0.0}


def test_outcomes_added_to_an_hour_are_read(model: WatchedModel) -> None:
    put_outcomes(model.storage, NOON, [("a", "yes")])
    collect(model)
    put_outcomes(model.storage, NOON, [("b", "no")])

    assert collect(model) == {digest("a"): 1.0, digest("b"): 0.0}


def test_an_outcome_is_read_once(model: WatchedModel, tmp_path: Path) -> None:
    put_outcomes(model.storage, NOON, [("a", "yes")])
    collect(model)
    [path] = (tmp_path / "answers").rglob("*.npz")
    before = path.stat().st_mtime_ns

    assert collect(model) == {digest("a"): 1.0}
    assert path.stat().st_mtime_ns == before


def test_only_the_requested_hours_are_read(model: WatchedModel) -> None:
    for place in range(4):
        put_outcomes(model.storage, NOON + place * HOUR, [(f"p{place}", "yes")])

    assert collect(model, NOON + HOUR, 2).keys() == {digest("p1"), digest("p2")}


def test_an_outcome_without_a_time_became_true_when_it_was_written(model: WatchedModel) -> None:
    put_outcomes(model.storage, NOON, [("a", "yes")], time=None)
    [stored] = model.storage.list("outcomes/")

    outcomes = collect_outcomes(model, NOON, NOON + HOUR)

    assert stored.modified is not None
    assert outcomes.times.tolist() == [stored.modified.timestamp()]


def test_the_selection_is_read(model: WatchedModel) -> None:
    put_outcomes(model.storage, NOON, [("a", "yes")], selection=0.25)

    assert collect_outcomes(model, NOON, NOON + HOUR).selection.tolist() == [0.25]


def test_damaged_objects_are_named_once_and_unknown_labels_are_left_out(tmp_path: Path) -> None:
    storage, damaged = Directory(tmp_path), list[str]()
    model = WatchedModel(storage, package(), BASE, Watching(), damaged.append)
    put_outcomes(storage, NOON, [("a", "yes"), ("b", "perhaps")])
    folder = f"outcomes/{hour_folder(NOON)}"
    storage.put({f"{folder}/x.json": b"{", f"{folder}/y.json": b"[]"})
    put_outcomes(storage, NOON, [("c", "yes")], selection=0)

    assert collect(model).keys() == {digest("a")}
    assert collect(model).keys() == {digest("a")}
    assert damaged == [f"{folder}/c-yes-0000.json", f"{folder}/x.json", f"{folder}/y.json"]


def test_values_are_read_by_the_target() -> None:
    one = Target(task="regression", outputs=("y",), scores="value")
    two = Target(task="regression", outputs=("y", "z"), scores="value")
    parts = Target(
        task="multioutput",
        parts=tuple(Target(name=name, task="binary", classes=(0, 1)) for name in "ab"),
    )

    assert outcome_reader(one)(3) == [3.0]
    assert outcome_reader(two)({"z": 1, "y": 2}) == [2.0, 1.0]
    assert outcome_reader(parts)({"a": 1, "b": 0}) == [1.0, 0.0]


def test_written_outcomes_are_read(model: WatchedModel) -> None:
    put_outcomes(model.storage, NOON, [("a", "yes"), ("b", "no")])
    outcomes = collect_outcomes(model, NOON, NOON + HOUR)

    found = Outcomes.read(outcomes.to_bytes())

    assert found.ids.tolist() == outcomes.ids.tolist()
    assert found.times.tolist() == outcomes.times.tolist()
