"""What became true, gathered: an outcome is an object, and is read once."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from pydantic_core import from_json

from functions.monitor.aims import aims
from functions.monitor.chunk import digest
from functions.monitor.labels import Truth, truth
from functions.monitor.objects import contents, within
from functions.monitor.subject import Subject
from functions.monitor.truths import Truths
from sklambda import records
from sklambda.objects import ANY
from sklambda.storage import Stored

type _Row = tuple[int, list[float], float, float, float]


def gather(subject: Subject, start: datetime, stop: datetime) -> Truths:
    """Give the outcomes of the hours from `start` until before `stop`, and keep what is new.

    All hours are looked at each time: feedback may name a time long ago.
    """
    kept = _kept(subject, start, stop)
    hours = defaultdict[datetime, list[Stored]](list)
    for one in within(subject.records, "outcomes", start, stop):
        hours[records.moment_of(one.key)].append(one)
    for hour, objects in hours.items():
        known = kept.get(hour)
        old = frozenset[int]() if known is None else frozenset(known.sources.tolist())
        named = {digest(f"{one.key} {one.etag}"): one for one in objects}
        fresh = {name: one for name, one in named.items() if name not in old}
        if fresh:
            parts = [_read(subject, fresh), *([] if known is None else [known])]
            kept[hour] = Truths.last(parts)
            written = {records.truths(subject.id, hour): kept[hour].written()}
            subject.records.put(written, ANY)
    return Truths.last([_none(subject), *kept.values()])


def _kept(subject: Subject, start: datetime, stop: datetime) -> dict[datetime, Truths]:
    objects = within(subject.records, f"answers/{subject.id}/outcomes", start, stop)
    read = contents(subject.records, objects)
    return {records.moment_of(key): Truths.read(content) for key, content in read.items()}


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
