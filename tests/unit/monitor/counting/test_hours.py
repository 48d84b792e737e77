"""An hour of captures is counted once, whatever stands twice in it or is damaged."""

from pathlib import Path

import numpy as np
import pytest

from functions.monitor.counting.hours import count
from functions.monitor.counting.predictions import Answers, digest
from functions.monitor.watched_model import Subject
from sklambda.policy.watching import Watching
from sklambda.sketch import layout
from sklambda.sketch.layout import Hour, Role
from sklambda.sketch.sketch import Mode
from sklambda.storage import Directory, Storage
from tests.support.capturing import HOUR, MODEL, NOON, deliver, line, subject, taken
from tests.support.drifting import matrix, reference, sketch

BASE = reference(5000)
X = matrix(200, seed=5)


@pytest.fixture
def kept(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def counted(kept: Storage, role: Role = "champion", mode: Mode = "raw", hour: int = 0) -> Hour:
    stored = kept.find(layout.sketch(MODEL, role, mode, NOON + hour * HOUR))
    assert stored is not None
    return Hour.parse(kept.read(stored))


def joined(kept: Storage, role: Role = "champion") -> Answers:
    stored = kept.find(layout.answers(MODEL, role, NOON))
    assert stored is not None
    return Answers.read(kept.read(stored))


def whole(kept: Storage, watching: Watching | None = None) -> Subject:
    return subject(kept, BASE, watching)


def test_the_sketch_of_an_hour_is_that_of_its_rows(kept: Directory) -> None:
    deliver(kept, NOON, (line([record]) for record in taken(X)))

    count(whole(kept), NOON)

    assert counted(kept).sketch == sketch(BASE, X)


def test_what_is_joined_with_outcomes_is_kept(kept: Directory) -> None:
    deliver(kept, NOON, [line(taken(X))])

    count(whole(kept, Watching(groups=("c2", "c5"))), NOON)

    answers = joined(kept)
    assert answers.ids.tolist() == sorted(digest(f"a-{k}") for k in range(200))
    [place] = np.flatnonzero(answers.ids == digest("a-7"))
    assert answers.scores[place, 0] == taken(X)[7]["scores"][1]
    assert answers.groups[place].tolist() == [X[7, 22], X[7, 25]]


def test_a_line_twice_counts_once(kept: Directory) -> None:
    once = line(taken(X))
    deliver(kept, NOON, [once, b"\n", once], "one")
    deliver(kept, NOON, [once], "two")

    count(whole(kept), NOON)

    assert counted(kept).sketch == sketch(BASE, X)


def test_a_line_that_stands_in_the_next_hour_too_counts_once(kept: Directory) -> None:
    deliver(kept, NOON, [line(taken(X))])
    deliver(kept, NOON + HOUR, [line(taken(X)[:50]), line(taken(X[:10], start=500))])

    count(whole(kept), NOON)
    count(whole(kept), NOON + HOUR)

    assert counted(kept, hour=1).rows == 10


def test_counting_again_changes_nothing(kept: Directory, tmp_path: Path) -> None:
    deliver(kept, NOON, [line(taken(X))])
    count(whole(kept), NOON)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}

    count(whole(kept), NOON)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before


def test_what_arrives_late_is_counted_and_said(kept: Directory) -> None:
    deliver(kept, NOON, [line(taken(X[:150]))], "one")
    count(whole(kept), NOON)
    deliver(kept, NOON, [line(taken(X[150:], start=150))], "two")

    count(whole(kept), NOON)

    assert counted(kept).late == 50
    assert counted(kept).rows == 200


def test_what_arrives_in_an_hour_that_was_empty_is_late(kept: Directory) -> None:
    count(whole(kept), NOON)
    assert counted(kept).sketch is None
    deliver(kept, NOON, [line(taken(X))])

    count(whole(kept), NOON)

    assert (counted(kept).rows, counted(kept).late) == (200, 200)


def test_counts_outlive_the_captures(kept: Directory) -> None:
    keys = [deliver(kept, NOON, [line(taken(X))], name) for name in ("one", "two")]
    count(whole(kept), NOON)
    kept.remove(keys)

    count(whole(kept), NOON)

    assert counted(kept).rows == 200


def test_counts_outlive_a_part_of_the_captures(kept: Directory) -> None:
    key = deliver(kept, NOON, [line(taken(X[:100]))], "one")
    deliver(kept, NOON, [line(taken(X[100:], start=100))], "two")
    count(whole(kept), NOON)
    kept.remove([key])

    count(whole(kept), NOON)

    assert counted(kept).rows == 200


