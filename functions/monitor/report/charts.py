"""Charts of shares: inline SVG whose series differ in shape, not in colour alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Final

from functions.monitor.drift.histograms import OTHERS, HistogramPair
from functions.monitor.report.markup import element, text
from functions.monitor.report.wording import interval, number, percent
from functions.monitor.statistics.intervals import Interval

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
