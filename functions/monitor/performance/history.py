"""What came before: a point an hour, or a day where there is more to tell."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from functions.monitor.counting.predictions import Answers
from functions.monitor.counting.windows import columns, counted, total
from functions.monitor.outcomes import Evidence, Truths, join, older
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.measure import estimated, measured, usable
from functions.monitor.statistics.intervals import Interval, around
from functions.monitor.targets import Aim
from functions.monitor.watched_model import Subject
from sklambda.baseline import Reference
from sklambda.sketch.layout import Hour
from sklambda.sketch.sketch import Column, Mode

DAYS: Final = 28
HOURS: Final = 48
QUANTILES: Final = (0.1, 0.5, 0.9)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    """One hour or day of the history.

    Attributes
    ----------
    time : str
        Where it begins, ISO 8601.
    rows : int
        How many predictions.
    scores : dict of str to tuple of float
        The 10 %, 50 % and 90 % quantiles of each score.
    realised, estimated : dict of str to Interval
        Metrics, with what is not known of them.
    """

    time: str
    rows: int
    scores: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Interval] = field(default_factory=dict)


def history(subject: Subject, aim: Aim, mode: Mode, truths: Truths, until: datetime) -> list[Point]:
    """Give the points before `until`: of hours, or of days where there is more than 48 hours.

    Days end at the hour of `until`. What is realised and estimated is that of one target.
    """
    kept = [
        (moment, hour.replace(sketch=hour.sketch.replace(features={}), segments={}))
        for moment, hour in counted(subject, "champion", mode, until - DAYS * _DAY, until)
        if hour.sketch is not None
    ]
    start = min((moment for moment, _ in kept), default=until)
    step = _HOUR if start >= until - HOURS * _HOUR else _DAY
    hours: dict[datetime, list[Hour]] = defaultdict(list)
    for moment, hour in kept:
        hours[_start(moment, until, step)].append(hour)
    evidence = _evidence(subject, truths, start, until, step)
    return [
        _point(subject, aim, moment, hours[moment], evidence.get(moment))
        for moment in sorted(hours)
    ]


def _start(moment: datetime, until: datetime, step: timedelta) -> datetime:
    return until + (moment - until) // step * step


def _evidence(
    subject: Subject, truths: Truths, start: datetime, until: datetime, step: timedelta
) -> Mapping[datetime, Evidence]:
    if not len(truths.ids):
        return {}
    parts: dict[datetime, list[Answers]] = defaultdict(list)
    for moment, answers in older(subject, start, until):
        parts[_start(moment, until, step)].append(join(answers, truths).answers)
    return {moment: join(Answers.joined(some), truths) for moment, some in parts.items()}


def _point(
    subject: Subject,
    aim: Aim,
    moment: datetime,
    hours: Sequence[Hour],
    evidence: Evidence | None,
) -> Point:
    sketch = total(hour.sketch for hour in hours if hour.sketch is not None)
    if sketch is None:
        return Point(moment.isoformat(), 0)
    errors = columns(hour.errors for hour in hours)
    references = subject.baseline.scores
    return Point(
        time=moment.isoformat(),
        rows=sketch.rows,
        scores={
            name: quantiles(references[name], column)
            for name, column in sketch.scores.items()
            if column.present
        },
        realised={} if evidence is None else measured(aim, usable(aim, evidence)),
        estimated={
            name: _interval(one, sketch.rows)
            for name, one in estimated(subject, aim, sketch, errors).items()
        },
    )


def _interval(one: Estimate, rows: int) -> Interval:
    return around(one.value, one.deviation, rows)


def quantiles(reference: Reference, column: Column) -> tuple[float, float, float]:
    """Give the 10 %, 50 % and 90 % quantiles, by a straight line within each bin."""
    edges = np.array(reference.ruler.edges)
    if not edges.size:
        return (column.least or 0.0,) * 3
    reached = np.cumsum(column.counts) / sum(column.counts)
    low, middle, high = np.interp(QUANTILES, reached, edges).tolist()
    return low, middle, high
