"""Outcomes: each object is read once, and joined with the predictions that it is about.

Of several outcomes of a prediction the newest counts: that with the latest time, whatever the order
in which they arrived; of the same time the one that arrived last. An outcome without a time became
true when it arrived. One that became true before its prediction, by more than `CLOCK_SKEW`, is none
of it. An outcome of a client's row is one of the newest prediction for that row that was made by
then.
"""

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
    row_name,
)
from functions.monitor.targets import watched_targets
from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.prediction_ids import CLOCK_SKEW
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

type _OutcomeRow = tuple[int, bool, list[float], float, float, float]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes in the order of their digests: of each prediction the newest.

    Attributes
    ----------
    ids : Digests
        Shape [n]: of the prediction ids, or of what stands for a client's row: `row_name`.
    by_row : Flags
        Shape [n]: whether the id stands for a client's row.
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
    by_row: Flags
    values: FloatMatrix
    times: FloatVector
    arrivals: FloatVector
    selection: FloatVector
    sources: Digests

    @classmethod
    def merge(cls, chunks: Sequence[Self]) -> Self:
        """Merge at least one chunk; of each prediction the newest outcome stays.

        All outcomes of a client's row stay: they may be those of several predictions.
        """
        joined = {
            name: np.concatenate([getattr(chunk, name) for chunk in chunks])
            for name in cls.__slots__
        }
        sources, ids = joined.pop("sources"), joined["ids"]
        order = np.lexsort((-joined["arrivals"], -joined["times"], ids))
        times, by_row = joined["times"][order], joined["by_row"][order]
        older = np.diff(ids[order]) == 0
        older &= ~by_row[1:] | (np.diff(times) == 0)
        newest = order[np.concatenate([np.ones(min(1, len(ids)), dtype=np.bool_), ~older])]
        return cls(**{name: values[newest] for name, values in joined.items()}, sources=sources)

    def take(self, rows: Flags | IntVector, ids: Digests) -> "Outcomes":
        """Return some outcomes as those of predictions, [k]."""
        taken = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "sources"}
        taken |= {"ids": ids, "by_row": np.zeros(len(ids), dtype=np.bool_)}
        return Outcomes(**taken, sources=self.sources)

    def to_bytes(self) -> bytes:
        """Write an ``.npz`` file, which `read` reads."""
        file = BytesIO()
        np.savez(file, **{name: getattr(self, name) for name in self.__slots__})
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the file that `to_bytes` writes, or wrote before outcomes could name a row."""
        with np.load(BytesIO(content)) as arrays:
            by_id = {"by_row": np.zeros(len(arrays["ids"]), dtype=np.bool_)}
            return cls(**by_id | {name: arrays[name] for name in arrays.files})


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
    row = document.get("row")
    name = document["prediction_id"] if row is None else row_name(row)
    return digest(name), row is not None, values, became_true, arrival, selection


def _to_outcomes(model: WatchedModel, rows: list[_OutcomeRow], sources: list[int]) -> Outcomes:
    none = _no_outcomes(model)
    if not rows:
        return replace(none, sources=np.array(sources, dtype=np.uint64))
    ids, by_row, values, times, arrivals, selection = zip(*rows, strict=True)
    return Outcomes(
        np.array(ids, dtype=np.uint64),
        np.array(by_row, dtype=np.bool_),
        np.array(values, dtype=np.float64).reshape(len(rows), none.values.shape[1]),
        np.array(times),
        np.array(arrivals),
        np.array(selection),
        np.array(sources, dtype=np.uint64),
    )


def _no_outcomes(model: WatchedModel) -> Outcomes:
    ids, times = np.empty(0, dtype=np.uint64), np.empty(0)
    values = np.empty((0, len(watched_targets(model.signature.target))))
    return Outcomes(ids, np.empty(0, dtype=np.bool_), values, times, times, times, ids)


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
    rows = rows[~_is_before(outcomes.times[positions[rows]], predictions.times[rows])]
    found = positions[rows]
    return LabelledPredictions(
        predictions.take(rows), outcomes.values[found], outcomes.selection[found]
    )


def _is_before(outcomes: FloatVector, predictions: FloatVector) -> Flags:
    """Return which outcomes became true before their predictions; none by unknown times, NaN."""
    return outcomes < predictions - CLOCK_SKEW.total_seconds()


def resolve_rows(
    model: WatchedModel, outcomes: Outcomes, start: datetime, stop: datetime
) -> Outcomes:
    """Return outcomes by the ids of predictions only.

    The outcome of a client's row is that of its newest prediction, in the hours from `start` until
    before `stop`, that was made when it became true; without any it is left out. One that became
    true later waits: the hours until then are not counted.
    """
    resolved = [outcomes.take(~outcomes.by_row, outcomes.ids[~outcomes.by_row])]
    waiting = np.flatnonzero(outcomes.by_row & (outcomes.times < stop.timestamp()))
    if waiting.size:
        for _, predictions in stored_predictions(model, start, stop):
            positions = _newest_of_rows(predictions, outcomes.take(waiting, outcomes.ids[waiting]))
            found = positions >= 0
            resolved.append(outcomes.take(waiting[found], predictions.ids[positions[found]]))
            waiting = waiting[~found]
            if not waiting.size:
                break
    return Outcomes.merge(resolved)


def _newest_of_rows(predictions: Predictions, outcomes: Outcomes) -> IntVector:
    """Return the position, [n], of the newest prediction of each row by then; -1 without any."""
    order = np.lexsort((predictions.times, predictions.rows))
    rows, times = predictions.rows[order], predictions.times[order]
    first, last = (np.searchsorted(rows, outcomes.ids, side=side) for side in ("left", "right"))
    positions = np.full(len(outcomes.ids), -1, dtype=np.intp)
    for place in np.flatnonzero(last > first).tolist():
        by_then = outcomes.times[place] + CLOCK_SKEW.total_seconds()
        made = int(np.searchsorted(times[first[place] : last[place]], by_then, side="right"))
        if made:
            positions[place] = order[first[place] + made - 1]
    return positions


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
    for batch in batched(_newest(objects), MAX_CONCURRENT):
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
