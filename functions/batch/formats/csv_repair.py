"""Records of CSV, checked and repaired so that every reader sees the same records."""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from functions.batch.formats.layout import Layout
from functions.batch.formats.slices import Reject, malformed_reject
from sklambda.arrays import IntVector
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import (
    MAX_RECORD_BYTES,
    Cell,
    MalformedRecord,
    Spans,
    spans,
    split_cells,
)

QUOTE = '"'
"""Encloses cells of repaired records, in which it is doubled."""


@dataclass(frozen=True, slots=True)
class WellFormed:
    """The well-formed records of a slice.

    Attributes
    ----------
    content : bytes
        The records, each ended by a line feed, with quotes doubled in quoted cells.
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
    """Return all records unchanged, or None where some are malformed or written otherwise.

    Records with too few cells and bytes that are not UTF-8 are left for the database to notice.
    """
    found = spans(content, layout.dialect)
    count, delimiters = len(found.starts), len(layout.columns) - 1
    fits = found.delimiters == count * delimiters and b"\0" not in content
    longest = int((found.ends - found.starts).max(initial=0))
    if not fits or _begins_with_mark(content, found) or longest > MAX_RECORD_BYTES:
        return None
    if layout.quote != QUOTE and any(sign in content for sign in _quotes(layout)):
        return None
    if not _lines_are_records(content, found):
        content = b"\n".join(found.split(content))
    return WellFormed(content, count, np.arange(count), [])


def _quotes(layout: Layout) -> list[bytes]:
    return [sign.encode() for sign in (QUOTE, layout.quote) if sign]


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
    dialect = layout.dialect
    assert dialect is not None, "only CSV is repaired"
    records = spans(content, dialect).split(content)
    good, places, rejects = [], [], []
    for place, record in enumerate(records):
        try:
            good.append(_repaired(record, dialect, len(layout.columns)))
            places.append(place)
        except MalformedRecord as error:
            rejects.append(malformed_reject(place, record, error))
    return WellFormed(b"\n".join(good), len(records), np.array(places, dtype=np.intp), rejects)


def _repaired(record: bytes, dialect: Dialect, width: int) -> bytes:
    """Return a record as every reader reads it; raises `MalformedRecord`."""
    if len(record) > MAX_RECORD_BYTES:
        raise MalformedRecord("is longer than 1 MiB")
    if dialect.quote == QUOTE and dialect.escape is None:
        ascii_ = record.isascii() and b"\0" not in record
        if ascii_ and _regular(dialect.delimiter, width).fullmatch(record):
            return record
    cells = split_cells(record, dialect)
    if len(cells) != width:
        plural = "" if len(cells) == 1 else "s"
        raise MalformedRecord(f"has {len(cells)} cell{plural} instead of {width}")
    return _quoted(cells, dialect.delimiter)


@lru_cache
def _regular(delimiter: str, width: int) -> re.Pattern[bytes]:
    """Match a record whose quotes are only around cells or doubled in them."""
    d = re.escape(delimiter.encode())
    cell = rb'(?:"(?:[^"]++|"")*+"|[^"%b]*+)' % d
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, d, cell, width - 1))


def _quoted(cells: list[Cell], delimiter: str) -> bytes:
    """Return a record whose cells are all quoted, so that no reader can split it otherwise."""
    texts = [
        "" if cell is None else QUOTE + cell.replace(QUOTE, QUOTE * 2) + QUOTE for cell in cells
    ]
    return delimiter.join(texts).encode()
