"""Outcomes are read once, and the last one counts."""

from datetime import datetime
from pathlib import Path

import pytest

from functions.monitor.counting.predictions import digest
from functions.monitor.outcomes import Truths, gather, truth
from functions.monitor.watched_model import Subject
from sklambda.policy.watching import Watching
from sklambda.signature import Target
from sklambda.storage import Directory, hour
from tests.support.capturing import HOUR, NOON, package, subject, tell
from tests.support.drifting import reference

BASE = reference(2000)


@pytest.fixture
def seen(tmp_path: Path) -> Subject:
    return subject(Directory(tmp_path), BASE)


def told(seen: Subject, start: datetime = NOON, hours: int = 3) -> dict[int, float]:
    truths = gather(seen, start, start + hours * HOUR)
    return dict(zip(truths.ids.tolist(), truths.values[:, 0].tolist(), strict=True))


def test_the_outcome_with_the_latest_time_counts(seen: Subject) -> None:
    tell(seen.records, NOON + HOUR, [("a", "yes"), ("b", "no")])
    tell(seen.records, NOON, [("a", "no")])
    tell(seen.records, NOON + 2 * HOUR, [("b", "yes")])

    assert told(seen) == {digest("a"): 1.0, digest("b"): 1.0}


def test_what_comes_to_an_hour_later_is_read_too(seen: Subject) -> None:
    tell(seen.records, NOON, [("a", "yes")])
    told(seen)
    tell(seen.records, NOON, [("b", "no")])

    assert told(seen) == {digest("a"): 1.0, digest("b"): 0.0}


def test_an_outcome_is_read_once(seen: Subject, tmp_path: Path) -> None:
    tell(seen.records, NOON, [("a", "yes")])
    told(seen)
    [path] = (tmp_path / "answers").rglob("*.npz")
    before = path.stat().st_mtime_ns

    assert told(seen) == {digest("a"): 1.0}
    assert path.stat().st_mtime_ns == before


def test_only_the_hours_asked_for_are_looked_at(seen: Subject) -> None:
    for place in range(4):
        tell(seen.records, NOON + place * HOUR, [(f"p{place}", "yes")])

    assert told(seen, NOON + HOUR, 2).keys() == {digest("p1"), digest("p2")}


def test_an_outcome_without_a_time_came_when_it_was_written(seen: Subject) -> None:
    tell(seen.records, NOON, [("a", "yes")], time=None)
    [stored] = seen.records.list("outcomes/")

    truths = gather(seen, NOON, NOON + HOUR)

    assert stored.modified is not None
    assert truths.times.tolist() == [stored.modified.timestamp()]


def test_the_selection_is_kept(seen: Subject) -> None:
    tell(seen.records, NOON, [("a", "yes")], selection=0.25)

    assert gather(seen, NOON, NOON + HOUR).selection.tolist() == [0.25]


def test_damage_is_named_once_and_other_labels_are_left_out(tmp_path: Path) -> None:
    kept, heard = Directory(tmp_path), list[str]()
    seen = Subject(kept, package(), BASE, Watching(), heard.append)
    tell(kept, NOON, [("a", "yes"), ("b", "perhaps")])
    folder = f"outcomes/{hour(NOON)}"
    kept.put({f"{folder}/x.json": b"{", f"{folder}/y.json": b"[]"})
    tell(kept, NOON, [("c", "yes")], selection=0)

    assert told(seen).keys() == {digest("a")}
    assert told(seen).keys() == {digest("a")}
    assert heard == [f"{folder}/c-yes.json", f"{folder}/x.json", f"{folder}/y.json"]


def test_values_are_read_by_the_target() -> None:
    one = Target(task="regression", outputs=("y",), scores="value")
    two = Target(task="regression", outputs=("y", "z"), scores="value")
    parts = Target(
        task="multioutput",
        parts=tuple(Target(name=name, task="binary", classes=(0, 1)) for name in "ab"),
    )

    assert truth(one)(3) == [3.0]
    assert truth(two)({"z": 1, "y": 2}) == [2.0, 1.0]
    assert truth(parts)({"a": 1, "b": 0}) == [1.0, 0.0]


def test_what_is_written_is_read(seen: Subject) -> None:
    tell(seen.records, NOON, [("a", "yes"), ("b", "no")])
    truths = gather(seen, NOON, NOON + HOUR)

    found = Truths.read(truths.written())

    assert found.ids.tolist() == truths.ids.tolist()
    assert found.times.tolist() == truths.times.tolist()
