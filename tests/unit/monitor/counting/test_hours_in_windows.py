"""Windows are sums of hours."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from functions.monitor.counting.hours import count_hour, count_window
from functions.monitor.watched_model import WatchedModel
from sklambda.policy.watching import Watching
from sklambda.sketch import layout
from sklambda.storage import Directory
from tests.support.capturing import HOUR, MODEL, NOON, captured, deliver, line, watched_model
from tests.support.drifting import matrix, reference, sketch

BASE = reference(5000)
X = matrix(300, seed=6)


def new_model(tmp_path: Path, watching: Watching | None = None) -> WatchedModel:
    return watched_model(Directory(tmp_path), BASE, watching)


def hours(model: WatchedModel, **heading: str) -> None:
    """Deliver and count a third of the rows in each of three hours."""
    for place in range(3):
        some = captured(X[100 * place : 100 * place + 100], start=100 * place)
        deliver(model.storage, NOON + place * HOUR, [line(some, **heading)])
        count_hour(model, NOON + place * HOUR)


def test_a_window_is_the_sum_of_its_hours(tmp_path: Path) -> None:
    model = new_model(tmp_path)
    hours(model)

    window = count_window(model, NOON, NOON + 3 * HOUR)

    expected = sketch(BASE, X)
    assert (window.rows, window.hours, window.late) == (300, 3, 0)
    assert window.sketch.labels == expected.labels
    assert window.sketch.features["n00"].counts == expected.features["n00"].counts
    np.testing.assert_allclose(
        window.sketch.features["n00"].gaps, expected.features["n00"].gaps, rtol=1e-12, atol=1e-12
    )


def test_the_end_of_a_window_is_excluded(tmp_path: Path) -> None:
    model = new_model(tmp_path)
    hours(model)

    assert count_window(model, NOON, NOON + 2 * HOUR).rows == 200
    assert count_window(model, NOON + HOUR, NOON + timedelta(days=3)).rows == 200


def test_a_window_without_hours_has_an_empty_sketch(tmp_path: Path) -> None:
    window = count_window(new_model(tmp_path), NOON, NOON + HOUR)

    assert (window.rows, window.hours) == (0, 0)
    assert window.sketch.features.keys() == BASE.features.keys()


def test_the_mode_of_most_rows_is_that_of_the_window(tmp_path: Path) -> None:
    model = new_model(tmp_path)
    some = captured(X)
    for prediction in some[100:]:
        prediction["features"] = {"c2": 1, "c5": None, "c8": -1}
    deliver(model.storage, NOON, [line(some[:100]), line(some[100:], mode="binned")])
    count_hour(model, NOON)

    window = count_window(model, NOON, NOON + HOUR)

    assert (window.sketch.mode, window.rows) == ("binned", 200)
    assert window.sketch.features["c2"].counts == (0, 200, 0)
    assert window.sketch.features["c5"].missing == 200
    assert window.sketch.features["c8"].unseen == 200
    assert count_window(model, NOON, NOON + HOUR, mode="raw").rows == 100


def test_sketches_of_batch_jobs_are_added(tmp_path: Path) -> None:
    model = new_model(tmp_path)
    hours(model)
    key = layout.batch_sketch_key(MODEL, "raw", NOON, "job", "00001")
    model.storage.put({key: sketch(BASE, X).json()})

    window = count_window(model, NOON, NOON + HOUR)

    assert (window.rows, window.hours) == (400, 1)


def test_segments_are_summed(tmp_path: Path) -> None:
    model = new_model(tmp_path, Watching(segments=("c7",)))
    hours(model)

    window = count_window(model, NOON, NOON + 3 * HOUR)

    names, counts = np.unique(X[:, 27], return_counts=True)
    assert {name: one.rows for name, one in window.segments.items()} == {
        f"c7 = v{int(name)}": count for name, count in zip(names, counts, strict=True)
    }
