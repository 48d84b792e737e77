"""Pictures of what came to pass: inline SVG, told apart by shape, and not by colour alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Final

from functions.monitor.performance.history import Point
from functions.monitor.report.charts import Plot, Span, around, svg
from functions.monitor.report.markup import element, text
from functions.monitor.report.wording import interval, metric, moment, number, several
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

type Figure = tuple[float, Interval]  # a metric at a time

_DOT: Final = 3.5


def scores(history: Sequence[Point], name: str, key: str) -> str:
    """Draw the 10 %, 50 % and 90 % quantiles of a score over time."""
    points = [(_time(one), one.scores[name]) for one in history if name in one.scores]
    points = [(at, found) for at, found in points if all(map(isfinite, found))]
    plot = Plot(_times(points), _scale([value for _, found in points for value in found]))
    middle = [(at, found[1]) for at, found in points]
    last = points[-1][1]
    return svg(
        key,
        f"{name} over time",
        f"Band from the 10 % to the 90 % quantile, line at the median. In the end: "
        f"{number(last[0])}, {number(last[1])}, {number(last[2])}.",
        plot.grid(),
        plot.area([(at, low) for at, (low, _, _) in points],
                  [(at, high) for at, (_, _, high) in points], "band"),
        plot.line(middle, "edge"),
        *(_dot(plot, at, value, number(value)) for at, value in middle),
        plot.below(*_ends(history)),
    )  # fmt: skip


def volume(history: Sequence[Point], key: str) -> str:
    """Draw how many predictions there were over time."""
    most = max((one.rows for one in history), default=0) or 1
    plot = Plot((0.0, float(len(history))), (0.0, most * 1.08))
    wide = (plot.x(1) - plot.x(0)) * 0.8
    bars = [
        element(
            "rect",
            element("title", text(f"{moment(one.time)}: {several(one.rows, 'prediction')}")),
            x=round(plot.x(place) + wide / 8, 2),
            y=plot.y(one.rows),
            width=round(wide, 2),
            height=round(plot.floor - plot.y(one.rows), 2),
            class_="bar",
        )
        for place, one in enumerate(history)
    ]
    first, last = history[0].time, history[-1].time
    return svg(
        key,
        "Predictions over time",
        f"From {moment(first)} to {moment(last)}: at most {several(most, 'prediction')}, "
        f"{several(sum(one.rows for one in history), 'prediction')} in all.",
        plot.grid(),
        *bars,
        plot.below((0.0, _day(first)), (float(len(history)), _day(last))),
    )


def performance(
    history: Sequence[Point], name: str, trained: MetricInterval | None, key: str
) -> str:
    """Draw a metric over time: realised with its interval, estimated as a band, trained as a line.

    Parameters
    ----------
    history : sequence of Point
        At least one of which has the metric.
    name : str
        The metric.
    trained : MetricInterval or None
        What it was in training.
    key : str
        A name that no other picture of the document has.
    """
    realised = _figures({one.time: one.realised for one in history}, name)
    estimated = _figures({one.time: one.estimated for one in history}, name)
    every = [part for _, one in [*realised, *estimated] for part in (one.low, one.value, one.high)]
    if trained is not None:
        every += [trained.low, trained.high]
    plot = Plot(_times([(_time(one), None) for one in history]), around(every))
    return svg(
        key,
        f"{metric(name)} over time",
        _told(realised, estimated, trained),
        plot.grid(),
        _line_of_training(plot, trained),
        _band(plot, estimated),
        *(_bar(plot, at, one) for at, one in realised),
        plot.below(*_ends(history)),
    )


def _figures(found: Mapping[str, Mapping[str, Interval]], name: str) -> list[Figure]:
    return [
        (datetime.fromisoformat(time).timestamp(), figures[name])
        for time, figures in found.items()
        if name in figures and isfinite(figures[name].value)
    ]


def _told(
    realised: list[Figure],
    estimated: list[Figure],
    trained: MetricInterval | None,
) -> str:
    told = []
    for kind, found in (("Realised", realised), ("Estimated", estimated)):
        if found:
            told.append(f"{kind} in the end: {interval(found[-1][1])}.")
    if trained is not None:
        told.append(f"In training: {interval(trained)}.")
    return " ".join(told)


def _line_of_training(plot: Plot, trained: MetricInterval | None) -> str:
    if trained is None:
        return ""
    low, high = plot.across
    return plot.area(
        [(low, trained.low), (high, trained.low)],
        [(low, trained.high), (high, trained.high)],
        "then",
    ) + plot.line([(low, trained.value), (high, trained.value)], "trained")


def _band(plot: Plot, estimated: list[Figure]) -> str:
    if not estimated:
        return ""
    low = [(at, one.low) for at, one in estimated]
    high = [(at, one.high) for at, one in estimated]
    return plot.area(low, high, "band") + plot.line(
        [(at, one.value) for at, one in estimated], "estimated"
    )


def _bar(plot: Plot, at: float, one: Interval) -> str:
    x = plot.x(at)
    line = element("line", x1=x, x2=x, y1=plot.y(one.low), y2=plot.y(one.high), class_="error")
    return line + _dot(plot, at, one.value, interval(one))


def _dot(plot: Plot, at: float, value: float, told: str) -> str:
    title = element("title", text(told))
    return element("circle", title, cx=plot.x(at), cy=plot.y(value), r=_DOT, class_="dot")


def _time(one: Point) -> float:
    return datetime.fromisoformat(one.time).timestamp()


def _times(points: Sequence[tuple[float, object]]) -> Span:
    return points[0][0], points[-1][0]


def _ends(history: Sequence[Point]) -> list[tuple[float, str]]:
    ends = history[:1] if len(history) == 1 else [history[0], history[-1]]
    return [(_time(one), _day(one.time)) for one in ends]


def _day(time: str) -> str:
    return f"{datetime.fromisoformat(time):%d %b %H:%M}".lstrip("0")


def _scale(values: Sequence[float]) -> Span:
    """Show probabilities from 0 to 1, all else where it is."""
    if min(values) >= 0 and max(values) <= 1:
        return 0.0, 1.0
    return around(values)
