"""Judging a window: its hours are counted, compared with references, and measured by outcomes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from functions.monitor.counting.hours import WindowCounts, count_hour, count_window
from functions.monitor.drift.compare import Findings, compare
from functions.monitor.drift.histograms import histogram_pairs
from functions.monitor.drift.verdict import Thresholds
from functions.monitor.outcomes import (
    HORIZON,
    champion_predictions,
    collect_outcomes,
    labelled_predictions,
    resolve_rows,
)
from functions.monitor.performance.fairness import column_fairness
from functions.monitor.performance.history import history
from functions.monitor.performance.measure import measure
from functions.monitor.results import Comparison, Results, Window
from functions.monitor.targets import watched_targets
from functions.monitor.watched_model import OnDamaged, WatchedModel, ignore_damaged
from sklambda.error_model import ErrorModel
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.layout import hours, whole_hour
from sklambda.sketch.sketch import Sketch
from sklambda.storage import Storage

_HOUR: Final = timedelta(hours=1)
_WEEK: Final = timedelta(days=7)


def judge(
    storage: Storage,
    package: ModelPackage,
    baseline: Baseline,
    watching: Watching,
    until: datetime,
    now: datetime,
    on_damaged: OnDamaged = ignore_damaged,
) -> Results:
    """Judge the window that ends with the hour before `until`.

    Hours of the window and of the window before are counted if they were not yet, and outcomes
    are collected. A repeated run returns the same results unless new objects arrive.

    Parameters
    ----------
    storage : Storage
        Captures and outcomes; counts are stored there too.
    package : ModelPackage
        The model.
    baseline : Baseline
        The distributions and metrics of training.
    watching : Watching
        The ``[monitor]`` table of the training configuration.
    until : datetime
        The end of the window, rounded down to the hour.
    now : datetime
        The time of the run.
    on_damaged : callable, optional
        Gets the key of each damaged object.

    Returns
    -------
    Results
        Without traffic, diagnosis and the retraining decision. Performance counts the predictions
        of the window, and earlier ones that were labelled in it.
    """
    error_model = ErrorModel.open(package)
    model = WatchedModel(storage, package, baseline, watching, on_damaged, error_model)
    return _judge(model, whole_hour(until), now)


def _judge(model: WatchedModel, stop: datetime, now: datetime) -> Results:
    span = timedelta(hours=model.watching.window_hours)
    start = stop - span
    for hour in hours(start - span, stop):
        count_hour(model, hour)
    window = count_window(model, start, stop)
    comparisons = list(_comparisons(model, window, start, stop))
    collected = collect_outcomes(model, stop - HORIZON, max(now, stop) + _HOUR)
    outcomes = resolve_rows(model, collected, whole_hour(stop - HORIZON), stop)
    predictions = champion_predictions(model, start, stop)
    labelled = labelled_predictions(model, predictions, outcomes, start, stop)
    targets = watched_targets(model.signature.target)
    return Results(
        model=model.package.manifest.name,
        model_id=model.id,
        made=now.isoformat(),
        window=_window(window, start, stop),
        state=comparisons[0].findings.state,
        comparisons=comparisons,
        performance=[measure(model, one, window, labelled) for one in targets],
        groups=list(column_fairness(model, targets[0], predictions, labelled)),
        history=history(model, targets[0], window.sketch.mode, outcomes, stop),
        pictures=histogram_pairs(model.signature, model.baseline, window.sketch),
    )


def _comparisons(
    model: WatchedModel, window: WindowCounts, start: datetime, stop: datetime
) -> Iterator[Comparison]:
    """Compare with training, earlier windows, and the challenger; then the segments.

    A segment is compared with itself in the window before: the baseline has no segments.
    """
    span, mode = stop - start, window.sketch.mode
    yield Comparison("training", _compare(model, window.sketch))
    if not window.rows:
        return
    previous = count_window(model, start - span, start, mode=mode)
    earlier = {"previous": previous}
    if span < _WEEK:
        earlier["last week"] = count_window(model, start - _WEEK, stop - _WEEK, mode=mode)
    for name, other in earlier.items():
        if other.rows:
            yield Comparison(name, _compare(model, window.sketch, other.sketch))
    challenger = count_window(model, start, stop, role="challenger", mode=mode)
    if challenger.rows:
        yield Comparison("challenger", _compare(model, challenger.sketch, window.sketch))
    for name, segment in sorted(window.segments.items()):
        if (before := previous.segments.get(name)) is not None:
            yield Comparison(name, _compare(model, segment, before))


def _compare(model: WatchedModel, window: Sketch, other: Sketch | None = None) -> Findings:
    watching = model.watching
    thresholds = Thresholds(watching.effect, watching.points, watching.rate, watching.enough)
    return compare(model.signature, model.baseline, window, other, thresholds)


def _window(window: WindowCounts, start: datetime, stop: datetime) -> Window:
    return Window(
        start=start.isoformat(),
        stop=stop.isoformat(),
        rows=window.rows,
        hours=window.hours,
        late=window.late,
        mode=window.sketch.mode if window.rows else "",
    )
