"""Where records begin and end in the bytes of CSV and JSON Lines, and the cells of a record of CSV.

In CSV a quote opens a cell only at the cell's beginning; elsewhere it is a character. A line end
in an open cell does not end the record, unless a stray quote has opened it: where a record of
several lines is malformed, or each of its lines would be a record, its lines are records.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, IntVector
from sklambda.errors import InputRefused
from sklambda.reading.dialect import BLANKS, Dialect

type Bytes = NDArray[np.uint8]
type Cell = str | None
"""The text of a cell; None for an empty one without quotes."""

MAX_RECORD_BYTES: Final = 2**20
"""A longer record is malformed."""

_MAX_SCANNED_BYTES: Final = 8 * 2**20
"""A longer one is refused: an unclosed quote has swallowed other records."""

_FEWEST_CELLS: Final = 3
"""In tables of fewer columns, lines of a text have as many commas as a record by chance."""

_LINE_END: Final = re.compile(rb"[\r\n]")
_LINE_FEED, _RETURN = ord("\n"), ord("\r")
_LINE_ENDS: Final = (_LINE_FEED, _RETURN)
_BLANK_LINE: Final = b" \t\r"
_NULL: Final = b"\\N"
"""How MySQL and PostgreSQL write a missing value beside a backslash as the escape."""


class MalformedRecord(Exception):
    """A record that cannot be parsed; the message completes the sentence "the record …"."""


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
        Of each record that is not a blank line or a comment, the position of its first byte and
        that after its last one, without the line end.
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


@dataclass(frozen=True, slots=True)
class Separators:
    """Separators that are outside of quoted cells.

    Attributes
    ----------
    ends : IntVector
        The positions of all bytes that end a record or a blank line.
    delimiters : int or None
        Number of delimiters between cells; None where it is not known, because a quote is elsewhere
        than around a cell or doubled in it, or something is escaped or a comment.
    """

    ends: IntVector
    delimiters: int | None


def cut(content: bytes, dialect: Dialect | None, last: bool) -> Cut:
    """Find the end of the last whole record.

    Parameters
    ----------
    content : bytes
        Bytes of an input, from the beginning of a record.
    dialect : Dialect or None
        Of CSV; None for JSON Lines.
    last : bool
        Whether the input ends with `content`, so that its last record is whole.

    Raises
    ------
    InputRefused
        A record does not end within 8 MiB.
    """
    separators = _separators(content, dialect, last)
    breaks = separators.ends
    end = len(content) if last else int(breaks[-1]) + 1 if len(breaks) else 0
    _require_ended(np.diff(breaks, prepend=-1, append=len(content)))
    return Cut(end, len(_spans(separators, content[:end], dialect).starts))


def spans(content: bytes, dialect: Dialect | None, last: bool = True) -> Spans:
    """Find the records in content that holds whole ones, but for the last where it is not so."""
    return _spans(_separators(content, dialect, last), content, dialect)


def split_cells(record: bytes, dialect: Dialect) -> list[Cell]:
    """Return the cells of a record.

    Raises
    ------
    MalformedRecord
        It is not UTF-8, holds a NUL byte, or a quoted cell is not closed at its end.
    """
    try:
        text = record.decode()
    except UnicodeDecodeError:
        raise MalformedRecord("is not UTF-8") from None
    if "\0" in text:
        raise MalformedRecord("holds a NUL byte")
    if dialect.is_plain(record):
        cells = text.split(dialect.delimiter)
        return [cell or None for cell in (map(trimmed, cells) if dialect.trim else cells)]
    return [_unquoted(cell, dialect) for cell in _split(record, dialect)]


def plain_records(
    content: bytes, dialect: Dialect, most: int | None = None
) -> list[list[Cell]] | None:
    """Return the cells of the records of UTF-8 text in which nothing is quoted, escaped or removed.

    None where something is: then `spans` and `split_cells` find the same, only slower.
    """
    plain = dialect.is_plain(content) and dialect.is_scanned(content) and not dialect.trim
    if not plain or b"\0" in content:
        return None
    text = content.decode()
    if "\r" in text:
        text = text.replace("\r", "\n")
    lines = islice(filter(None, text.split("\n")), most)
    return [[cell or None for cell in line.split(dialect.delimiter)] for line in lines]


def trimmed(cell: str) -> str:
    """Return a cell without the blanks around it."""
    return cell.strip(BLANKS)


def cell_pattern(dialect: Dialect) -> bytes:
    """Return the expression of any cell, well-formed or not; an open quote runs to the end."""
    d, q = re.escape(dialect.delimiter.encode()), re.escape(dialect.quote.encode())
    e = re.escape((dialect.escape or "").encode())
    plain = rb"(?:[^%b\r\n%b]++|%b.)*+" % (d, e, e) if e else rb"[^%b\r\n]*+" % d
    if not q:
        return plain
    inner = rb"(?:[^%b%b]++|%b.)*+" % (q, e, e) if e else rb"(?:[^%b]++|%b%b)*+" % (q, q, q)
    blanks = b"[ \t]*+".replace(dialect.delimiter.encode(), b"") if dialect.trim else b""
    return rb"(?s:(?:%b%b%b%b?+)?+%b)" % (blanks, q, inner, q, plain)


def _separators(content: bytes, dialect: Dialect | None, last: bool) -> Separators:
    data = np.frombuffer(content, np.uint8)
    if dialect is None:
        return Separators(np.flatnonzero(data == _LINE_FEED), None)
    if not dialect.is_scanned(content):
        return Separators(_ends_one_by_one(content, dialect, last), None)
    ends, delimiters = _line_ends(data, content), data == ord(dialect.delimiter)
    if dialect.quote and dialect.quote.encode() in content:
        quoted = _quoted(data, dialect)
        if quoted is None:
            return Separators(_ends_one_by_one(content, dialect, last), None)
        inner = np.flatnonzero(ends & quoted)
        ends &= ~quoted
        if len(inner) and (hidden := _hidden(content, np.flatnonzero(ends), inner, dialect)):
            ends[hidden] = True
            return Separators(np.flatnonzero(ends), None)
        delimiters &= ~quoted
    return Separators(np.flatnonzero(ends), int(np.count_nonzero(delimiters)))


def _line_ends(data: Bytes, content: bytes) -> Flags:
    ends: Flags = data == _LINE_FEED
    if b"\r" in content:
        ends |= data == _RETURN
    return ends


def _quoted(data: Bytes, dialect: Dialect) -> Flags | None:
    """Flag the bytes in quotes; None where quotes do not come in pairs around cells."""
    is_quote: Flags = data == ord(dialect.quote)
    if not _in_pairs(data, np.flatnonzero(is_quote), dialect):
        return None
    return np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(np.bool_)


def _in_pairs(data: Bytes, quotes: IntVector, dialect: Dialect) -> bool:
    beside = np.zeros(256, dtype=bool)
    beside[[*_LINE_ENDS, ord(dialect.delimiter), ord(dialect.quote)]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = opening[opening > 0] - 1, closing[closing < len(data) - 1] + 1
    even = len(opening) == len(closing)
    return bool(even and beside[data[before]].all() and beside[data[after]].all())


def _hidden(content: bytes, ends: IntVector, inner: IntVector, dialect: Dialect) -> list[int]:
    """Return the line ends in quotes that end records, for each line of the cell would be one."""
    found: list[int] = []
    bounds = np.concatenate([[-1], ends, [len(content)]])
    for place in np.unique(np.searchsorted(bounds, inner)):
        start, end = int(bounds[place - 1]) + 1, int(bounds[place])
        if _is_of_records(content[start:end], dialect):
            found += inner[(inner > start) & (inner < end)].tolist()
    return found


def _ends_one_by_one(content: bytes, dialect: Dialect, last: bool) -> IntVector:
    ends: list[int] = []
    for match in _record(dialect).finditer(content):
        start, end = match.span()[0], match.start(1)
        if end < len(content) or last:
            ends += _ends_within(content, start, end, dialect)
        if end < len(content):
            ends.append(end)
    return np.array(ends, dtype=np.intp)


def _ends_within(content: bytes, start: int, end: int, dialect: Dialect) -> list[int]:
    """Return the line ends within a record whose lines are records."""
    record = content[start:end]
    places = [start + match.start() for match in _LINE_END.finditer(record)]
    if not places:
        return []
    return places if _is_malformed(record, dialect) or _is_of_records(record, dialect) else []


def _is_malformed(record: bytes, dialect: Dialect) -> bool:
    try:
        split_cells(record, dialect)
    except MalformedRecord:
        return True
    return False


def _is_of_records(record: bytes, dialect: Dialect) -> bool:
    """Check whether each line of a record has as many delimiters as a record."""
    width, delimiter = dialect.width or 0, dialect.delimiter.encode()
    if width < _FEWEST_CELLS:
        return False
    return all(line.count(delimiter) == width - 1 for line in record.splitlines() if line)


@lru_cache
def _record(dialect: Dialect) -> re.Pattern[bytes]:
    cell, d = cell_pattern(dialect), re.escape(dialect.delimiter.encode())
    record, end = rb"%b(?:%b%b)*+" % (cell, d, cell), rb"([\r\n]|\Z)"
    if dialect.comment is not None:
        record = rb"(?:%b[^\r\n]*+|%b)" % (re.escape(dialect.comment.encode()), record)
    return re.compile(record + end)


def _require_ended(lengths: IntVector) -> None:
    if lengths.max() > _MAX_SCANNED_BYTES:
        raise InputRefused(
            "record_too_long", "a record does not end within 8 MiB; is a quote left open?"
        )


def _spans(separators: Separators, content: bytes, dialect: Dialect | None) -> Spans:
    starts, ends = np.append(0, separators.ends + 1), np.append(separators.ends, len(content))
    filled = ends > starts
    if dialect is None:
        filled &= ~_blank(starts, ends, content)
    elif dialect.comment is not None:
        data = np.frombuffer(content or b"\n", np.uint8)
        filled &= data[np.minimum(starts, len(data) - 1)] != ord(dialect.comment)
    return Spans(starts[filled], ends[filled], separators.delimiters)


def _blank(starts: IntVector, ends: IntVector, content: bytes) -> Flags:
    """Flag the lines of blanks alone; only those that begin with a blank are examined."""
    data = np.frombuffer(content or b"\n", np.uint8)
    candidates = np.isin(data[np.minimum(starts, len(data) - 1)], list(_BLANK_LINE))
    blank = np.zeros(len(starts), dtype=bool)
    for place in np.flatnonzero(candidates).tolist():
        blank[place] = not content[starts[place] : ends[place]].strip(_BLANK_LINE)
    return blank


def _split(record: bytes, dialect: Dialect) -> Iterator[bytes]:
    for match in _cell(dialect).finditer(record):
        yield match[1]
        if not match[2]:
            return


def _unquoted(cell: bytes, dialect: Dialect) -> Cell:
    if dialect.escape == "\\" and cell.strip() == _NULL:
        return None
    text, quote = cell.decode(), dialect.quote
    if dialect.trim:
        text = trimmed(text)
    if not quote or not text.startswith(quote):
        return _unescaped(text, dialect) or None
    if not _quoted_cell(dialect).fullmatch(text):
        raise MalformedRecord("has a cell with more behind its closing quote, or with none")
    inner = text[1:-1]
    if dialect.escape is None:
        inner = inner.replace(quote * 2, quote)
    else:
        inner = _unescaped(inner, dialect)
    return trimmed(inner) if dialect.trim else inner


def _unescaped(text: str, dialect: Dialect) -> str:
    """Return a text without the escapes of what would end it; others are characters."""
    if dialect.escape is None or dialect.escape not in text:
        return text
    return _escaped(dialect).sub(r"\1", text)


@lru_cache
def _escaped(dialect: Dialect) -> re.Pattern[str]:
    ending = re.escape(f"{dialect.quote}{dialect.escape}{dialect.delimiter}\r\n")
    return re.compile(f"{re.escape(dialect.escape or '')}([{ending}])")


@lru_cache
def _cell(dialect: Dialect) -> re.Pattern[bytes]:
    end = re.escape(dialect.delimiter.encode())
    return re.compile(rb"(%b)(%b|\Z)" % (cell_pattern(dialect), end))


@lru_cache
def _quoted_cell(dialect: Dialect) -> re.Pattern[str]:
    q, e = re.escape(dialect.quote), re.escape(dialect.escape or "")
    inner = rf"(?:[^{q}{e}]++|{e}.)*+" if e else f"(?:[^{q}]++|{q}{q})*+"
    return re.compile(f"{q}{inner}{q}", re.DOTALL)
