"""Answers with what became true of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Final

import numpy as np

from functions.monitor.answers import Answers, nothing, places
from functions.monitor.objects import AT_ONCE, contents, within
from functions.monitor.subject import Subject
from functions.monitor.truths import Truths
from sklambda import records
from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.scored import label_names, scored
from sklambda.storage import Stored

HORIZON: Final = timedelta(days=30)
"""How old a prediction may be whose outcome is waited for."""

MOST_BYTES: Final = 256_000_000
"""How much of older answers is read at most in one run; the newest come first."""


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


def join(answers: Answers, truths: Truths) -> Evidence:
    """Give the answers that have an outcome."""
    at, there = places(truths.ids, answers.ids)
    rows = np.flatnonzero(there)
    return Evidence(answers.take(rows), truths.values[at[rows]], truths.selection[at[rows]])


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


def older(subject: Subject, start: datetime, stop: datetime) -> Iterator[tuple[datetime, Answers]]:
    """Read the answers of hours, the newest first, until it is too much."""
    kept = within(subject.records, f"answers/{subject.id}/champion", start, stop)
    for some in batched(_affordable(kept), AT_ONCE, strict=False):
        for key, content in contents(subject.records, some).items():
            yield records.moment_of(key), Answers.read(content)


def _older(
    subject: Subject, wanted: set[int], start: datetime, stop: datetime
) -> Iterator[Answers]:
    if not wanted:
        return
    for _, answers in older(subject, records.whole_hour(stop - HORIZON), start):
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


def _joined(subject: Subject, written: Iterable[bytes]) -> Answers:
    target = subject.signature.target
    none = nothing(len(scored(target)), len(label_names(target)), len(subject.watching.groups))
    return Answers.joined([none, *map(Answers.read, written)])
