"""Pieces of CSV made such that every reader takes them for the same records."""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from functions.batch.formats.csv_cells import Malformed, cells_of, written
from functions.batch.formats.layout import Layout
from functions.batch.formats.reading import Reject
from functions.batch.formats.records import LONGEST, Spans, spans
from sklambda.arrays import IntVector

_MOST_SHOWN: Final = 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """Well-formed records.

    Attributes
    ----------
    content : bytes
        Theirs, each ended by a line feed.
    read : int
        How many records there were, malformed ones too.
    places : IntVector
        The position among all of each that is well-formed.
    rejects : list of Reject
        Of those that are not.
    """

    content: bytes
    read: int
    places: IntVector
    rejects: list[Reject]


def plain(content: bytes, layout: Layout) -> Piece | None:
    """Take all records as they are; None where that is out of the question.

    What is left to find out, records with fewer cells and what is not UTF-8, any reader will.
    """
    found = spans(content, layout)
    count, delimiters = len(found.starts), len(layout.columns) - 1
    fits = found.delimiters == count * delimiters and b"\0" not in content
    if not fits or _begins_with_mark(content, found) or _longest(found) > LONGEST:
        return None
    if not _lines_are_records(content, found):
        content = b"\n".join(found.of(content))
    return Piece(content, count, np.arange(count), [])


def _begins_with_mark(content: bytes, found: Spans) -> bool:
    """Tell whether a reader would take the first record for one behind a byte order mark."""
    return bool(len(found.starts)) and content.startswith(codecs.BOM_UTF8, found.starts[0])


def _longest(found: Spans) -> int:
    return int((found.ends - found.starts).max(initial=0))


def _lines_are_records(content: bytes, found: Spans) -> bool:
    """Tell whether each line ends with one line feed, and none is blank."""
    length = int((found.ends - found.starts).sum()) + len(found.starts)
    data = np.frombuffer(content, np.uint8)
    whole = length - len(content) in (0, 1)
    return (
        whole and bool((data[found.ends[:-1]] == ord("\n")).all()) and not content.endswith(b"\r")
    )


def mended(content: bytes, layout: Layout) -> Piece:
    """Take the records one by one, and leave out what is malformed."""
    records = spans(content, layout).of(content)
    good, places, rejects = [], [], []
    for place, record in enumerate(records):
        try:
            good.append(_mended(record, layout))
            places.append(place)
        except Malformed as error:
            rejects.append(malformed(place, record, error))
    return Piece(b"\n".join(good), len(records), np.array(places, dtype=np.intp), rejects)


def _mended(record: bytes, layout: Layout) -> bytes:
    """Give a record as every reader takes it; raises `Malformed`."""
    if len(record) > LONGEST:
        raise Malformed("is longer than 1 MiB")
    if record.isascii() and b"\0" not in record and _regular(layout).fullmatch(record):
        return record
    cells = cells_of(record, layout)
    _require_width(len(cells), len(layout.columns))
    return written(cells, layout)


def _require_width(found: int, due: int) -> None:
    if found != due:
        raise Malformed(f"has {found} cell{'' if found == 1 else 's'} instead of {due}")


def malformed(place: int, record: bytes, error: Malformed) -> Reject:
    """Reject a record that is none."""
    shown = record[:_MOST_SHOWN].decode(errors="replace")
    return Reject(place, None, "malformed", str(error), shown)


@lru_cache
def _regular(layout: Layout) -> re.Pattern[bytes]:
    """Match a record that has a quote only around a cell or doubled in it."""
    d, q = re.escape(layout.delimiter.encode()), re.escape(layout.quote.encode())
    cell = rb"(?:%b(?:[^%b]++|%b%b)*+%b|[^%b%b]*+)" % (q, q, q, q, q, q, d)
    return re.compile(rb"%b(?:%b%b){%d}" % (cell, d, cell, len(layout.columns) - 1))
