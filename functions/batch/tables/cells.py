"""The cells of one record of CSV, where a whole piece cannot be read at once."""

import re
from collections.abc import Iterator
from functools import lru_cache

from functions.batch.layout import Layout
from functions.batch.tables.marks import cell_pattern

type Cell = str | None


class Malformed(Exception):
    """A record is no record; the message says why, after "the record"."""


def cells_of(record: bytes, layout: Layout) -> list[Cell]:
    """Give the cells of a record, None for one without content or quotes; raises `Malformed`."""
    try:
        record.decode()
    except UnicodeDecodeError:
        raise Malformed("is not UTF-8") from None
    if b"\0" in record:
        raise Malformed("holds a NUL byte")
    return [_read(cell, layout.quote) for cell in _split(record, layout)]


def _split(record: bytes, layout: Layout) -> Iterator[bytes]:
    for match in _cell(layout.delimiter, layout.quote).finditer(record):
        yield match[1]
        if not match[2]:
            return


def _read(cell: bytes, quote: str) -> Cell:
    text = cell.decode()
    if not text.startswith(quote):
        return text or None
    if not _closed(quote).fullmatch(text):
        raise Malformed("has a cell with more behind its closing quote, or with none")
    return text[1:-1].replace(quote * 2, quote)


@lru_cache
def _cell(delimiter: str, quote: str) -> re.Pattern[bytes]:
    end = re.escape(delimiter.encode())
    return re.compile(rb"(%b)(%b|\Z)" % (cell_pattern(delimiter, quote), end))


@lru_cache
def _closed(quote: str) -> re.Pattern[str]:
    q = re.escape(quote)
    return re.compile(f"{q}(?:[^{q}]++|{q}{q})*+{q}")


def written(cells: list[Cell], layout: Layout) -> bytes:
    """Write cells as a record that no reader can take for another."""
    quote = layout.quote
    texts = [
        "" if cell is None else quote + cell.replace(quote, quote * 2) + quote for cell in cells
    ]
    return layout.delimiter.join(texts).encode()
