"""Charts of shares: inline SVG whose series differ in shape, not in colour alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Final

from functions.monitor.drift.histograms import REST, Picture
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
"""About how wide a letter is."""

_CATEGORIES: Final = 8
_ROW: Final = 36
_GROUP: Final = 34
type Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the values of a chart lie in its picture.

    Attributes
    ----------
    across, up : tuple of float
        The least and the greatest value of each axis.
    height : float
        Of the picture; `WIDTH` is its width.
    """

    across: Span
    up: Span
    height: float = HEIGHT

    def x(self, value: float) -> float:
        """Give the place of a value from left to right."""
        return round(_LEFT + _part(value, self.across) * (WIDTH - _LEFT - _RIGHT), 2)

    def y(self, value: float) -> float:
        """Give the place of a value from top to bottom."""
        return round(self.floor - _part(value, self.up) * (self.floor - _TOP), 2)

    @property
    def floor(self) -> float:
        """Where the axis lies."""
        return self.height - _BOTTOM

    def line(self, points: Iterable[tuple[float, float]], class_: str) -> str:
        """Draw a line through points of values."""
        places = " ".join(f"{self.x(a)},{self.y(b)}" for a, b in points)
        return element("polyline", points=places, class_=class_)

    def area(self, low: list[Span], high: list[Span], class_: str) -> str:
        """Draw what lies between two lines."""
        places = " ".join(f"{self.x(a)},{self.y(b)}" for a, b in [*low, *reversed(high)])
        return element("polygon", points=places, class_=class_)

    def grid(self, write: Callable[[float], str] = number) -> str:
        """Draw the marks of the axis that points up."""
        marks = []
        for tick in ticks(self.up):
            place = self.y(tick)
            marks.append(
                element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=place, y2=place, class_="grid")
            )
            marks.append(label(write(tick), _LEFT - 6, place + 4, "end"))
        return "".join(marks)

    def below(self, *marks: tuple[float, str]) -> str:
        """Write what stands below the axis: the ends at the ends, others in the middle."""
        return "".join(
            label(words, self.x(at), self.height - 6, _anchor(at, self.across))
            for at, words in marks
        )


def distribution(picture: Picture, key: str) -> str:
    """Draw how the values of a column are spread, in training and in the window."""
    return _categories(picture, key) if picture.labels else _numbers(picture, key)


def _numbers(picture: Picture, key: str) -> str:
    edges, top = picture.edges, max(*picture.before, *picture.after)
    plot = Plot((edges[0], edges[-1]), (0.0, top * 1.08))
    then, now = _steps(edges, picture.before), _steps(edges, picture.after)
    base = [(edges[0], 0.0), (edges[-1], 0.0)]
    middle = (edges[0] + edges[-1]) / 2
    return svg(
        key,
        f"{picture.name}: training and window",
        f"Share of the values in {len(picture.before)} equal parts from {number(edges[0])} to "
        f"{number(edges[-1])}. {_peak('Training', picture, picture.before)} "
        f"{_peak('Window', picture, picture.after)}",
        plot.grid(percent),
        plot.area(base, then, "then"),
        plot.area(base, now, "now"),
        plot.line(now, "edge"),
        "".join(_tips(plot, picture)),
        plot.below(*((at, number(at)) for at in (edges[0], middle, edges[-1]))),
    )


def _steps(edges: Sequence[float], shares: Sequence[float]) -> list[Span]:
    steps: list[Span] = []
    for place, share in enumerate(shares):
        steps += [(edges[place], share), (edges[place + 1], share)]
    return steps


def _peak(whose: str, picture: Picture, shares: Sequence[float]) -> str:
    place = max(range(len(shares)), key=lambda one: shares[one])
    low, high = picture.edges[place : place + 2]
    return f"{whose}: most, {percent(shares[place])}, from {number(low)} to {number(high)}."


def _tips(plot: Plot, picture: Picture) -> list[str]:
    """Lay over each part what a pointer that rests there is told."""
    return [
        element(
            "rect",
            element("title", text(_tip(picture, place))),
            x=plot.x(low),
            y=0,
            width=round(plot.x(picture.edges[place + 1]) - plot.x(low), 2),
            height=plot.floor,
            class_="tip",
        )
        for place, low in enumerate(picture.edges[:-1])
    ]


