"""Reads slices of CSV: DuckDB parses and encodes what it can, Python the other cells.

Records are checked, and written anew where DuckDB would see others than `sklambda.reading.records`.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.encoding import EncodedRows, FeatureColumn, TableEncoder
from functions.batch.formats.layout import Layout
from functions.batch.formats.slices import ROW, EncodedSlice, Reject, Slice, malformed_reject
from functions.batch.formats.sql import category_code, connect, identifier, literal, or_missing
from sklambda.arrays import IntVector
from sklambda.reading.dialect import BLANKS, Dialect
from sklambda.reading.records import (
    MAX_RECORD_BYTES,
    Cell,
    MalformedRecord,
    Spans,
    spans,
    split_cells,
)
from sklambda.reading.rules import Reading
from sklambda.reading.values import BINARY_DIGITS, cell_parser, missing_words
from sklambda.signature import Feature, Signature

_SIGNS: Final = (b"_", b"+")
"""Signs in cells that DuckDB reads as numbers and Python does not: 1_000 and +-1."""


QUOTE: Final = '"'
"""Encloses cells in the content that DuckDB reads, in which it is doubled."""


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


class CsvReader:
    """Reads slices of CSV.

    Parameters
    ----------
    layout : Layout
        How the input is laid out.
    signature : Signature
        Names the features among its columns.
    folder : Path
        Where a slice is written for the database to read.
    """

    def __init__(self, layout: Layout, signature: Signature, folder: Path) -> None:
        self._reading = signature.reading
        self._layout, self._con = layout, connect(folder)
        self._scratch = folder / "slice.csv"
        self._view = _view(layout, self._scratch)
        self._others = [name for name in layout.columns if name not in signature.names]
        self._encoders = {signs: self._encoder(signature, signs) for signs in (False, True)}

    def _encoder(self, signature: Signature, signs: bool) -> TableEncoder:
        features = enumerate(signature.features)
        columns = [
            _column(self._con, place, feature, self._reading, signs) for place, feature in features
        ]
        return TableEncoder(self._con, signature, columns, self._materialize, self._others)

    def read(self, part: Slice) -> EncodedSlice:
        """Read and encode a slice; the one read before is dropped."""
        records = accept(part.content, self._layout)
        encoded = records and self._try_to_encode(records)
        if not records or not encoded:
            records = repair(part.content, self._layout)
            encoded = self._encode(records)
        if len(encoded.X) != len(records.places):
            raise RuntimeError(
                f"DuckDB read {len(encoded.X)} records, expected {len(records.places)}"
            )
        lines = self._lines(records)
        return encoded.to_slice(self._con, records.read, records.places, records.rejects, lines)

    def clear(self) -> None:
        """Drop the slice and its files."""
        self._con.execute("drop table if exists materialized_records")
        self._scratch.unlink(missing_ok=True)

    def _try_to_encode(self, records: WellFormed) -> EncodedRows | None:
        try:
            encoded = self._encode(records)
        except duckdb.InvalidInputException:
            return None
        return encoded if len(encoded.X) == len(records.places) else None

    def _encode(self, records: WellFormed) -> EncodedRows:
        """Make `records` a view of the scratch file, which is parsed on each query, and encode."""
        self.clear()  # whose memory is needed
        self._scratch.write_bytes(records.content)
        self._con.execute(self._view)
        signs = any(sign in records.content for sign in _SIGNS)
        return self._encoders[signs].encode()

    def _materialize(self) -> None:
        self._con.execute("create table if not exists materialized_records as from records")
        self._con.execute("create or replace view records as from materialized_records")

    def _lines(self, records: WellFormed) -> bytes | None:
        """Return the records if a writer would write the same lines: it also quotes a #."""
        altered = QUOTE.encode(), b"\r", b"#"
        return None if any(sign in records.content for sign in altered) else records.content


def _view(layout: Layout, path: Path) -> str:
    """Return SQL that makes `records` a view of a file, with nothing left for DuckDB to guess."""
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in layout.columns)
    return f"""
        create or replace view records as
        select row_number() over () - 1 as {identifier(ROW)}, *
        from read_csv(
            {literal(str(path))}, auto_detect = false, columns = {{{columns}}}, header = false,
            delim = {literal(layout.delimiter)}, quote = {literal(QUOTE)},
            escape = {literal(QUOTE)}, new_line = '\\n', comment = '', skip = 0,
            nullstr = '', allow_quoted_nulls = false, null_padding = false, strict_mode = true,
            ignore_errors = false, compression = 'none', parallel = false
        )"""


def _column(
    con: DuckDBPyConnection, place: int, feature: Feature, reading: Reading, signs: bool
) -> FeatureColumn:
    column = identifier(feature.name)
    if reading.trim:
        column = f"nullif(trim({column}, {literal(BLANKS)}), '')"
    words = missing_words(reading, feature.vocabulary)
    code = _code(con, place, feature, column, reading, signs)
    if stated := words.intersection(reading.missing):
        code = f"case when {column} in ({_list(stated)}) then 'nan'::double else {code} end"
    parse = cell_parser(reading, feature.name, feature.kind, feature.vocabulary)
    coerces = BINARY_DIGITS.__contains__ if feature.kind == "boolean" else lambda cell: False
    return FeatureColumn(feature, or_missing(column, code), column, parse, coerces)


def _code(
    con: DuckDBPyConnection,
    place: int,
    feature: Feature,
    column: str,
    reading: Reading,
    signs: bool,
) -> str:
    """Return SQL of the code of an ordinary cell; null for one that Python must encode."""
    match feature.kind:
        case "number" | "integer":
            number = _number(column, reading)
            found = " or ".join(f"contains({column}, '{sign.decode()}')" for sign in _SIGNS)
            return f"case when not ({found}) then {number} end" if signs else number
        case "category":
            return category_code(con, feature, place, column)
        case "boolean" if not (reading.true or reading.false):
            return f"case lower({column}) when 'true' then 1.0 when 'false' then 0.0 end::double"
        case "text":
            words = _list(missing_words(reading, feature.vocabulary))
            return f"case when {column} not in ({words}) then 0.0 end::double"
    return "null::double"


def _number(column: str, reading: Reading) -> str:
    if reading.decimal == "." and reading.thousands is None and not reading.units:
        return f"try_cast({column} as double)"
    if reading.units:
        return "null::double"
    decimal, digits = re.escape(reading.decimal), "[0-9]+"
    plain = column
    if reading.thousands is not None:
        digits = f"({digits}|[0-9]{{1,3}}({re.escape(reading.thousands)}[0-9]{{3}})+)"
        plain = f"replace({plain}, {literal(reading.thousands)}, '')"
    plain = f"replace({plain}, {literal(reading.decimal)}, '.')"
    written = literal(f"[+-]?{digits}({decimal}[0-9]+)?")
    return f"case when regexp_full_match({column}, {written}) then try_cast({plain} as double) end"


def _list(words: Collection[str]) -> str:
    return ", ".join(map(literal, sorted(words)))


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
