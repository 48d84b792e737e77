"""Outcomes: each object is read once, and joined with the predictions that it is about."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from itertools import batched
from typing import Any, Final, Self, cast

import numpy as np
from pydantic_core import from_json

from functions.monitor.counting.captures import label_reader
from functions.monitor.counting.concurrent_reads import MAX_CONCURRENT, list_hours, read_all
from functions.monitor.counting.predictions import (
    Digests,
    Predictions,
    digest,
    locate,
    no_predictions,
)
from functions.monitor.targets import watched_targets
from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.signature import Target
from sklambda.sketch import layout
from sklambda.sketch.watched_scores import class_counts, watched_scores
from sklambda.storage import Stored
from sklambda.storage.objects import ANY

HORIZON: Final = timedelta(days=30)
"""The greatest age of a prediction whose outcome still counts."""

MAX_BYTES: Final = 256_000_000
"""The most bytes of earlier predictions that a run reads, the newest first."""

type OutcomeReader = Callable[[object], list[float]]
"""Reads the position of the class, or the value, of each target."""

type _OutcomeRow = tuple[int, list[float], float, float, float]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes in the order of their digests: of each prediction the last one.

    Attributes
    ----------
    ids : Digests
        Shape [n]: of the prediction ids.
    values : FloatMatrix
        Shape [n, T]: for each target the position of the class, or the value.
    times : FloatVector
        Shape [n]: when it became true, in seconds since 1970.
    arrivals : FloatVector
        Shape [n]: when it was written, in seconds since 1970.
    selection : FloatVector
        Shape [n]: the probability that it was requested; 1 by default.
    sources : Digests
        Digests of the objects that were read.
    """

    ids: Digests
    values: FloatMatrix
    times: FloatVector
    arrivals: FloatVector
    selection: FloatVector
    sources: Digests

    @classmethod
    def merge(cls, chunks: Sequence[Self]) -> Self:
        """Merge at least one chunk; of each prediction the last outcome stays."""
        ids = np.concatenate([chunk.ids for chunk in chunks])
        times = np.concatenate([chunk.times for chunk in chunks])
        order = np.lexsort((-times, ids))
        last = order[np.unique(ids[order], return_index=True)[1]]
        return cls(
            ids[last],
            np.concatenate([chunk.values for chunk in chunks])[last],
            times[last],
            np.concatenate([chunk.arrivals for chunk in chunks])[last],
            np.concatenate([chunk.selection for chunk in chunks])[last],
            np.concatenate([chunk.sources for chunk in chunks]),
        )

    def to_bytes(self) -> bytes:
        """Write an ``.npz`` file, which `read` reads."""
        file = BytesIO()
        np.savez(file, **{name: getattr(self, name) for name in self.__slots__})
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the file that `to_bytes` writes."""
        with np.load(BytesIO(content)) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})


def collect_outcomes(model: WatchedModel, start: datetime, stop: datetime) -> Outcomes:
    """Return the outcomes of the hours from `start` until before `stop`, and store new ones.

    All hours are listed each time: feedback may name a time long ago.
    """
    collected = _stored_outcomes(model, start, stop)
    hours = defaultdict[datetime, list[Stored]](list)
    for one in list_hours(model.storage, "outcomes", start, stop):
        hours[layout.hour_of(one.key)].append(one)
    for hour, objects in hours.items():
        stored = collected.get(hour)
        sources = frozenset[int]() if stored is None else frozenset(stored.sources.tolist())
        by_digest = {digest(f"{one.key} {one.etag}"): one for one in objects}
        new = {name: one for name, one in by_digest.items() if name not in sources}
        if new:
            chunks = [_read_objects(model, new), *([] if stored is None else [stored])]
            collected[hour] = Outcomes.merge(chunks)
            key = layout.outcomes_key(model.id, hour)
            model.storage.put({key: collected[hour].to_bytes()}, ANY)
    return Outcomes.merge([_no_outcomes(model), *collected.values()])


def _stored_outcomes(
    model: WatchedModel, start: datetime, stop: datetime
) -> dict[datetime, Outcomes]:
    objects = list_hours(model.storage, f"answers/{model.id}/outcomes", start, stop)
    contents = read_all(model.storage, objects)
    return {layout.hour_of(key): Outcomes.read(content) for key, content in contents.items()}


def _read_objects(model: WatchedModel, new: Mapping[int, Stored]) -> Outcomes:
    objects = {one.key: one for one in new.values()}
    rows, read_outcome = [], outcome_reader(model.signature.target)
    for key, content in read_all(model.storage, new.values()).items():
        try:
            rows.append(_parse(from_json(content), objects[key], read_outcome))
        except KeyError:  # an unknown label: the outcome belongs to another model
            continue
        except (ValueError, TypeError):
            model.on_damaged(key)
    return _to_outcomes(model, rows, list(new))


def _parse(document: Any, stored: Stored, read_outcome: OutcomeReader) -> _OutcomeRow:
    """Parse an outcome; without a time it became true when it was written."""
    arrival = stored.modified.timestamp() if stored.modified else 0.0
    time, selection = document["time"], float(document.get("selection", 1.0))
    became_true = arrival if time is None else datetime.fromisoformat(time).timestamp()
    if not 0 < selection <= 1:
        raise ValueError("selection must be above 0 and at most 1")
    values = read_outcome(document["outcome"])
    return digest(document["prediction_id"]), values, became_true, arrival, selection


def _to_outcomes(model: WatchedModel, rows: list[_OutcomeRow], sources: list[int]) -> Outcomes:
    """Sort the last written first: of several outcomes with the same time it stays."""
    none = _no_outcomes(model)
    if not rows:
        return replace(none, sources=np.array(sources, dtype=np.uint64))
    rows.sort(key=lambda row: -row[3])
    ids, values, times, arrivals, selection = zip(*rows, strict=True)
    return Outcomes(
        np.array(ids, dtype=np.uint64),
        np.array(values, dtype=np.float64).reshape(len(rows), none.values.shape[1]),
        np.array(times),
        np.array(arrivals),
        np.array(selection),
        np.array(sources, dtype=np.uint64),
    )


def _no_outcomes(model: WatchedModel) -> Outcomes:
    ids, times = np.empty(0, dtype=np.uint64), np.empty(0)
    values = np.empty((0, len(watched_targets(model.signature.target))))
    return Outcomes(ids, values, times, times, times, ids)


def outcome_reader(target: Target) -> OutcomeReader:
    """Return the function that reads an outcome: the position of the class, or the value.

    It raises `KeyError` for an outcome of another model.
    """
    if target.task != "regression":
        read_labels = label_reader(target)
        return lambda outcome: [float(position) for position in read_labels(outcome)]
    if len(target.outputs) == 1:
        return lambda outcome: [float(cast("Any", outcome))]
    names = target.outputs
    return lambda outcome: [float(cast("Any", outcome)[name]) for name in names]


@dataclass(frozen=True, slots=True)
class LabelledPredictions:
    """Predictions whose outcome is known.

    Attributes
    ----------
    predictions : Predictions
        Shape [n].
    true : FloatMatrix
        Shape [n, T]: for each target the position of the class, or the value.
    selection : FloatVector
        Shape [n]: the probability that the outcome was requested.
    """

    predictions: Predictions
    true: FloatMatrix
    selection: FloatVector

    def __len__(self) -> int:
        return len(self.selection)


def join(predictions: Predictions, outcomes: Outcomes) -> LabelledPredictions:
    """Join predictions with their outcomes; those without one are left out."""
    positions, exist = locate(outcomes.ids, predictions.ids)
    rows = np.flatnonzero(exist)
    found = positions[rows]
    return LabelledPredictions(
        predictions.take(rows), outcomes.values[found], outcomes.selection[found]
    )


def labelled_predictions(
    model: WatchedModel,
    predictions: Predictions,
    outcomes: Outcomes,
    start: datetime,
    stop: datetime,
) -> LabelledPredictions:
    """Return the labelled predictions of a window, and earlier ones that were labelled in it."""
    first, last = start.timestamp(), stop.timestamp()
    moments = np.stack([outcomes.times, outcomes.arrivals])
    in_window = ((moments >= first) & (moments < last)).any(axis=0)
    ids = outcomes.ids[in_window & ~locate(predictions.ids, outcomes.ids)[1]]
    chunks = [predictions, *_earlier_predictions(model, set(ids.tolist()), start, stop)]
    return join(Predictions.merge(chunks), outcomes)


def champion_predictions(model: WatchedModel, start: datetime, stop: datetime) -> Predictions:
    """Return the champion's predictions in the hours from `start` until before `stop`."""
    objects = list_hours(model.storage, f"answers/{model.id}/champion", start, stop)
    target, groups = model.signature.target, model.watching.groups
    none = no_predictions(len(watched_scores(target)), len(class_counts(target)), len(groups))
    contents = read_all(model.storage, objects).values()
    return Predictions.merge([none, *map(Predictions.read, contents)])


def stored_predictions(
    model: WatchedModel, start: datetime, stop: datetime
) -> Iterator[tuple[datetime, Predictions]]:
    """Read the champion's predictions by hour, the newest first, up to `MAX_BYTES`."""
    objects = list_hours(model.storage, f"answers/{model.id}/champion", start, stop)
    for batch in batched(_newest(objects), MAX_CONCURRENT, strict=False):
        for key, content in read_all(model.storage, batch).items():
            yield layout.hour_of(key), Predictions.read(content)


def _earlier_predictions(
    model: WatchedModel, wanted: set[int], start: datetime, stop: datetime
) -> Iterator[Predictions]:
    if not wanted:
        return
    for _, predictions in stored_predictions(model, layout.whole_hour(stop - HORIZON), start):
        ids = np.array(sorted(wanted), dtype=np.uint64)
        positions, exist = locate(predictions.ids, ids)
        if exist.any():
            wanted -= set(ids[exist].tolist())
            yield predictions.take(positions[exist])
        if not wanted:
            return


def _newest(objects: list[Stored]) -> Iterator[Stored]:
    remaining = MAX_BYTES
    for one in reversed(objects):
        remaining -= one.size
        if remaining < 0:
            return
        yield one