def _tip(picture: Picture, place: int) -> str:
    low, high = picture.edges[place : place + 2]
    then, now = percent(picture.before[place]), percent(picture.after[place])
    return f"{number(low)} to {number(high)}: training {then}, window {now}"


def _categories(picture: Picture, key: str) -> str:
    rows = _most(picture)
    top = max(max(then, now) for _, then, now in rows) or 1.0
    bars = []
    for place, (name, then, now) in enumerate(rows):
        y = place * _ROW + 2
        told = f"{percent(then)} \N{RIGHTWARDS ARROW} {percent(now)}"
        bars += [
            label(short(name, WIDTH - 110), 0, y + 11),
            label(told, WIDTH, y + 11, "end", "quiet"),
            element("rect", x=0, y=y + 16, width=_wide(then, top), height=6, class_="then"),
            element("rect", x=0.75, y=y + 24, width=_wide(now, top), height=5, class_="bar"),
        ]
    shares = "; ".join(f"{name}: {percent(a)}, then {percent(b)}" for name, a, b in rows)
    title = f"{picture.name}: training and window"
    return svg(key, title, shares, *bars, height=len(rows) * _ROW)


def _wide(share: float, top: float) -> float:
    return round(max(share / top * (WIDTH - 2), 0.5), 2)


def _most(picture: Picture) -> list[tuple[str, float, float]]:
    """Give the bars with the greatest shares or changes, and the sum of all others."""
    rows = list(zip(picture.labels, picture.before, picture.after, strict=True))
    named = [row for row in rows if row[0] != REST]
    moved = sorted(named, key=lambda row: -abs(row[2] - row[1]))[: _CATEGORIES // 2]
    great = sorted(named, key=lambda row: -max(row[1:]))
    kept = [*moved, *(row for row in great if row not in moved)][:_CATEGORIES]
    left = [row for row in rows if row not in kept]
    shown = [row for row in great if row in kept]
    if left:
        shown.append((REST, sum(row[1] for row in left), sum(row[2] for row in left)))
    return shown


def rates(found: Mapping[str, Interval], title: str, key: str) -> str:
    """Draw a rate of each group, with its interval."""
    top = max((one.high for one in found.values() if isfinite(one.high)), default=1.0)
    plot = Plot((0.0, min(1.0, top * 1.05) or 1.0), (0.0, 1.0))
    rows = []
    for place, (name, one) in enumerate(found.items()):
        y = place * _GROUP + 14
        rows += [label(short(name, WIDTH - 60), 0, y), label(percent(one.value), WIDTH, y, "end")]
        if isfinite(one.value):
            rows += _whisker(plot, one, y + 10)
    told = "; ".join(f"{name}: {interval(one)}" for name, one in found.items())
    return svg(key, title, told, *rows, height=len(found) * _GROUP + 4)


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
    """Write a picture, with what it is and what it shows for those who cannot see it.

    Parameters
    ----------
    key : str
        A name that no other picture of the document has.
    title, description : str
        Plain text.
    content : str
        Markup.
    height : float, optional
        Of the picture.
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
    """Write plain text at a place."""
    return element("text", text(words), x=x, y=round(y, 2), text_anchor=anchor, class_=class_)


def short(words: str, width: float) -> str:
    """Cut words that are wider than there is room."""
    most = int(width / _LETTER)
    return words if len(words) <= most else f"{words[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def ticks(span: Span, most: int = 4) -> list[float]:
    """Give round values within a span."""
    low, high = span
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(one * power for one in _STEPS if one * power >= rough * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def around(values: Iterable[float], share: float = 0.12) -> Span:
    """Give a span that holds all finite values, with some room."""
    known = [value for value in values if isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * share or abs(high) * share or 1.0
    return low - room, high + room


def _part(value: float, span: Span) -> float:
    low, high = span
    return (value - low) / (high - low) if high > low else 0.5


def _anchor(at: float, span: Span) -> str:
    return "start" if at <= span[0] else "end" if at >= span[1] else "middle"
