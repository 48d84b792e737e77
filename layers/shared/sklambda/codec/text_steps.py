"""Changes of a text, and what it is read as: a category, a number, a length, a date, a hash."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import inf, nan
from typing import Any, Final

from sklambda.signature import UNSEEN, TermCounts, TextStep

type Text = str | None
type Step = Callable[..., Text]

_METHODS: Final = (
    "capitalize casefold lower lstrip removeprefix removesuffix replace rstrip strip swapcase "
    "title upper zfill"
)


def _search(text: str, pattern: str, group: int) -> Text:
    found = re.search(pattern, text)
    return None if found is None else found.group(group)


def _part(text: str, separator: Text, most: int, place: int) -> Text:
    parts = text.split(separator, most)
    return parts[place] if -len(parts) <= place < len(parts) else None


def _last_part(text: str, separator: Text, most: int, place: int) -> Text:
    parts = text.rsplit(separator, most)
    return parts[place] if -len(parts) <= place < len(parts) else None


def _character(text: str, place: int) -> Text:
    return text[place] if -len(text) <= place < len(text) else None


def _marks(count: int) -> str:
    return "x" * count


STEPS: Final[Mapping[str, Step]] = {
    **{name: getattr(str, name) for name in _METHODS.split()},
    "character": _character,
    "coerce": lambda text: _coerced(text),
    "exchange": lambda text, old, new: new if text == old else text,
    "date": lambda text, form: _date(text, form),
    "last_part": _last_part,
    "marks": lambda text, pattern: _marks(len(re.findall(pattern, text))),
    "part": _part,
    "parts": lambda text, separator, most: _marks(len(text.split(separator, most))),
    "search": _search,
    "slice": lambda text, start, stop, step: text[slice(start, stop, step)],
    "squeeze": lambda text, between: between.join(text.split()),
    "sub": lambda text, pattern, other: re.sub(pattern, other, text),
}
"""Steps of a text by name. None of a text goes on as none, as pandas' NaN does."""

FILL: Final = "fill"
"""The step that makes a text of none."""


def stepper(steps: Sequence[TextStep]) -> Callable[[Text], Text]:
    """Return the function that applies steps in order to a text, or to none."""
    if not steps:
        return lambda text: text
    calls = [(None if step.name == FILL else STEPS[step.name], step.arguments) for step in steps]

    def prepare(text: Text) -> Text:
        for apply, arguments in calls:
            if apply is None:
                text = str(arguments[0]) if text is None else text
            elif text is not None:
                text = apply(text, *arguments)
        return text

    return prepare


_DIRECTIVES: Final = {
    "%Y": r"(?P<year>\d{4})",
    "%m": r"(?P<month>\d{1,2})",
    "%d": r"(?P<day>\d{1,2})",
    "%H": r"(?P<hour>\d{1,2})",
    "%M": r"(?P<minute>\d{1,2})",
    "%S": r"(?P<second>\d{1,2})",
}
_ISO: Final = (
    r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
    r"(?:[ T](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?"
)


@lru_cache
def pattern_of(form: Text) -> str | None:
    """Return the regular expression of a date's format, of ISO 8601 without one; None if unknown.

    Without a format pandas takes the month first where it may be, so only ISO 8601 is certain.
    """
    if form is None:
        return _ISO
    parts = re.split("(%.)", form)
    known = [_DIRECTIVES.get(part) if part[:1] == "%" else re.escape(part) for part in parts]
    named = [part for part in parts if part[:1] == "%"]
    if None in known or len(set(named)) != len(named) or not {"%Y", "%m", "%d"} <= set(named):
        return None
    return "".join(part for part in known if part is not None)


def _date(text: str, form: Text) -> Text:
    """Return a date as ISO 8601 has it; "?" where it is none, or may be one."""
    found = re.fullmatch(pattern_of(form) or "", text, re.ASCII)
    if found is None:
        return "?"
    parts = {name: int(value or 0) for name, value in found.groupdict().items()}
    try:
        return datetime(**parts, tzinfo=UTC).isoformat()
    except ValueError:
        return "?"


_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", re.ASCII)
_INFINITE: Final = re.compile(r"\s*[+-]?inf(inity)?\s*", re.IGNORECASE)
_DIGITS: Final = 15


def _number(text: Text) -> float:
    """Return the number that a text is; infinite where it is none, or none that is certain.

    Up to 15 digits, every parser finds the same float64.
    """
    if text is None or text.strip().lower() == "nan":
        return nan
    found = _NUMBER.fullmatch(text)
    certain = found is not None and sum(map(str.isdigit, text)) <= _DIGITS
    return float(text) if certain else inf


def _coerced(text: str) -> Text:
    """Return none of a text that is no number to any parser."""
    surely_none = not any(map(str.isnumeric, text)) and not _INFINITE.fullmatch(text)
    return None if surely_none else text


def _moment(text: Text) -> float:
    if text is None:
        return nan
    return inf if text == "?" else datetime.fromisoformat(text).timestamp()


def reader(counts: TermCounts) -> Callable[[Text], float]:
    """Return what reads a text as a whole."""
    codes = {term: float(place) for place, term in enumerate(counts.terms)}
    readers: dict[str, Callable[[Text], float]] = {
        "category": lambda text: nan if text is None else codes.get(text, UNSEEN),
        "length": lambda text: nan if text is None else float(len(text)),
        "moment": _moment,
        "number": _number,
    }
    return readers[counts.reading]


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF


def _mixed(block: int) -> int:
    return _rotated(block * 0xCC9E2D51 & 0xFFFFFFFF, 15) * 0x1B873593 & 0xFFFFFFFF


@lru_cache(maxsize=2**16)
def hash_of(term: str) -> int:
    """Return the signed hash of a term in UTF-8: MurmurHash3 of A. Appleby, 32 bits, seed 0."""
    data = term.encode("utf-8", "surrogatepass")
    whole = len(data) - len(data) % 4
    found = 0
    for at in range(0, whole, 4):
        found ^= _mixed(int.from_bytes(data[at : at + 4], "little"))
        found = (_rotated(found, 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if whole < len(data):
        found ^= _mixed(int.from_bytes(data[whole:], "little"))
    found ^= len(data)
    found = (found ^ found >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    found = (found ^ found >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    found ^= found >> 16
    return found - 2**32 if found >= 2**31 else found


def call(step: TextStep, text: Any) -> Text:
    """Apply one step to a text, or to none."""
    return stepper((step,))(text)
