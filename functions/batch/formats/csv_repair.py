"""Records of CSV, split into cells, and repaired so that every reader sees the same records."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from functions.batch.formats.layout import Layout
from functions.batch.formats.records import MAX_RECORD_BYTES, Spans, cell_pattern, spans
from functions.batch.formats.slices import MalformedRecord, Reject, malformed_reject
from sklambda.arrays import IntVector

type Cell = str | None


@dataclass(frozen=True, slots=True)
class WellFormed:
    """The well-formed records of a slice.

    Attributes
    ----------
    content : bytes
        The records, each ended by a line feed.
    read : int
        Number of records in the slice, malformed ones included.
    places : IntVector
        Position in the slice of each well-formed record.
    rejects : list of Reject
        The malformed records.
    """

    content: bytes
    read: int
    places: IntVector
    rejects: list[Reject]


def accept(content: bytes, layout: Layout) -> WellFormed | None:
    """Return all records unchanged, or None where some are malformed for certain.

    Records with too few cells and bytes that are not UTF-8 are left for the database to notice.
    """
    found = spans(content, layout)
    count, delimiters = len(found.starts), len(layout.columns) - 1
    fits = found.delimiters == count * delimiters and b"\0" not in content
    longest = int((found.ends - found.starts).max(initial=0))
    if not fits or _begins_with_mark(content, found) or longest > MAX_RECORD_BYTES:
        return None
    if not _lines_are_records(content, found):
        content = b"\n".join(found.split(content))
    return WellFormed(content, count, np.arange(count), [])


def _begins_with_mark(content: bytes, found: Spans) -> bool:
    """Check whether a reader would drop the beginning of the first record as byte order mark."""
    return bool(len(found.starts)) and content.startswith(codecs.BOM_UTF8, found.starts[0])


def _lines_are_records(content: bytes, found: Spans) -> bool:
    """Check whether each line ends with one line feed, and none is blank."""
    length = int((found.ends - found.starts).sum()) + len(found.starts)
    data = np.frombuffer(content, np.uint8)
    whole = length - len(content) in (0, 1)
    return (
        whole and bool((data[found.ends[:-1]] == ord("\n")).all()) and not content.endswith(b"\r")
    )


def repair(content: bytes, layout: Layout) -> WellFormed:
    """Check and repair records one by one; malformed ones are rejected."""
    records = spans(content, layout).split(content)
    good, places, rejects = [], [], []
    for place, record in enumerate(records):
        try:
            good.append(_repaired(record, layout))
            places.append(place)
        except MalformedRecord as error:
            rejects.append(malformed_reject(place, record, error))
    return WellFormed(b"\n".join(good), len(records), np.array(places, dtype=np.intp), rejects)


def _repaired(record: bytes, layout: Layout) -> bytes:
    """Return a record as every reader reads it; raises `MalformedRecord`."""
    if len(record) > MAX_RECORD_BYTES:
        raise MalformedRecord("is longer than 1 MiB")
    if record.isascii() and b"\0" not in record and _regular(layout).fullmatch(record):
        return record
    cells, due = split_cells(record, layout), len(layout.columns)
    if len(cells) != due:
        plural = "" if len(cells) == 1 else "s"
        raise MalformedRecord(f"has {len(cells)} cell{plural} instead of {due}")
    return _quoted(cells, layout)


@lru_cache
def _regular(layout: Layout) -> re.Pattern[bytes]:
    """Match a record whose quotes are only around cells or doubled in them."""
    d, q = re.escape(layout.delimiter.encode()), re.escape(layout.quote.encode())
    cell = rb"(?:%b(?:[^%b]++|%b%b)*+%b|[^%b%b]*+)" % (q, q, q, q, q, q, d)
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, d, cell, len(layout.columns) - 1))


def split_cells(record: bytes, layout: Layout) -> list[Cell]:
    """Return the cells of a record, None for an empty one without quotes.

    Raises
    ------
    MalformedRecord
        It is not UTF-8, holds a NUL byte, or a quoted cell is not closed at its end.
    """
    try:
        record.decode()
    except UnicodeDecodeError:
        raise MalformedRecord("is not UTF-8") from None
    if b"\0" in record:
        raise MalformedRecord("holds a NUL byte")
    return [_unquoted(cell, layout.quote) for cell in _split(record, layout)]


def _split(record: bytes, layout: Layout) -> Iterator[bytes]:
    for match in _cell(layout.delimiter, layout.quote).finditer(record):
        yield match[1]
        if not match[2]:
            return


def _unquoted(cell: bytes, quote: str) -> Cell:
    text = cell.decode()
    if not text.startswith(quote):
        return text or None
    if not _quoted_cell(quote).fullmatch(text):
        raise MalformedRecord("has a cell with more behind its closing quote, or with none")
    return text[1:-1].replace(quote * 2, quote)


@lru_cache
def _cell(delimiter: str, quote: str) -> re.Pattern[bytes]:
    end = re.escape(delimiter.encode())
    return re.compile(rb"(%b)(%b|\Z)" % (cell_pattern(delimiter, quote), end))


@lru_cache
def _quoted_cell(quote: str) -> re.Pattern[str]:
    q = re.escape(quote)
    return re.compile(f"{q}(?:[^{q}]++|{q}{q})*+{q}")


def _quoted(cells: list[Cell], layout: Layout) -> bytes:
    """Return a record whose cells are all quoted, so that no reader can split it otherwise."""
    quote = layout.quote
    texts = [
        "" if cell is None else quote + cell.replace(quote, quote * 2) + quote for cell in cells
    ]
    return layout.delimiter.join(texts).encode()
