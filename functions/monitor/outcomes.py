"""Outcomes: each object is read once, and joined with the predictions that it is about."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from itertools import batched
from typing import Any, Final, Self, cast

import numpy as np
from pydantic_core import from_json

from functions.monitor.counting.captures import positions
from functions.monitor.counting.concurrent_reads import AT_ONCE, contents, within
from functions.monitor.counting.predictions import Answers, Digests, digest, nothing, places
from functions.monitor.targets import aims
from functions.monitor.watched_model import Subject
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.signature import Target
from sklambda.sketch import layout
from sklambda.sketch.watched_scores import label_names, scored
from sklambda.storage import Stored
from sklambda.storage.objects import ANY

HORIZON: Final = timedelta(days=30)
"""How old a prediction may be whose outcome is waited for."""

MOST_BYTES: Final = 256_000_000
"""How much of older answers is read at most in one run; the newest come first."""


@dataclass(frozen=True, slots=True)
class Truths:
    """Outcomes in the order of their digests, one of a prediction: the last.

    Attributes
    ----------
    ids : Digests
        Shape [n]: of the predictions.
    values : FloatMatrix
        Shape [n, T]: for each target the position of the class, or the value.
    times : FloatVector
        Shape [n]: when it became true, in seconds since 1970.
    arrivals : FloatVector
        Shape [n]: when it was written, likewise.
    selection : FloatVector
        Shape [n]: the chance that each had to be asked for; 1 unless told.
    sources : Digests
        What they were gathered from.
    """

    ids: Digests
    values: FloatMatrix
    times: FloatVector
    arrivals: FloatVector
    selection: FloatVector
    sources: Digests

    @classmethod
    def last(cls, parts: Sequence[Self]) -> Self:
        """Put parts, at least one, together: of each prediction its last outcome."""
        ids = np.concatenate([part.ids for part in parts])
        times = np.concatenate([part.times for part in parts])
        order = np.lexsort((-times, ids))
        kept = order[np.unique(ids[order], return_index=True)[1]]
        return cls(
            ids[kept],
            np.concatenate([part.values for part in parts])[kept],
            times[kept],
            np.concatenate([part.arrivals for part in parts])[kept],
            np.concatenate([part.selection for part in parts])[kept],
            np.concatenate([part.sources for part in parts]),
        )

    def written(self) -> bytes:
        """Write them; `read` reads what this gives."""
        file = BytesIO()
        members = {name: getattr(self, name) for name in self.__slots__}
        np.savez(file, **members)
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what was written."""
        with np.load(BytesIO(content)) as kept:
            return cls(**{name: kept[name] for name in kept.files})


type Truth = Callable[[object], list[float]]
type _Row = tuple[int, list[float], float, float, float]


def gather(subject: Subject, start: datetime, stop: datetime) -> Truths:
    """Give the outcomes of the hours from `start` until before `stop`, and keep what is new.

    All hours are looked at each time: feedback may name a time long ago.
    """
    kept = _kept(subject, start, stop)
    hours = defaultdict[datetime, list[Stored]](list)
    for one in within(subject.records, "outcomes", start, stop):
        hours[layout.moment_of(one.key)].append(one)
    for hour, objects in hours.items():
        known = kept.get(hour)
        old = frozenset[int]() if known is None else frozenset(known.sources.tolist())
        named = {digest(f"{one.key} {one.etag}"): one for one in objects}
        fresh = {name: one for name, one in named.items() if name not in old}
        if fresh:
            parts = [_read(subject, fresh), *([] if known is None else [known])]
            kept[hour] = Truths.last(parts)
            written = {layout.truths(subject.id, hour): kept[hour].written()}
            subject.records.put(written, ANY)
    return Truths.last([_none(subject), *kept.values()])


def _kept(subject: Subject, start: datetime, stop: datetime) -> dict[datetime, Truths]:
    objects = within(subject.records, f"answers/{subject.id}/outcomes", start, stop)
    read = contents(subject.records, objects)
    return {layout.moment_of(key): Truths.read(content) for key, content in read.items()}


def _read(subject: Subject, fresh: Mapping[int, Stored]) -> Truths:
    objects = {one.key: one for one in fresh.values()}
    read, parse = [], truth(subject.signature.target)
    for key, content in contents(subject.records, fresh.values()).items():
        try:
            read.append(_outcome(from_json(content), objects[key], parse))
        except KeyError:  # no label of this model: the outcome is another's
            continue
        except (ValueError, TypeError):
            subject.notice(key)
    return _truths(subject, read, list(fresh))


