"""Charts of shares, and over time: inline SVG whose series differ in shape, not in colour alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, isfinite, log10
from typing import Final

from functions.monitor.drift.histograms import OTHERS, HistogramPair
from functions.monitor.performance.history import HistoryPoint
from functions.monitor.report.markup import element, text
from functions.monitor.report.wording import (
    format_time,
    interval,
    metric_name,
    number,
    percent,
    plural,
)
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

WIDTH: Final = 360
HEIGHT: Final = 190
_LEFT: Final = 44
_RIGHT: Final = 10
_TOP: Final = 8
_BOTTOM: Final = 24
_STEPS: Final = (1, 2, 2.5, 5, 10)

_LETTER: Final = 6.4
"""The approximate width of a letter."""

_CATEGORIES: Final = 8
_ROW: Final = 36
_GROUP: Final = 34
type Span = tuple[float, float]
type TimedMetric = tuple[float, Interval]
"""A time in seconds since 1970, and a metric."""

_DOT: Final = 3.5


@dataclass(frozen=True, slots=True)
class Plot:
    """The coordinates of a chart.

    Attributes
    ----------
    across, up : tuple of float
        The range of each axis.
    height : float
        The height; the width is `WIDTH`.
    """

    across: Span
    up: Span
    height: float = HEIGHT

    def x(self, value: float) -> float:
        """Return the horizontal coordinate of a value."""
        return round(_LEFT + _part(value, self.across) * (WIDTH - _LEFT - _RIGHT), 2)

    def y(self, value: float) -> float:
        """Return the vertical coordinate of a value."""
        return round(self.floor - _part(value, self.up) * (self.floor - _TOP), 2)

    @property
    def floor(self) -> float:
        """The vertical coordinate of the horizontal axis."""
        return self.height - _BOTTOM

    def line(self, points: Iterable[tuple[float, float]], class_: str) -> str:
        """Draw a line through points."""
        coordinates = " ".join(f"{self.x(a)},{self.y(b)}" for a, b in points)
        return element("polyline", points=coordinates, class_=class_)

    def area(self, low: list[Span], high: list[Span], class_: str) -> str:
        """Draw the area between two lines."""
        coordinates = " ".join(f"{self.x(a)},{self.y(b)}" for a, b in [*low, *reversed(high)])
        return element("polygon", points=coordinates, class_=class_)

    def grid(self, write: Callable[[float], str] = number) -> str:
        """Draw the grid and the labels of the vertical axis."""
        marks = []
        for tick in ticks(self.up):
            place = self.y(tick)
            marks.append(
                element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=place, y2=place, class_="grid")
            )
            marks.append(label(write(tick), _LEFT - 6, place + 4, "end"))
        return "".join(marks)

    def below(self, *marks: tuple[float, str]) -> str:
        """Write the labels of the horizontal axis: those at its ends are aligned with them."""
        return "".join(
            label(words, self.x(at), self.height - 6, _anchor(at, self.across))
            for at, words in marks
        )


def distribution(pair: HistogramPair, key: str) -> str:
    """Draw the histograms of a column in training and in the window."""
    return _categories(pair, key) if pair.labels else _numbers(pair, key)


def _numbers(pair: HistogramPair, key: str) -> str:
    edges, top = pair.edges, max(*pair.before, *pair.after)
    plot = Plot((edges[0], edges[-1]), (0.0, top * 1.08))
    then, now = _steps(edges, pair.before), _steps(edges, pair.after)
    base = [(edges[0], 0.0), (edges[-1], 0.0)]
    middle = (edges[0] + edges[-1]) / 2
    return svg(
        key,
        f"{pair.name}: training and window",
        f"Share of the values in {len(pair.before)} equal bars from {number(edges[0])} to "
        f"{number(edges[-1])}. {_peak('Training', pair, pair.before)} "
        f"{_peak('Window', pair, pair.after)}",
        plot.grid(percent),
        plot.area(base, then, "then"),
        plot.area(base, now, "now"),
        plot.line(now, "edge"),
        "".join(_tips(plot, pair)),
        plot.below(*((at, number(at)) for at in (edges[0], middle, edges[-1]))),
    )


def _steps(edges: Sequence[float], shares: Sequence[float]) -> list[Span]:
    steps: list[Span] = []
    for place, share in enumerate(shares):
        steps += [(edges[place], share), (edges[place + 1], share)]
    return steps


def _peak(side: str, pair: HistogramPair, shares: Sequence[float]) -> str:
    place = max(range(len(shares)), key=lambda one: shares[one])
    low, high = pair.edges[place : place + 2]
    return (
        f"{side}: the highest, {percent(shares[place])}, is from {number(low)} to {number(high)}."
    )


def _tips(plot: Plot, pair: HistogramPair) -> list[str]:
    """Overlay each bar with its tooltip."""
    return [
        element(
            "rect",
            element("title", text(_tip(pair, place))),
            x=plot.x(low),
            y=0,
            width=round(plot.x(pair.edges[place + 1]) - plot.x(low), 2),
            height=plot.floor,
            class_="tip",
        )
        for place, low in enumerate(pair.edges[:-1])
    ]


def _tip(pair: HistogramPair, place: int) -> str:
    low, high = pair.edges[place : place + 2]
    then, now = percent(pair.before[place]), percent(pair.after[place])
    return f"{number(low)} to {number(high)}: training {then}, window {now}"


def _categories(pair: HistogramPair, key: str) -> str:
    rows = _bars(pair)
    top = max(max(then, now) for _, then, now in rows) or 1.0
    bars = []
    for place, (name, then, now) in enumerate(rows):
        y = place * _ROW + 2
        change = f"{percent(then)} \N{RIGHTWARDS ARROW} {percent(now)}"
        bars += [
            label(short(name, WIDTH - 110), 0, y + 11),
            label(change, WIDTH, y + 11, "end", "quiet"),
            element("rect", x=0, y=y + 16, width=_wide(then, top), height=6, class_="then"),
            element("rect", x=0.75, y=y + 24, width=_wide(now, top), height=5, class_="bar"),
        ]
    shares = "; ".join(
        f"{name}: training {percent(then)}, window {percent(now)}" for name, then, now in rows
    )
    title = f"{pair.name}: training and window"
    return svg(key, title, shares, *bars, height=len(rows) * _ROW)


def _wide(share: float, top: float) -> float:
    return round(max(share / top * (WIDTH - 2), 0.5), 2)


def _bars(pair: HistogramPair) -> list[tuple[str, float, float]]:
    """Return the bars with the greatest shares or changes, and the sum of all others."""
    rows = list(zip(pair.labels, pair.before, pair.after, strict=True))
    named = [row for row in rows if row[0] != OTHERS]
    changed = sorted(named, key=lambda row: -abs(row[2] - row[1]))[: _CATEGORIES // 2]
    by_share = sorted(named, key=lambda row: -max(row[1:]))
    chosen = [*changed, *(row for row in by_share if row not in changed)][:_CATEGORIES]
    others = [row for row in rows if row not in chosen]
    drawn = [row for row in by_share if row in chosen]
    if others:
        drawn.append((OTHERS, sum(row[1] for row in others), sum(row[2] for row in others)))
    return drawn


def rates(by_group: Mapping[str, Interval], title: str, key: str) -> str:
    """Draw the rate of each group with its interval."""
    top = max((one.high for one in by_group.values() if isfinite(one.high)), default=1.0)
    plot = Plot((0.0, min(1.0, top * 1.05) or 1.0), (0.0, 1.0))
    rows = []
    for place, (name, one) in enumerate(by_group.items()):
        y = place * _GROUP + 14
        rows += [label(short(name, WIDTH - 60), 0, y), label(percent(one.value), WIDTH, y, "end")]
        if isfinite(one.value):
            rows += _whisker(plot, one, y + 10)
    description = "; ".join(f"{name}: {interval(one)}" for name, one in by_group.items())
    return svg(key, title, description, *rows, height=len(by_group) * _GROUP + 4)


def _whisker(plot: Plot, one: Interval, y: float) -> list[str]:
    left, right = (
        round(part / plot.across[1] * (WIDTH - 8) + 4, 2) for part in (one.low, one.high)
    )
    at = round(one.value / plot.across[1] * (WIDTH - 8) + 4, 2)
    return [
        element("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="grid"),
        element("line", x1=left, x2=right, y1=y, y2=y, class_="error"),
        element("circle", element("title", text(interval(one))), cx=at, cy=y, r=4, class_="dot"),
    ]


def svg(key: str, title: str, description: str, *content: str, height: float = HEIGHT) -> str:
    """Write a chart, with a title and a description for screen readers.

    Parameters
    ----------
    key : str
        An id that no other chart of the page has.
    title, description : str
        Plain text.
    content : str
        Markup.
    height : float, optional
        The height.
    """
    return element(
        "svg",
        element("title", text(title), id=f"{key}-title"),
        element("desc", text(description), id=f"{key}-desc"),
        *content,
        viewBox=f"0 0 {WIDTH} {round(height, 2)}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def label(words: str, x: float, y: float, anchor: str = "start", class_: str | None = None) -> str:
    """Write plain text at a point."""
    return element("text", text(words), x=x, y=round(y, 2), text_anchor=anchor, class_=class_)


def short(words: str, width: float) -> str:
    """Truncate words to a width."""
    most = int(width / _LETTER)
    return words if len(words) <= most else f"{words[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def ticks(span: Span, most: int = 4) -> list[float]:
    """Return round values within a span."""
    low, high = span
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(one * power for one in _STEPS if one * power >= rough * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def padded(values: Iterable[float], share: float = 0.12) -> Span:
    """Return a span that contains all finite values, with a margin."""
    finite = [value for value in values if isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = (high - low) * share or abs(high) * share or 1.0
    return low - margin, high + margin


def _part(value: float, span: Span) -> float:
    low, high = span
    return (value - low) / (high - low) if high > low else 0.5


def _anchor(at: float, span: Span) -> str:
    return "start" if at <= span[0] else "end" if at >= span[1] else "middle"


def scores_over_time(history: Sequence[HistoryPoint], name: str, key: str) -> str:
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


def volume_over_time(history: Sequence[HistoryPoint], key: str) -> str:
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


def performance_over_time(
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
