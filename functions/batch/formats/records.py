"""Where records begin and end in the bytes of CSV and JSON Lines.

In CSV a quote opens a cell only at the cell's beginning; elsewhere it is a character. A line end
in an open cell does not end the record.
"""

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

MAX_RECORD_BYTES: Final = 2**20
"""A longer record is malformed."""

_MAX_SCANNED_BYTES: Final = 8 * 2**20
"""A longer one is refused: an unclosed quote has swallowed other records."""

_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_LINE_ENDS: Final = (_LINE_FEED, _RETURN)
_BLANKS: Final = b" \t\r"


@dataclass(frozen=True, slots=True)
class Cut:
    """The whole records at the beginning of some content.

    Attributes
    ----------
    end : int
        Position after the last whole record; 0 if there is none.
    records : int
        Number of records before it.
    """

    end: int
    records: int


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the records of some content are.

    Attributes
    ----------
    starts, ends : IntVector
        Of each record that is not a blank line, the position of its first byte and that after its
        last one, without the line end.
    delimiters : int or None
        As in `Separators`.
    """

    starts: IntVector
    ends: IntVector
    delimiters: int | None = None

    def split(self, content: bytes) -> list[bytes]:
        """Return the records."""
        places = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [content[start:end] for start, end in places]


def cut(content: bytes, layout: Layout, last: bool) -> Cut:
    """Find the end of the last whole record.

    Parameters
    ----------
    content : bytes
        Bytes of an input, from the beginning of a record.
    layout : Layout
        Of CSV or JSON Lines.
    last : bool
        Whether the input ends with `content`, so that its last record is whole.

    Raises
    ------
    InputRefused
        A record does not end within 8 MiB.
    """
    separators = _separators(content, layout)
    breaks = separators.ends
    end = len(content) if last else int(breaks[-1]) + 1 if len(breaks) else 0
    _require_ended(np.diff(breaks, prepend=-1, append=len(content)))
    return Cut(end, len(_spans(separators, content[:end], layout).starts))


def spans(content: bytes, layout: Layout) -> Spans:
    """Find the records in content that holds whole ones."""
    return _spans(_separators(content, layout), content, layout)


def cell_pattern(delimiter: str, quote: str) -> bytes:
    """Return the expression of any cell, well-formed or not; an open quote runs to the end."""
    d, q = re.escape(delimiter.encode()), re.escape(quote.encode())
    return rb"(?:%b(?:[^%b]++|%b%b)*+%b?+)?+[^%b\r\n]*+" % (q, q, q, q, q, d)


@dataclass(frozen=True, slots=True)
class Separators:
    """Separators that are outside of quoted cells.

    Attributes
    ----------
    ends : IntVector
        The positions of all bytes that end a record or a blank line.
    delimiters : int or None
        Number of delimiters between cells; None if a quote is elsewhere than around a cell or
        doubled in it.
    """

    ends: IntVector
    delimiters: int | None


def _separators(content: bytes, layout: Layout) -> Separators:
    data = np.frombuffer(content, np.uint8)
    if layout.format == "json_lines":
        return Separators(np.flatnonzero(data == _LINE_FEED), None)
    ends, delimiters = _line_ends(data, content), data == ord(layout.delimiter)
    if layout.quote.encode() in content:
        quoted = _quoted(data, layout)
        if quoted is None:
            return Separators(_ends_one_by_one(content, layout), None)
        ends &= ~quoted
        delimiters &= ~quoted
    return Separators(np.flatnonzero(ends), int(np.count_nonzero(delimiters)))


def _line_ends(data: Bytes, content: bytes) -> Flags:
    ends: Flags = data == _LINE_FEED
    if b"\r" in content:
        ends |= data == _RETURN
    return ends


def _quoted(data: Bytes, layout: Layout) -> Flags | None:
    """Flag the bytes in quotes; None where quotes do not come in pairs around cells."""
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
    matches = _record(layout.delimiter, layout.quote).finditer(content)
    ends = [match.start(1) for match in matches]
    return np.array([end for end in ends if end < len(content)], dtype=np.intp)


@lru_cache
def _record(delimiter: str, quote: str) -> re.Pattern[bytes]:
    cell, d = cell_pattern(delimiter, quote), re.escape(delimiter.encode())
    return re.compile(rb"%b(?:%b%b)*+([\r\n]|\Z)" % (cell, d, cell))


def _require_ended(lengths: IntVector) -> None:
    if lengths.max() > _MAX_SCANNED_BYTES:
        raise InputRefused(
            "record_too_long", "a record does not end within 8 MiB; is a quote left open?"
        )


def _spans(separators: Separators, content: bytes, layout: Layout) -> Spans:
    starts, ends = np.append(0, separators.ends + 1), np.append(separators.ends, len(content))
    filled = ends > starts
    if layout.format == "json_lines":
        filled &= ~_blank(starts, ends, content)
    return Spans(starts[filled], ends[filled], separators.delimiters)


def _blank(starts: IntVector, ends: IntVector, content: bytes) -> Flags:
    """Flag the lines of blanks alone; only those that begin with a blank are examined."""
    data = np.frombuffer(content or b"\n", np.uint8)
    candidates = np.isin(data[np.minimum(starts, len(data) - 1)], list(_BLANKS))
    blank = np.zeros(len(starts), dtype=bool)
    for place in np.flatnonzero(candidates).tolist():
        blank[place] = not content[starts[place] : ends[place]].strip(_BLANKS)
    return blank
