"""The cells of one record of CSV, where a whole piece cannot be read at once."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from functions.batch.formats.layout import Layout
from functions.batch.formats.records import cell_pattern
from sklambda.codec.values import EXACT_INTEGER
from sklambda.signature import Feature, Kind

type Parse = Callable[[str], object]

MISSING: Final = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""The words that pandas takes for missing where it reads CSV, as training does."""

_MOST_DIGITS: Final = 400

BITS: Final = {"1": True, "0": False}
_WORDS: Final = {"true": True, "false": False}


def parser(feature: Feature) -> Callable[[str | None], object]:
    """Make the function that reads a cell of one feature; what it cannot read stays a text."""
    missing = MISSING.difference(feature.vocabulary)
    parse = _PARSERS.get(feature.kind, str)
    return lambda cell: None if cell is None or cell in missing else parse(cell)


def _number(cell: str) -> object:
    if "_" in cell:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if abs(number) < EXACT_INTEGER else _great(cell, number)


def _great(cell: str, number: float) -> object:
    """Read what looks like a whole number as one: a float would hide digits past 2^53."""
    digits = cell.strip().lstrip("+-")
    if not digits.isdecimal():
        return number
    # Python refuses to read thousands of digits; which they are matters no more by then.
    return int(cell) if len(digits) < _MOST_DIGITS else 10**_MOST_DIGITS


def _boolean(cell: str) -> object:
    return (_WORDS | BITS).get(cell.lower(), cell)


_PARSERS: Final[dict[Kind, Parse]] = {"number": _number, "integer": _number, "boolean": _boolean}

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
