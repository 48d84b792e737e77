"""A frame for a chart: two scales, their marks, and the words of those who cannot see it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Final

from functions.monitor.markup import element, text
from functions.monitor.wording import number

WIDTH: Final = 360
HEIGHT: Final = 190

_LEFT: Final = 44
_RIGHT: Final = 10
_TOP: Final = 8
_BOTTOM: Final = 24
_STEPS: Final = (1, 2, 2.5, 5, 10)
_LETTER: Final = 6.4
"""About how wide a letter is."""

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
