"""A run of the monitor: count, add up, compare, measure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from functions.monitor.counting.hours import count
from functions.monitor.counting.windows import Sum, summed
from functions.monitor.drift.compare import Findings, compare
from functions.monitor.drift.histograms import pictures
from functions.monitor.drift.verdict import Gate
from functions.monitor.outcomes import HORIZON, answered, evidence, gather
from functions.monitor.performance.fairness import groups
from functions.monitor.performance.history import history
from functions.monitor.performance.measure import performance
from functions.monitor.results import Comparison, Results, Window
from functions.monitor.targets import aims
from functions.monitor.watched_model import Notice, Subject, unheard
from sklambda.baseline import Baseline
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
    records: Storage,
    package: ModelPackage,
    baseline: Baseline,
    watching: Watching,
    until: datetime,
    made: datetime,
    notice: Notice = unheard,
) -> Results:
    """Judge the window that ends with the hour before `until`.

    Hours of the window, and of that before it, which are not counted yet are counted; so are
    outcomes. Run again it gives the same, as long as nothing arrives.

    Parameters
    ----------
    records : Storage
        Holds captures and outcomes; what is counted of them is kept there too.
    package : ModelPackage
        The model.
    baseline : Baseline
        What it is compared with.
    watching : Watching
        What to look at.
    until : datetime
        Where the window ends, down to the whole hour.
    made : datetime
        The present moment.
    notice : callable, optional
        Is told the key of each damaged object.

    Returns
    -------
    Results
        All but the traffic, the diagnosis and the call for retraining. Performance counts the
        predictions of the window, and older ones whose outcome came in it.
    """
    subject = Subject(records, package, baseline, watching, notice, ErrorModel.open(package))
    return _judge(subject, whole_hour(until), made)


def _judge(subject: Subject, stop: datetime, made: datetime) -> Results:
    span = timedelta(hours=subject.watching.window_hours)
    start = stop - span
    for hour in hours(start - span, stop):
        count(subject, hour)
    window = summed(subject, start, stop)
    comparisons = list(_comparisons(subject, window, start, stop))
    truths = gather(subject, stop - HORIZON, max(made, stop) + _HOUR)
    answers = answered(subject, start, stop)
    known = evidence(subject, answers, truths, start, stop)
    targets = aims(subject.signature.target)
    return Results(
        model=subject.package.manifest.name,
        model_id=subject.id,
        made=made.isoformat(),
        window=_window(window, start, stop),
        state=comparisons[0].findings.state,
        comparisons=comparisons,
        performance=[performance(subject, aim, window, known) for aim in targets],
        groups=list(groups(subject, targets[0], answers, known)),
        history=history(subject, targets[0], window.sketch.mode, truths, stop),
        pictures=pictures(subject.signature, subject.baseline, window.sketch),
    )


def _comparisons(
    subject: Subject, window: Sum, start: datetime, stop: datetime
) -> Iterator[Comparison]:
    """Compare with training, with other times, with the challenger; then the segments.

    A segment is compared with itself in the window before: of training it is not known apart.
    """
    span, mode = stop - start, window.sketch.mode
    yield Comparison("training", _compare(subject, window.sketch))
    if not window.rows:
        return
    previous = summed(subject, start - span, start, mode=mode)
    others = {"previous": previous}
    if span < _WEEK:
        others["last week"] = summed(subject, start - _WEEK, stop - _WEEK, mode=mode)
    for name, other in others.items():
        if other.rows:
            yield Comparison(name, _compare(subject, window.sketch, other.sketch))
    challenger = summed(subject, start, stop, role="challenger", mode=mode)
    if challenger.rows:
        yield Comparison("challenger", _compare(subject, challenger.sketch, window.sketch))
    for name, part in sorted(window.segments.items()):
        if (before := previous.segments.get(name)) is not None:
            yield Comparison(name, _compare(subject, part, before))


def _compare(subject: Subject, window: Sketch, other: Sketch | None = None) -> Findings:
    watching = subject.watching
    gate = Gate(watching.effect, watching.points, watching.rate, watching.enough)
    return compare(subject.signature, subject.baseline, window, other, gate)


def _window(window: Sum, start: datetime, stop: datetime) -> Window:
    return Window(
        start=start.isoformat(),
        stop=stop.isoformat(),
        rows=window.rows,
        hours=window.hours,
        late=window.late,
        mode=window.sketch.mode if window.rows else "",
    )
