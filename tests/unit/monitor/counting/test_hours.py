"""An hour of captures is counted once, with duplicated lines and damaged objects."""

from pathlib import Path

import numpy as np
import pytest

from functions.monitor.counting.hours import count_hour
from functions.monitor.counting.predictions import Predictions, digest
from functions.monitor.watched_model import WatchedModel
from sklambda.policy.watching import Watching
from sklambda.sketch import layout
from sklambda.sketch.layout import Hour, Role
from sklambda.sketch.sketch import Mode
from sklambda.storage import Directory, Storage
from tests.support.capturing import HOUR, MODEL, NOON, captured, deliver, line, watched_model
from tests.support.drifting import matrix, reference, sketch

BASE = reference(5000)
X = matrix(200, seed=5)


@pytest.fixture
def storage(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def counted(storage: Storage, role: Role = "champion", mode: Mode = "raw", hour: int = 0) -> Hour:
    stored = storage.find(layout.sketch_key(MODEL, role, mode, NOON + hour * HOUR))
    assert stored is not None
    return Hour.parse(storage.read(stored))


def predictions_of(storage: Storage, role: Role = "champion") -> Predictions:
    stored = storage.find(layout.predictions_key(MODEL, role, NOON))
    assert stored is not None
    return Predictions.read(storage.read(stored))


def model(storage: Storage, watching: Watching | None = None) -> WatchedModel:
    return watched_model(storage, BASE, watching)


def test_the_sketch_of_an_hour_is_that_of_its_rows(storage: Directory) -> None:
    deliver(storage, NOON, (line([prediction]) for prediction in captured(X)))

    count_hour(model(storage), NOON)

    assert counted(storage).sketch == sketch(BASE, X)


def test_predictions_are_stored_for_outcomes(storage: Directory) -> None:
    deliver(storage, NOON, [line(captured(X))])

    count_hour(model(storage, Watching(groups=("c2", "c5"))), NOON)

    predictions = predictions_of(storage)
    assert predictions.ids.tolist() == sorted(digest(f"a-{k}") for k in range(200))
    [place] = np.flatnonzero(predictions.ids == digest("a-7"))
    assert predictions.scores[place, 0] == captured(X)[7]["scores"][1]
    assert predictions.groups[place].tolist() == [X[7, 22], X[7, 25]]


def test_a_line_twice_counts_once(storage: Directory) -> None:
    once = line(captured(X))
    deliver(storage, NOON, [once, b"\n", once], "one")
    deliver(storage, NOON, [once], "two")

    count_hour(model(storage), NOON)

    assert counted(storage).sketch == sketch(BASE, X)


def test_a_line_in_two_hours_counts_once(storage: Directory) -> None:
    deliver(storage, NOON, [line(captured(X))])
    deliver(storage, NOON + HOUR, [line(captured(X)[:50]), line(captured(X[:10], start=500))])

    count_hour(model(storage), NOON)
    count_hour(model(storage), NOON + HOUR)

    assert counted(storage, hour=1).rows == 10


def test_counting_again_changes_nothing(storage: Directory, tmp_path: Path) -> None:
    deliver(storage, NOON, [line(captured(X))])
    count_hour(model(storage), NOON)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}

    count_hour(model(storage), NOON)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before


def test_late_predictions_are_counted_as_late(storage: Directory) -> None:
    deliver(storage, NOON, [line(captured(X[:150]))], "one")
    count_hour(model(storage), NOON)
    deliver(storage, NOON, [line(captured(X[150:], start=150))], "two")

    count_hour(model(storage), NOON)

    assert counted(storage).late == 50
    assert counted(storage).rows == 200


def test_predictions_of_an_hour_that_was_empty_are_late(storage: Directory) -> None:
    count_hour(model(storage), NOON)
    assert counted(storage).sketch is None
    deliver(storage, NOON, [line(captured(X))])

    count_hour(model(storage), NOON)

    assert (counted(storage).rows, counted(storage).late) == (200, 200)


def test_counts_outlive_the_captures(storage: Directory) -> None:
    keys = [deliver(storage, NOON, [line(captured(X))], name) for name in ("one", "two")]
    count_hour(model(storage), NOON)
    storage.remove(keys)

    count_hour(model(storage), NOON)

    assert counted(storage).rows == 200


def test_counts_outlive_a_part_of_the_captures(storage: Directory) -> None:
    key = deliver(storage, NOON, [line(captured(X[:100]))], "one")
    deliver(storage, NOON, [line(captured(X[100:], start=100))], "two")
    count_hour(model(storage), NOON)
    storage.remove([key])

    count_hour(model(storage), NOON)

    assert counted(storage).rows == 200


