"""Hours of captures: the predictions of each hour are counted once, and the counts stored.

Windows are the sums of stored hours.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from typing import Final

import numpy as np

from functions.monitor.counting.captures import (
    CaptureEncoder,
    Captures,
    Chunk,
    Heading,
    group_by_features,
)
from functions.monitor.counting.concurrent_reads import find_all, list_hours, read_all
from functions.monitor.counting.predictions import MISSING_GROUP, Predictions
from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import FloatMatrix, IntMatrix
from sklambda.signature import Feature
from sklambda.sketch import layout
from sklambda.sketch.baseline import codes
from sklambda.sketch.layout import MODES, ROLES, Hour, Role
from sklambda.sketch.sketch import Histogram, Mode, Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.sketch.watched_scores import class_counts, watched_scores
from sklambda.storage import Stored
from sklambda.storage.objects import ANY

type StoredHour = tuple[datetime, Hour]
_HOUR: Final = timedelta(hours=1)

_ALWAYS_STORED: Final[Heading] = "champion", "raw"
"""The heading that is stored even for an hour without predictions: it was counted."""

_WITH_ERRORS: Final[Heading] = "champion", "raw"
"""The heading whose absolute errors the error model predicts."""

type _Names = tuple[str, ...]


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


class HourCounter:
    """Counter of the predictions of one heading in an hour.

    Parameters
    ----------
    model : WatchedModel
        The model.
    heading : tuple of str
        Who predicted, and how features were captured.

    Attributes
    ----------
    sketch : Sketch or None
        Of all predictions so far.
    segments : dict of str to Sketch
        Of each segment.
    predictions : list of Predictions
        Of each chunk.
    errors : dict of str to Histogram
        The expected absolute errors of rows with all features captured.
    invalid : int
        How many predictions have a value that the model no longer accepts.
    """

    def __init__(self, model: WatchedModel, heading: Heading) -> None:
        mode = heading[1]
        self.sketch: Sketch | None = None
        self.segments: dict[str, Sketch] = {}
        self.predictions: list[Predictions] = []
        self.invalid = 0
        self.errors: dict[str, Histogram] = {}
        self._model, self._mode = model, mode
        self._error_model = model.error_model if heading == _WITH_ERRORS else None
        self._encoder = CaptureEncoder(model.signature, mode)
        self._sketchers: dict[_Names, Sketcher] = {}
        self._scores = watched_scores(model.signature.target)
        self._groups = [model.signature.names.index(name) for name in model.watching.groups]
        self._segments = [
            (place, feature)
            for place, feature in enumerate(model.signature.features)
            if feature.name in model.watching.segments and codes(feature)
        ]

    def add(self, chunk: Chunk) -> None:
        """Count the predictions of a chunk."""
        scores = np.array(chunk.scores, dtype=np.float64).reshape(len(chunk.ids), -1)
        labels = np.array(chunk.labels, dtype=np.intp).reshape(len(chunk.ids), -1)
        ids, named = (np.array(some, dtype=np.uint64) for some in (chunk.ids, chunk.named))
        times = np.array(chunk.times)
        coerced = dict(chunk.coerced)
        for names, rows, at in group_by_features(self._model.signature, chunk.rows):
            X, invalid = self._encoder.encode(names, rows)
            self.invalid += invalid
            self._count(names, X, scores[at], labels[at], coerced)
            watched = [one.of(scores[at], labels[at]) for one in self._scores]
            values = np.array(watched).reshape(len(watched), -1).T
            self.predictions.append(
                Predictions(ids[at], values, labels[at], self._codes(X), times[at], named[at])
            )
            coerced = {}  # known of the whole chunk, and counted with its first group

    def _count(
        self,
        names: _Names,
        X: FloatMatrix,
        scores: FloatMatrix,
        labels: IntMatrix,
        coerced: dict[str, int],
    ) -> None:
        sketcher = self._sketcher(names)
        is_complete = len(names) == len(self._model.signature.names)
        sketch = sketcher.sketch(X, scores, labels, coerced)
        # Of rows that lack a feature more are equal than of complete ones.
        sketch = sketch if is_complete else sketch.replace(duplicates=0)
        self.sketch = add_sketches(self.sketch, sketch)
        if is_complete and self._error_model is not None:
            self.errors = sum_histograms([self.errors, self._error_model.count(X)])
        for name, rows in self._segment_rows(X):
            segment = sketcher.sketch(X[rows], scores[rows], labels[rows]).replace(duplicates=0)
            self.segments[name] = add_sketches(self.segments.get(name), segment)

    def _segment_rows(self, X: FloatMatrix) -> Iterator[tuple[str, IntMatrix]]:
        for place, feature in self._segments:
            for code, name in enumerate(_categories(feature)):
                rows = np.flatnonzero(X[:, place] == code)
                if rows.size:
                    yield f"{feature.name} = {name}", rows

    def _codes(self, X: FloatMatrix) -> IntMatrix:
        groups = X[:, self._groups]
        return np.where(np.isnan(groups), MISSING_GROUP, groups).astype(np.intp)

    def _sketcher(self, names: _Names) -> Sketcher:
        if names not in self._sketchers:
            model = self._model
            without = set(model.signature.names) - set(names)
            self._sketchers[names] = Sketcher(model.signature, model.baseline, self._mode, without)
        return self._sketchers[names]


def _categories(feature: Feature) -> tuple[str, ...]:
    return ("false", "true") if feature.kind == "boolean" else feature.vocabulary


def count_hour(model: WatchedModel, hour: datetime) -> None:
    """Count the captures of an hour; count again only if there are new objects.

    Stored counts stay if nothing new arrived, and if some of their objects no longer exist:
    captures expire, counts do not. Predictions that were counted in the hour before are left out.

    Parameters
    ----------
    model : WatchedModel
        The champion; any challenger is counted beside it.
    hour : datetime
        The beginning of the hour.
    """
    objects = list(model.storage.list(layout.captures_prefix(hour)))
    before = find_all(model.storage, (_predictions_key(model, r, hour - _HOUR) for r in ROLES))
    sources = {one.key: one.etag for one in [*objects, *before]}
    stored = _stored_counts(model, hour)
    counted = {key: etag for one in stored.values() for key, etag in one.sources.items()}
    if stored and (counted == sources or not sources.keys() >= counted.keys()):
        return
    captures = Captures(model.signature.target, model.id, _counted_before(model, before))
    counters: dict[Heading, HourCounter] = {}
    for heading, chunk in captures.read(model.storage, objects):
        counter = counters.setdefault(heading, HourCounter(model, heading))
        counter.add(chunk)
    for key in captures.damaged:
        model.on_damaged(key)
    _store_predictions(model, hour, counters)
    _store_counts(model, hour, stored, sources, captures, counters)


def _predictions_key(model: WatchedModel, role: Role, hour: datetime) -> str:
    return layout.predictions_key(model.id, role, hour)


def _stored_counts(model: WatchedModel, hour: datetime) -> dict[Heading, Hour]:
    headings: list[Heading] = [(role, mode) for role in ROLES for mode in MODES]
    keys = {layout.sketch_key(model.id, *heading, hour): heading for heading in headings}
    objects = find_all(model.storage, keys)
    return {keys[one.key]: Hour.parse(model.storage.read(one)) for one in objects}


def _counted_before(model: WatchedModel, before: Iterable[Stored]) -> Mapping[Role, list[int]]:
    """Return the digests of the hour before: a line may be in both hours."""
    by_role = {one.key.split("/")[2]: Predictions.read(model.storage.read(one)) for one in before}
    return {role: by_role[role].ids.tolist() for role in ROLES if role in by_role}


def _store_predictions(
    model: WatchedModel, hour: datetime, counters: Mapping[Heading, HourCounter]
) -> None:
    for role in ROLES:
        chunks = [
            chunk
            for heading, counter in counters.items()
            if heading[0] == role
            for chunk in counter.predictions
        ]
        if chunks:
            key = _predictions_key(model, role, hour)
            model.storage.put({key: Predictions.merge(chunks).to_bytes()}, ANY)


def _store_counts(
    model: WatchedModel,
    hour: datetime,
    stored: Mapping[Heading, Hour],
    sources: dict[str, str],
    captures: Captures,
    counters: Mapping[Heading, HourCounter],
) -> None:
    """Store the counts, last: an hour is counted once its counts are stored."""
    objects = {}
    for heading in {_ALWAYS_STORED, *counters, *stored}:
        counts = Hour(sources=sources, segments={}, errors={})
        if (counter := counters.get(heading)) is not None:
            counts = counts.replace(
                misfits=counter.invalid,
                sketch=counter.sketch,
                segments=counter.segments,
                errors=counter.errors,
            )
        if heading == _ALWAYS_STORED:
            counts = counts.replace(unreadable=captures.unreadable, others=captures.others)
        counts = counts.replace(late=_late(stored, heading, counts))
        objects[layout.sketch_key(model.id, *heading, hour)] = counts.json()
    model.storage.put(objects)


def _late(stored: Mapping[Heading, Hour], heading: Heading, counts: Hour) -> int:
    if not stored:
        return 0
    before = stored.get(heading)
    return counts.rows if before is None else before.late + max(0, counts.rows - before.rows)
