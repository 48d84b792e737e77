"""The dialect, the columns and the first record of a CSV file, found in its first bytes."""

import codecs
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from sklambda.errors import InputRefused
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import Cell, MalformedRecord, spans, split_cells, trimmed
from sklambda.reading.rules import Reading

HEAD: Final = 2**20
"""Number of bytes in which the dialect is found."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_ESCAPE: Final = "\\"
_COMPARED: Final = 100
"""Records that are split with each delimiter."""

_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, with whose mark it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_EMPTY: Final = "the file is empty"
_USUAL: Final = Reading()


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the first bytes of a CSV file tell.

    Attributes
    ----------
    dialect : Dialect
        How its records are written.
    columns : tuple of str
        The names of its columns; empty for one without a name.
    start : int
        Byte where the first record after the header begins.
    has_header : bool
        Whether the names are those of a header.
    """

    dialect: Dialect
    columns: tuple[str, ...]
    start: int
    has_header: bool = True


def encoding_of(head: bytes, reading: Reading) -> str:
    """Return the encoding of a file: the one that is stated, or by its byte order mark."""
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    return marked or codecs.lookup(reading.encoding or "utf-8").name


def sniff(head: bytes, reading: Reading, wanted: Collection[str]) -> Sniffed:
    """Find the dialect, the columns and the first record.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of a file in UTF-8, or all of a shorter one.
    reading : Reading
        What is stated of them.
    wanted : collection of str
        Names of columns that the header is expected to have.

    Raises
    ------
    InputRefused
        The file is empty or no text, or its header cannot be read.
    """
    dialect = find_dialect(head, reading, wanted)
    begin = begin_of(head, reading)
    names, after = _header(head[begin:], dialect, whole=len(head) < HEAD)
    if reading.names and not _are_of(reading, names):
        columns = columns_of(reading, wanted, len(names))
        return Sniffed(replace(dialect, width=len(columns)), columns, begin, has_header=False)
    return Sniffed(replace(dialect, width=len(names)), tuple(names), begin + after)


def columns_of(reading: Reading, wanted: Collection[str], width: int) -> tuple[str, ...]:
    """Return the columns of a file without a header, by the number of its cells.

    They are those that are stated, or those of them that are wanted: new rows have no target.
    """
    own = tuple(name for name in reading.names if name in wanted)
    return own if len(own) == width else reading.names


def _are_of(reading: Reading, cells: Collection[str]) -> bool:
    """Check whether cells are a header of the stated names, or of some of them alone."""
    names, found = {*reading.names}, {*cells}
    return names <= found or (found <= names and len(found) == len(cells))


def find_dialect(
    head: bytes, reading: Reading, wanted: Collection[str], width: int | None = None
) -> Dialect:
    """Return the dialect of a file, which may have no header.

    Takes and raises what `sniff` does; `width` is the number of its columns, if it is known.
    """
    require_text(head)
    content, widths = head[begin_of(head, reading) :], {width}
    if reading.names:
        widths = {len(reading.names), sum(name in wanted for name in reading.names)}
        wanted = ()  # a cell of the first record may be a name by chance
    plain = Dialect(
        quote=reading.quote, escape=reading.escape, comment=reading.comment, trim=reading.trim
    )
    if reading.delimiter is not None:
        return _with_escape(content, replace(plain, delimiter=reading.delimiter))
    first = replace(plain, delimiter=_DELIMITERS[0])
    if _plainly_fits(content, first, wanted, widths):
        return first
    best: tuple[_Fitness, Dialect] | None = None
    for dialect in (replace(plain, delimiter=each) for each in _DELIMITERS):
        fitness = _fitness(content, dialect, wanted, widths)
        if best is None or fitness > best[0]:
            best = fitness, dialect
        if 0 < fitness.matches == len(wanted) or (fitness.is_even and fitness.fits):
            break
    assert best is not None
    return _with_escape(content, best[1])


