"""The history: predictions, scores and metrics over time, a point for each hour or day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from functions.monitor.counting.hours import stored_hours, sum_histograms, sum_sketches
from functions.monitor.counting.predictions import Predictions
from functions.monitor.outcomes import LabelledPredictions, Outcomes, join, stored_predictions
from functions.monitor.performance.measure import (
    estimated_metrics,
    realised_metrics,
    with_finite_scores,
)
from functions.monitor.statistics.intervals import Interval, normal_interval
from functions.monitor.targets import WatchedTarget
from functions.monitor.watched_model import WatchedModel
from sklambda.sketch.baseline import Reference
from sklambda.sketch.layout import Hour
from sklambda.sketch.sketch import Histogram, Mode

MAX_DAYS: Final = 28
MAX_HOURS: Final = 48
QUANTILES: Final = (0.1, 0.5, 0.9)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """An hour or a day of the history.

    Attributes
    ----------
    time : str
        Its beginning, ISO 8601.
    rows : int
        The number of predictions.
    scores : dict of str to tuple of float
        The 10 %, 50 % and 90 % quantiles of each score.
    realised, estimated : dict of str to Interval
        The metrics with their intervals.
    """

    time: str
    rows: int
    scores: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Interval] = field(default_factory=dict)


def history(
    model: WatchedModel, watched: WatchedTarget, mode: Mode, outcomes: Outcomes, until: datetime
) -> list[HistoryPoint]:
    """Return the history before `until`: by hour, or by day if it is longer than 48 hours.

    Days end at the hour of `until`. Metrics are those of one target.
    """
    stored = [
        (moment, hour.replace(sketch=hour.sketch.replace(features={}), segments={}))
        for moment, hour in stored_hours(model, "champion", mode, until - MAX_DAYS * _DAY, until)
        if hour.sketch is not None
    ]
    start = min((moment for moment, _ in stored), default=until)
    step = _HOUR if start >= until - MAX_HOURS * _HOUR else _DAY
    hours: dict[datetime, list[Hour]] = defaultdict(list)
    for moment, hour in stored:
        hours[_period_start(moment, until, step)].append(hour)
    labelled = _labelled_by_period(model, outcomes, start, until, step)
    return [
        _point(model, watched, moment, hours[moment], labelled.get(moment))
        for moment in sorted(hours)
    ]


def _period_start(moment: datetime, until: datetime, step: timedelta) -> datetime:
    return until + (moment - until) // step * step


def _labelled_by_period(
    model: WatchedModel, outcomes: Outcomes, start: datetime, until: datetime, step: timedelta
) -> Mapping[datetime, LabelledPredictions]:
    if not len(outcomes.ids):
        return {}
    chunks: dict[datetime, list[Predictions]] = defaultdict(list)
    for moment, predictions in stored_predictions(model, start, until):
        period = _period_start(moment, until, step)
        chunks[period].append(join(predictions, outcomes).predictions)
    return {moment: join(Predictions.merge(some), outcomes) for moment, some in chunks.items()}


def _point(
    model: WatchedModel,
    watched: WatchedTarget,
    moment: datetime,
    hours: Sequence[Hour],
    labelled: LabelledPredictions | None,
) -> HistoryPoint:
    sketch = sum_sketches(hour.sketch for hour in hours if hour.sketch is not None)
    if sketch is None:
        return HistoryPoint(moment.isoformat(), 0)
    errors = sum_histograms(hour.errors for hour in hours)
    references = model.baseline.scores
    realised: dict[str, Interval] = {}
    if labelled is not None:
        realised = realised_metrics(watched, with_finite_scores(watched, labelled))
    return HistoryPoint(
        time=moment.isoformat(),
        rows=sketch.rows,
        scores={
            name: quantiles(references[name], column)
            for name, column in sketch.scores.items()
            if column.present
        },
        realised=realised,
        estimated={
            name: normal_interval(one.value, one.deviation, sketch.rows)
            for name, one in estimated_metrics(model, watched, sketch, errors).items()
        },
    )


def quantiles(reference: Reference, column: Histogram) -> tuple[float, float, float]:
    """Return the 10 %, 50 % and 90 % quantiles, interpolated within each bin."""
    edges = np.array(reference.ruler.edges)
    if not edges.size:
        return (column.least or 0.0,) * 3
    cumulative = np.cumsum(column.counts) / sum(column.counts)
    low, middle, high = np.interp(QUANTILES, cumulative, edges).tolist()
    return low, middle, high