def test_damage_is_counted_and_named_and_the_rest_counts(kept: Directory) -> None:
    heard: list[str] = []
    good = line(taken(X))
    broken = [good[:100] + b"\n", b'{"kind": "capture"}\n', b"\xff\xfe\n", line([{"a": 1}, {}])]
    deliver(kept, NOON, [*broken, good], "one")
    kept.put({f"captures/{layout.captures(NOON)[9:]}two.gz": b"no archive"})
    watched = subject(kept, BASE)

    count(Subject(kept, watched.package, BASE, Watching(), heard.append), NOON)

    assert heard == [f"{layout.captures(NOON)}two.gz"]
    assert counted(kept).unreadable == 6
    assert counted(kept).rows == 200


def test_what_can_be_read_of_a_truncated_object_counts(kept: Directory, tmp_path: Path) -> None:
    key = deliver(kept, NOON, (line([record]) for record in taken(X)))
    content = (tmp_path / key).read_bytes()
    kept.put({key: content[: len(content) // 2]})

    count(whole(kept), NOON)

    assert 0 < counted(kept).rows < 200
    assert counted(kept).unreadable >= 1


def test_answers_of_other_packages_are_only_counted(kept: Directory) -> None:
    deliver(kept, NOON, [line(taken(X), model="another"), line(taken(X[:5], start=900))])

    count(whole(kept), NOON)

    assert (counted(kept).rows, counted(kept).others) == (5, 200)


def test_a_challenger_is_counted_apart_on_the_rulers_of_the_champion(kept: Directory) -> None:
    both = line(taken(X)), line(taken(X[:80]), role="challenger", model="another")
    binned = line(taken(X), role="challenger", model="another", mode="binned")
    deliver(kept, NOON, [*both, binned])

    count(whole(kept), NOON)

    assert counted(kept).rows == 200
    assert counted(kept, "challenger").sketch == sketch(BASE, X[:80])
    assert counted(kept).others == 200
    assert len(joined(kept, "challenger")) == 80


def test_what_is_redacted_is_not_there(kept: Directory) -> None:
    records_ = taken(X)
    for record in records_:
        del record["features"]["n03"], record["features"]["c5"]
    deliver(kept, NOON, [line(records_)])

    count(whole(kept, Watching(groups=("c5",))), NOON)

    found = counted(kept).sketch
    assert found is not None
    assert sketch(BASE, X).features.keys() - found.features.keys() == {"n03", "c5"}
    assert found.features["n04"] == sketch(BASE, X).features["n04"]
    assert counted(kept).misfits == 0


def test_a_feature_that_is_redacted_from_some_moment_on_keeps_its_rows(kept: Directory) -> None:
    records_ = taken(X)
    for record in records_[50:]:
        del record["features"]["n03"]
    deliver(kept, NOON, (line([record]) for record in records_))

    count(whole(kept), NOON)

    found = counted(kept).sketch
    assert found is not None
    assert found.rows == 200
    assert found.features["n03"] == sketch(BASE, X[:50]).features["n03"]
    assert found.features["n04"].counts == sketch(BASE, X).features["n04"].counts


def test_a_value_that_no_longer_fits_is_missing_and_its_row_counts(kept: Directory) -> None:
    records_ = taken(X)
    records_[0]["features"] |= {"n00": "far", "c2": 5, "n01": 10**400}
    records_[1]["features"] |= {"n00": [1]}
    deliver(kept, NOON, [line(records_)])

    count(whole(kept), NOON)

    found = counted(kept)
    assert found.sketch is not None
    assert (found.rows, found.misfits) == (200, 2)
    assert found.sketch.features["n00"].missing == 2
    assert found.sketch.features["c2"].missing == 1


def test_warnings_tell_what_was_coerced(kept: Directory) -> None:
    records_ = taken(X)
    for record in records_[:3]:
        record["warnings"] = [
            {"feature": "n02", "code": "coerced"},
            {"feature": "n03", "code": "out_of_range"},
        ]
    deliver(kept, NOON, [line(records_)])

    count(whole(kept), NOON)

    found = counted(kept).sketch
    assert found is not None
    assert found.features["n02"].coerced == 3
    assert found.features["n03"].coerced == 0


def test_segments_add_up_to_the_whole(kept: Directory) -> None:
    deliver(kept, NOON, [line(taken(X))])

    count(whole(kept, Watching(segments=("c2",))), NOON)

    segments = counted(kept).segments
    assert segments.keys() == {"c2 = v0", "c2 = v1", "c2 = v2"}
    assert segments["c2 = v1"].rows == (X[:, 22] == 1).sum()
    assert sum(segment.rows for segment in segments.values()) == 200