def _plainly_fits(
    content: bytes, dialect: Dialect, wanted: Collection[str], widths: Collection[int | None]
) -> bool:
    """Check whether a delimiter fits without quotes or escapes: no other need be tried.

    The header has all names that are wanted, or records have as many cells as are known.
    """
    lines = [line for line in content[: _COMPARED * 1024].split(b"\n") if line.strip()][:_COMPARED]
    head = b"\n".join(lines)
    if not dialect.is_plain(head) or not dialect.is_scanned(head):
        return False
    counts = {line.count(dialect.delimiter.encode()) + 1 for line in lines}
    if len(counts) == 1 and counts != {1} and counts <= {*widths}:
        return True
    names = lines[0].decode(errors="replace").strip("\r").split(dialect.delimiter)
    return 0 < len(wanted) == len({*names}.intersection(wanted))


class _Fitness(NamedTuple):
    """How well a delimiter fits: the first that differs decides."""

    matches: int  # names of the header that are wanted
    fits: bool  # whether records have as many cells as are known
    is_even: bool  # whether they have equally many, and more than one
    width: int


def begin_of(head: bytes, reading: Reading) -> int:
    """Return the position after a byte order mark and the lines that are skipped."""
    begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    for _ in range(reading.skip):
        begin = _after_line(head, begin)
    return begin


def require_text(head: bytes) -> None:
    """Raise `InputRefused` for a file that is empty, or no text in UTF-8."""
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise InputRefused("empty", _EMPTY)
    if b"\0" in head or encoding_of(head, _USUAL) != "utf-8":
        raise InputRefused("not_utf8", "the file must be text in UTF-8")


def _after_line(head: bytes, begin: int) -> int:
    """Return the position after the line end of the line that begins at a position."""
    ends = [place for sign in (b"\n", b"\r") if (place := head.find(sign, begin)) >= 0]
    if not ends:
        return len(head)
    end = min(ends)
    return end + (2 if head[end : end + 2] == b"\r\n" else 1)


def _fitness(
    content: bytes, dialect: Dialect, wanted: Collection[str], expected: Collection[int | None]
) -> _Fitness:
    widths = Counter[int]()
    names: set[str] = set()
    for place, (record, cells) in enumerate(_records(content, dialect, _COMPARED)):
        # A quote that is left open is no reason to take another delimiter.
        found = record.decode(errors="replace").split(dialect.delimiter) if cells is None else cells
        if place == 0:
            names = {cell for cell in found if cell}
        widths[len(found)] += 1
    usual = widths.most_common(1)[0][0] if widths else 0
    is_even = usual > 1 and widths[usual] == widths.total()
    return _Fitness(len(names.intersection(wanted)), usual in expected, is_even, usual)


def _with_escape(content: bytes, dialect: Dialect) -> Dialect:
    """Return the dialect with a backslash as the escape if only then all records fit."""
    quote = dialect.quote
    if dialect.escape is not None or not quote or f"{_ESCAPE}{quote}".encode() not in content:
        return dialect
    escaped = replace(dialect, escape=_ESCAPE)
    return escaped if _is_even(content, escaped) and not _is_even(content, dialect) else dialect


def _is_even(content: bytes, dialect: Dialect) -> bool:
    """Check whether all records but the last, which may be cut, have equally many cells."""
    widths = [None if cells is None else len(cells) for _, cells in _records(content, dialect)]
    return len({*widths[: max(1, len(widths) - 1)]}) == 1 and widths[0] is not None


def _records(
    content: bytes, dialect: Dialect, most: int | None = None
) -> Iterator[tuple[bytes, list[Cell] | None]]:
    """Return records with their cells, None for a malformed one."""
    found = spans(content if most is None else content[: most * 1024], dialect, last=False)
    for start, end in list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))[:most]:
        record = content[start:end]
        try:
            yield record, split_cells(record, dialect)
        except MalformedRecord:
            yield record, None


def _header(content: bytes, dialect: Dialect, whole: bool) -> tuple[list[str], int]:
    """Return the cells of the first record, and the position of the next one."""
    found = spans(content, dialect, whole)
    if not len(found.starts):
        raise InputRefused("empty", _EMPTY)
    begin, end = int(found.starts[0]), int(found.ends[0])
    if end == len(content) and not whole:
        raise InputRefused("header_too_long", "the header does not end within 1 MiB")
    try:
        cells = split_cells(content[begin:end], dialect)
    except MalformedRecord as error:
        raise InputRefused("header", f"the header {error}") from None
    return [trimmed(cell or "") if dialect.trim else cell or "" for cell in cells], min(
        _after_line(content, end), len(content)
    )