def _outcome(document: Any, stored: Stored, parse: Truth) -> _Row:
    """Read an outcome; one without a time came when it was written."""
    written = stored.modified.timestamp() if stored.modified else 0.0
    told, selection = document["time"], float(document.get("selection", 1.0))
    time = written if told is None else datetime.fromisoformat(told).timestamp()
    if not 0 < selection <= 1:
        raise ValueError("selection: is no chance")
    values = parse(document["outcome"])
    return digest(document["prediction_id"]), values, time, written, selection


def _truths(subject: Subject, rows: list[_Row], sources: list[int]) -> Truths:
    """What is written last stands first: of outcomes of one moment it stays."""
    none = _none(subject)
    if not rows:
        return replace(none, sources=np.array(sources, dtype=np.uint64))
    rows.sort(key=lambda row: -row[3])
    ids, values, times, arrivals, selection = zip(*rows, strict=True)
    return Truths(
        np.array(ids, dtype=np.uint64),
        np.array(values, dtype=np.float64).reshape(len(rows), none.values.shape[1]),
        np.array(times),
        np.array(arrivals),
        np.array(selection),
        np.array(sources, dtype=np.uint64),
    )


def _none(subject: Subject) -> Truths:
    ids, times = np.empty(0, dtype=np.uint64), np.empty(0)
    values = np.empty((0, len(aims(subject.signature.target))))
    return Truths(ids, values, times, times, times, ids)


def truth(target: Target) -> Truth:
    """Make the function that reads an outcome: the position of the class, or the value.

    It raises `KeyError` for what is none of this model.
    """
    if target.task != "regression":
        find = positions(target)
        return lambda outcome: [float(place) for place in find(outcome)]
    if len(target.outputs) == 1:
        return lambda outcome: [float(cast("Any", outcome))]
    names = target.outputs
    return lambda outcome: [float(cast("Any", outcome)[name]) for name in names]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Answers whose outcome is known.

    Attributes
    ----------
    answers : Answers
        Shape [n].
    true : FloatMatrix
        Shape [n, T]: for each target the position of the class, or the value.
    selection : FloatVector
        Shape [n]: the chance that each had to be asked for.
    """

    answers: Answers
    true: FloatMatrix
    selection: FloatVector

    def __len__(self) -> int:
        return len(self.selection)


def answered(subject: Subject, start: datetime, stop: datetime) -> Answers:
    """Give the champion's answers in the hours from `start` until before `stop`."""
    kept = within(subject.records, f"answers/{subject.id}/champion", start, stop)
    return _joined(subject, contents(subject.records, kept).values())


def _joined(subject: Subject, written: Iterable[bytes]) -> Answers:
    target = subject.signature.target
    none = nothing(len(scored(target)), len(label_names(target)), len(subject.watching.groups))
    return Answers.joined([none, *map(Answers.read, written)])


def evidence(
    subject: Subject, answers: Answers, truths: Truths, start: datetime, stop: datetime
) -> Evidence:
    """Give the answers of a window that have an outcome, and older ones that got it in it."""
    first, last = start.timestamp(), stop.timestamp()
    moments = np.stack([truths.times, truths.arrivals])
    came = ((moments >= first) & (moments < last)).any(axis=0)
    wanted = truths.ids[came & ~places(answers.ids, truths.ids)[1]]
    parts = [answers, *_older(subject, set(wanted.tolist()), start, stop)]
    return join(Answers.joined(parts), truths)


def join(answers: Answers, truths: Truths) -> Evidence:
    """Give the answers that have an outcome."""
    at, there = places(truths.ids, answers.ids)
    rows = np.flatnonzero(there)
    return Evidence(answers.take(rows), truths.values[at[rows]], truths.selection[at[rows]])


def older(subject: Subject, start: datetime, stop: datetime) -> Iterator[tuple[datetime, Answers]]:
    """Read the answers of hours, the newest first, until it is too much."""
    kept = within(subject.records, f"answers/{subject.id}/champion", start, stop)
    for some in batched(_affordable(kept), AT_ONCE, strict=False):
        for key, content in contents(subject.records, some).items():
            yield layout.moment_of(key), Answers.read(content)


def _older(
    subject: Subject, wanted: set[int], start: datetime, stop: datetime
) -> Iterator[Answers]:
    if not wanted:
        return
    for _, answers in older(subject, layout.whole_hour(stop - HORIZON), start):
        missing = np.array(sorted(wanted), dtype=np.uint64)
        at, there = places(answers.ids, missing)
        if there.any():
            wanted -= set(missing[there].tolist())
            yield answers.take(at[there])
        if not wanted:
            return


def _affordable(kept: list[Stored]) -> Iterator[Stored]:
    left = MOST_BYTES
    for one in reversed(kept):
        left -= one.size
        if left < 0:
            return
        yield one
