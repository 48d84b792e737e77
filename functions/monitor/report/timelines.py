"""Charts over time: inline SVG whose series differ in shape, not in colour alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Final

from functions.monitor.performance.history import HistoryPoint
from functions.monitor.report.charts import Plot, Span, padded, svg
from functions.monitor.report.markup import element, text
from functions.monitor.report.wording import format_time, interval, metric_name, number, plural
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

type TimedMetric = tuple[float, Interval]
"""A time in seconds since 1970, and a metric."""

_DOT: Final = 3.5


def scores(history: Sequence[HistoryPoint], name: str, key: str) -> str:
    """Draw the 10 %, 50 % and 90 % quantiles of a score over time."""
    points = [(_time(one), one.scores[name]) for one in history if name in one.scores]
    points = [(at, quantiles) for at, quantiles in points if all(map(isfinite, quantiles))]
    plot = Plot(_times(points), _scale([value for _, three in points for value in three]))
    middle = [(at, median) for at, (_, median, _) in points]
    last = points[-1][1]
    return svg(
        key,
        f"{name} over time",
        f"Band from the 10 % to the 90 % quantile, line at the median. Latest: "
        f"{number(last[0])}, {number(last[1])}, {number(last[2])}.",
        plot.grid(),
        plot.area([(at, low) for at, (low, _, _) in points],
                  [(at, high) for at, (_, _, high) in points], "band"),
        plot.line(middle, "edge"),
        *(_dot(plot, at, value, number(value)) for at, value in middle),
        plot.below(*_ends(history)),
    )  # fmt: skip


def volume(history: Sequence[HistoryPoint], key: str) -> str:
    """Draw the number of predictions over time."""
    most = max((one.rows for one in history), default=0) or 1
    plot = Plot((0.0, float(len(history))), (0.0, most * 1.08))
    wide = (plot.x(1) - plot.x(0)) * 0.8
    bars = [
        element(
            "rect",
            element("title", text(f"{format_time(one.time)}: {plural(one.rows, 'prediction')}")),
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
        f"From {format_time(first)} to {format_time(last)}: at most {plural(most, 'prediction')}, "
        f"{plural(sum(one.rows for one in history), 'prediction')} in total.",
        plot.grid(),
        *bars,
        plot.below((0.0, _day(first)), (float(len(history)), _day(last))),
    )


def performance(
    history: Sequence[HistoryPoint], name: str, trained: MetricInterval | None, key: str
) -> str:
    """Draw a metric over time: realised with its interval, estimated as a band, trained as a line.

    Parameters
    ----------
    history : sequence of HistoryPoint
        At least one point has the metric.
    name : str
        The name of the metric.
    trained : MetricInterval or None
        The metric in training.
    key : str
        An id that no other chart of the page has.
    """
    realised = _timed({one.time: one.realised for one in history}, name)
    estimated = _timed({one.time: one.estimated for one in history}, name)
    metrics = [one for _, one in [*realised, *estimated]]
    values = [value for one in metrics for value in (one.low, one.value, one.high)]
    if trained is not None:
        values += [trained.low, trained.high]
    plot = Plot(_times([(_time(one), None) for one in history]), padded(values))
    return svg(
        key,
        f"{metric_name(name)} over time",
        _description(realised, estimated, trained),
        plot.grid(),
        _training_line(plot, trained),
        _band(plot, estimated),
        *(_bar(plot, at, one) for at, one in realised),
        plot.below(*_ends(history)),
    )


def _timed(by_time: Mapping[str, Mapping[str, Interval]], name: str) -> list[TimedMetric]:
    return [
        (datetime.fromisoformat(time).timestamp(), metrics[name])
        for time, metrics in by_time.items()
        if name in metrics and isfinite(metrics[name].value)
    ]


def _description(
    realised: list[TimedMetric],
    estimated: list[TimedMetric],
    trained: MetricInterval | None,
) -> str:
    sentences = []
    for kind, metrics in (("realised", realised), ("estimated", estimated)):
        if metrics:
            sentences.append(f"Latest {kind}: {interval(metrics[-1][1])}.")
    if trained is not None:
        sentences.append(f"In training: {interval(trained)}.")
    return " ".join(sentences)


def _training_line(plot: Plot, trained: MetricInterval | None) -> str:
    if trained is None:
        return ""
    low, high = plot.across
    return plot.area(
        [(low, trained.low), (high, trained.low)],
        [(low, trained.high), (high, trained.high)],
        "then",
    ) + plot.line([(low, trained.value), (high, trained.value)], "trained")


def _band(plot: Plot, estimated: list[TimedMetric]) -> str:
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


def _dot(plot: Plot, at: float, value: float, label: str) -> str:
    title = element("title", text(label))
    return element("circle", title, cx=plot.x(at), cy=plot.y(value), r=_DOT, class_="dot")


def _time(one: HistoryPoint) -> float:
    return datetime.fromisoformat(one.time).timestamp()


def _times(points: Sequence[tuple[float, object]]) -> Span:
    return points[0][0], points[-1][0]


def _ends(history: Sequence[HistoryPoint]) -> list[tuple[float, str]]:
    ends = history[:1] if len(history) == 1 else [history[0], history[-1]]
    return [(_time(one), _day(one.time)) for one in ends]


def _day(time: str) -> str:
    return f"{datetime.fromisoformat(time):%d %b %H:%M}".lstrip("0")


def _scale(values: Sequence[float]) -> Span:
    """Return 0 to 1 for probabilities, else the range of the values."""
    if min(values) >= 0 and max(values) <= 1:
        return 0.0, 1.0
    return padded(values)
