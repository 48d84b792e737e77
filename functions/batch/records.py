"""Where records end in the bytes of CSV and JSON Lines."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from functions.batch.layout import Layout
from functions.batch.tables.marks import Marks, marked
from sklambda.arrays import Flags, IntVector
from sklambda.errors import InputRefused

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
