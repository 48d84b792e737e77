"""Which bytes of CSV end a record, and which only stand in a quoted cell.

A quote opens a cell only at the cell's beginning; elsewhere it is a character.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from functions.batch.layout import Layout
from sklambda.arrays import Flags, IntVector

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