def test_damaged_objects_are_counted_and_named_and_the_rest_counts(storage: Directory) -> None:
    damaged: list[str] = []
    good = line(captured(X))
    broken = [good[:100] + b"\n", b'{"kind": "capture"}\n', b"\xff\xfe\n", line([{"a": 1}, {}])]
    deliver(storage, NOON, [*broken, good], "one")
    storage.put({f"captures/{layout.captures_prefix(NOON)[9:]}two.gz": b"no archive"})
    package = watched_model(storage, BASE).package

    count_hour(WatchedModel(storage, package, BASE, Watching(), damaged.append), NOON)

    assert damaged == [f"{layout.captures_prefix(NOON)}two.gz"]
    assert counted(storage).unreadable == 6
    assert counted(storage).rows == 200


def test_the_readable_lines_of_a_truncated_object_count(storage: Directory, tmp_path: Path) -> None:
    key = deliver(storage, NOON, (line([prediction]) for prediction in captured(X)))
    content = (tmp_path / key).read_bytes()
    storage.put({key: content[: len(content) // 2]})

    count_hour(model(storage), NOON)

    assert 0 < counted(storage).rows < 200
    assert counted(storage).unreadable >= 1


def test_predictions_of_other_packages_are_only_counted(storage: Directory) -> None:
    deliver(storage, NOON, [line(captured(X), model="another"), line(captured(X[:5], start=900))])

    count_hour(model(storage), NOON)

    assert (counted(storage).rows, counted(storage).others) == (5, 200)


def test_a_challenger_is_counted_apart_on_the_rulers_of_the_champion(storage: Directory) -> None:
    both = line(captured(X)), line(captured(X[:80]), role="challenger", model="another")
    binned = line(captured(X), role="challenger", model="another", mode="binned")
    deliver(storage, NOON, [*both, binned])

    count_hour(model(storage), NOON)

    assert counted(storage).rows == 200
    assert counted(storage, "challenger").sketch == sketch(BASE, X[:80])
    assert counted(storage).others == 200
    assert len(predictions_of(storage, "challenger")) == 80


def test_redacted_features_are_left_out(storage: Directory) -> None:
    predictions = captured(X)
    for prediction in predictions:
        del prediction["features"]["n03"], prediction["features"]["c5"]
    deliver(storage, NOON, [line(predictions)])

    count_hour(model(storage, Watching(groups=("c5",))), NOON)

    found = counted(storage).sketch
    assert found is not None
    assert sketch(BASE, X).features.keys() - found.features.keys() == {"n03", "c5"}
    assert found.features["n04"] == sketch(BASE, X).features["n04"]
    assert counted(storage).misfits == 0


def test_a_feature_that_is_redacted_later_keeps_its_rows(storage: Directory) -> None:
    predictions = captured(X)
    for prediction in predictions[50:]:
        del prediction["features"]["n03"]
    deliver(storage, NOON, (line([prediction]) for prediction in predictions))

    count_hour(model(storage), NOON)

    found = counted(storage).sketch
    assert found is not None
    assert found.rows == 200
    assert found.features["n03"] == sketch(BASE, X[:50]).features["n03"]
    assert found.features["n04"].counts == sketch(BASE, X).features["n04"].counts


def test_an_invalid_value_is_missing_and_its_row_counts(storage: Directory) -> None:
    predictions = captured(X)
    predictions[0]["features"] |= {"n00": "far", "c2": 5, "n01": 10**400}
    predictions[1]["features"] |= {"n00": [1]}
    deliver(storage, NOON, [line(predictions)])

    count_hour(model(storage), NOON)

    found = counted(storage)
    assert found.sketch is not None
    assert (found.rows, found.misfits) == (200, 2)
    assert found.sketch.features["n00"].missing == 2
    assert found.sketch.features["c2"].missing == 1


def test_coerced_values_are_counted_by_the_warnings(storage: Directory) -> None:
    predictions = captured(X)
    for prediction in predictions[:3]:
        prediction["warnings"] = [
            {"feature": "n02", "code": "coerced"},
            {"feature": "n03", "code": "out_of_range"},
        ]
    deliver(storage, NOON, [line(predictions)])

    count_hour(model(storage), NOON)

    found = counted(storage).sketch
    assert found is not None
    assert found.features["n02"].coerced == 3
    assert found.features["n03"].coerced == 0


def test_segments_add_up_to_the_model(storage: Directory) -> None:
    deliver(storage, NOON, [line(captured(X))])

    count_hour(model(storage, Watching(segments=("c2",))), NOON)

    segments = counted(storage).segments
    assert segments.keys() == {"c2 = v0", "c2 = v1", "c2 = v2"}
    assert segments["c2 = v1"].rows == (X[:, 22] == 1).sum()
    assert sum(segment.rows for segment in segments.values()) == 200
