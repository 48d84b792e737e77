"""Where records end in the bytes of CSV and JSON Lines."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from functions.batch.formats.layout import Layout
from sklambda.arrays import Flags, IntVector
from sklambda.errors import InputRefused

type Bytes = NDArray[np.uint8]

_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_LINE_ENDS: Final = (_LINE_FEED, _RETURN)


@dataclass(frozen=True, slots=True)
class Marks:
    """What was found in a piece of CSV.

    Attributes
    ----------
    ends : IntVector
        The positions of all bytes that end a record or a blank line.
    delimiters : int or None
        How many delimiters stand between cells; None if a quote stands elsewhere than around a
        cell or doubled in it.
    """

    ends: IntVector
    delimiters: int | None


def marked(content: bytes, layout: Layout) -> Marks:
    """Find the line ends and delimiters that stand in no quoted cell."""
    data = np.frombuffer(content, np.uint8)
    ends, delimiters = _line_ends(data, content), data == ord(layout.delimiter)
    if layout.quote.encode() in content:
        quoted = _quoted(data, layout)
        if quoted is None:
            return Marks(_ends_one_by_one(content, layout), None)
        ends &= ~quoted
        delimiters &= ~quoted
    return Marks(np.flatnonzero(ends), int(np.count_nonzero(delimiters)))


def _line_ends(data: Bytes, content: bytes) -> Flags:
    ends: Flags = data == _LINE_FEED
    if b"\r" in content:
        ends |= data == _RETURN
    return ends


def _quoted(data: Bytes, layout: Layout) -> Flags | None:
    """Tell which bytes stand in quotes; None where quotes cannot be counted off in pairs."""
    is_quote: Flags = data == ord(layout.quote)
    if not _in_pairs(data, np.flatnonzero(is_quote), layout):
        return None
    return np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(np.bool_)


def _in_pairs(data: Bytes, quotes: IntVector, layout: Layout) -> bool:
    beside = np.zeros(256, dtype=bool)
    beside[[*_LINE_ENDS, ord(layout.delimiter), ord(layout.quote)]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = opening[opening > 0] - 1, closing[closing < len(data) - 1] + 1
    even = len(opening) == len(closing)
    return bool(even and beside[data[before]].all() and beside[data[after]].all())


def _ends_one_by_one(content: bytes, layout: Layout) -> IntVector:
    found = _record(layout.delimiter, layout.quote).finditer(content)
    ends = [match.start(1) for match in found]
    return np.array([end for end in ends if end < len(content)], dtype=np.intp)


def cell_pattern(delimiter: str, quote: str) -> bytes:
    """Write the expression of any cell, well-formed or not; a quote may go on to the end of all."""
    d, q = re.escape(delimiter.encode()), re.escape(quote.encode())
    return rb"(?:%b(?:[^%b]++|%b%b)*+%b?+)?+[^%b\r\n]*+" % (q, q, q, q, q, d)


@lru_cache
def _record(delimiter: str, quote: str) -> re.Pattern[bytes]:
    cell, d = cell_pattern(delimiter, quote), re.escape(delimiter.encode())
    return re.compile(rb"%b(?:%b%b)*+([\r\n]|\Z)" % (cell, d, cell))


LONGEST: Final = 2**20
"""The most bytes of a record; what is longer is malformed."""

_UNBEARABLE: Final = 8 * 2**20
"""So many bytes are no record any more: a quote that never closes has swallowed others."""

_BLANKS: Final = b" \t\r"


@dataclass(frozen=True, slots=True)
class Cut:
    """How far whole records go.

    Attributes
    ----------
    end : int
        The position after the last record that is whole; 0 if none is.
    records : int
        How many records there are before it.
    """

    end: int
    records: int


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the records of a piece are.

    Attributes
    ----------
    starts, ends : IntVector
        Of each record that is no blank line, the position of its first byte and that after its
        last one, without the line end.
    delimiters : int or None
        As `Marks` has it.
    """

    starts: IntVector
    ends: IntVector
    delimiters: int | None = None

    def of(self, content: bytes) -> list[bytes]:
        """Give the records."""
        places = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [content[start:end] for start, end in places]


def cut(content: bytes, layout: Layout, last: bool) -> Cut:
    """Find the end of the last whole record.

    Parameters
    ----------
    content : bytes
        A piece of an input that begins where a record does.
    layout : Layout
        Of CSV or JSON Lines.
    last : bool
        Whether the input ends with `content`, so that its last record is whole.

    Raises
    ------
    InputRefused
        A record does not end within 8 MiB.
    """
    marks = _marks(content, layout)
    breaks = marks.ends
    end = len(content) if last else int(breaks[-1]) + 1 if len(breaks) else 0
    _require_bearable(np.diff(breaks, prepend=-1, append=len(content)))
    return Cut(end, len(_between(marks, content[:end], layout).starts))


def spans(content: bytes, layout: Layout) -> Spans:
    """Find the records in a piece that holds whole ones."""
    return _between(_marks(content, layout), content, layout)


def _marks(content: bytes, layout: Layout) -> Marks:
    if layout.format == "csv":
        return marked(content, layout)
    return Marks(np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")), None)


def _require_bearable(lengths: IntVector) -> None:
    if lengths.max() > _UNBEARABLE:
        raise InputRefused(
            "record_too_long", "a record does not end within 8 MiB: look for a quote left open"
        )


def _between(marks: Marks, content: bytes, layout: Layout) -> Spans:
    starts, ends = np.append(0, marks.ends + 1), np.append(marks.ends, len(content))
    filled = ends > starts
    if layout.format == "json_lines":
        filled &= ~_blank(starts, ends, content)
    return Spans(starts[filled], ends[filled], marks.delimiters)


def _blank(starts: IntVector, ends: IntVector, content: bytes) -> Flags:
    """Tell which lines hold nothing but blanks; few begin with one."""
    data = np.frombuffer(content or b"\n", np.uint8)
    doubtful = np.isin(data[np.minimum(starts, len(data) - 1)], list(_BLANKS))
    blank = np.zeros(len(starts), dtype=bool)
    for place in np.flatnonzero(doubtful).tolist():
        blank[place] = not content[starts[place] : ends[place]].strip(_BLANKS)
    return blank
