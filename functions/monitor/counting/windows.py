"""Windows: the sums of stored hours."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

import numpy as np

from functions.monitor.counting.concurrent_reads import list_hours, read_all
from functions.monitor.watched_model import WatchedModel
from sklambda.sketch import layout
from sklambda.sketch.layout import MODES, Hour, Role
from sklambda.sketch.sketch import Histogram, Mode, Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.sketch.watched_scores import class_counts

type StoredHour = tuple[datetime, Hour]


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """The counts of the predictions of one role and mode in a window.

    Attributes
    ----------
    sketch : Sketch
        Of all predictions; an empty one if there are none.
    segments : dict of str to Sketch
        Of each segment, by its name.
    errors : dict of str to Histogram
        The expected absolute errors, by the name of the value.
    hours : int
        How many hours have predictions.
    late : int
        How many predictions arrived after their hour was first counted.
    """

    sketch: Sketch
    segments: dict[str, Sketch] = field(default_factory=dict)
    errors: dict[str, Histogram] = field(default_factory=dict)
    hours: int = 0
    late: int = 0

    @property
    def rows(self) -> int:
        """The number of predictions."""
        return self.sketch.rows


def count_window(
    model: WatchedModel,
    start: datetime,
    stop: datetime,
    role: Role = "champion",
    mode: Mode | None = None,
) -> WindowCounts:
    """Sum the stored hours from `start` until before `stop`.

    Parameters
    ----------
    model : WatchedModel
        The model.
    start, stop : datetime
        Whole hours.
    role : {"champion", "challenger"}
        Which of the two predicted.
    mode : {"raw", "binned"}, optional
        How features were captured; by default the mode of most predictions.
    """
    modes = MODES if mode is None else (mode,)
    counts = [_sum_hours(model, stored_hours(model, role, one, start, stop), one) for one in modes]
    return max(counts, key=lambda one: one.rows)


def _sum_hours(model: WatchedModel, hours: Iterable[StoredHour], mode: Mode) -> WindowCounts:
    present = [(moment, hour) for moment, hour in hours if hour.rows]
    sketch = sum_sketches(hour.sketch for _, hour in present if hour.sketch is not None)
    names = dict.fromkeys(name for _, hour in present for name in hour.segments)
    segments = {
        name: sum_sketches(hour.segments[name] for _, hour in present if name in hour.segments)
        for name in names
    }
    return WindowCounts(
        sketch=empty_sketch(model, mode) if sketch is None else sketch,
        segments={name: one for name, one in segments.items() if one is not None},
        hours=len({moment for moment, _ in present}),
        errors=sum_histograms(hour.errors for _, hour in present),
        late=sum(hour.late for _, hour in present),
    )


def stored_hours(
    model: WatchedModel, role: Role, mode: Mode, start: datetime, stop: datetime
) -> Iterator[StoredHour]:
    """Read stored hours; an hour comes more than once if batch jobs added sketches to it."""
    folder = f"sketches/{model.id}/{role}/{mode}"
    objects = list_hours(model.storage, folder, start, stop)
    for key, content in read_all(model.storage, objects).items():
        yield layout.hour_of(key), _parse_hour(key, content)


def _parse_hour(key: str, content: bytes) -> Hour:
    if "/batch-" in key:
        return Hour(sources={}, sketch=Sketch.parse(content), segments={}, errors={})
    return Hour.parse(content)


def empty_sketch(model: WatchedModel, mode: Mode = "raw") -> Sketch:
    """Return the sketch of zero predictions."""
    signature, none = model.signature, np.empty((0, 0))
    width = signature.width if mode == "raw" else len(signature.features)
    labels = np.empty((0, len(class_counts(signature.target))), dtype=np.intp)
    return Sketcher(signature, model.baseline, mode).sketch(
        none.reshape(0, width), none.reshape(0, signature.target.width), labels
    )


def add_sketches(one: Sketch | None, other: Sketch) -> Sketch:
    """Add two sketches of the same mode.

    A feature that is in one of them only was redacted for a time: it counts the rows that have it.
    """
    if one is None:
        return other
    if one.features.keys() == other.features.keys():
        return one + other
    return _with_features(one, other.features) + _with_features(other, one.features)


def sum_sketches(sketches: Iterable[Sketch]) -> Sketch | None:
    """Sum sketches of the same mode; return None if there are none."""
    return reduce(add_sketches, sketches, None)


def sum_histograms(sketches: Iterable[Mapping[str, Histogram]]) -> dict[str, Histogram]:
    """Sum the counts of columns, by name."""
    sums: dict[str, Histogram] = {}
    for sketch in sketches:
        for name, column in sketch.items():
            sums[name] = sums[name] + column if name in sums else column
    return sums


def _with_features(sketch: Sketch, others: dict[str, Histogram]) -> Sketch:
    absent = {name: _empty_like(column) for name, column in others.items()}
    return sketch.replace(features=absent | sketch.features)


def _empty_like(column: Histogram) -> Histogram:
    return Histogram(rows=0, counts=(0,) * len(column.counts), gaps=(0.0,) * len(column.gaps))
