"""Reads slices of CSV."""

from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from functions.batch.database import connect
from functions.batch.layout import Layout
from functions.batch.reading import ROW, Reading
from functions.batch.slices import Slice
from functions.batch.tables.doubts import Column
from functions.batch.tables.encoding import Encoding
from functions.batch.tables.pieces import Piece, mended, plain
from functions.batch.tables.sql import category_code, identifier, literal, or_missing
from functions.batch.tables.words import BITS, MISSING, parser
from sklambda.signature import Feature, Signature

_MISSING: Final = ", ".join(map(literal, sorted(MISSING)))


class CsvReader:
    """Reads slices of CSV.

    Parameters
    ----------
    layout : Layout
        How the input is written.
    signature : Signature
        Whose features are among its columns.
    folder : Path
        Where a slice is written for the database to read.
    """

    def __init__(self, layout: Layout, signature: Signature, folder: Path) -> None:
        self._layout, self._con = layout, connect(folder)
        self._scratch = folder / "slice.csv"
        self._table = _table(layout, self._scratch)
        columns = [_column(self._con, *each) for each in enumerate(signature.features)]
        self._encoding = Encoding(self._con, signature, columns)

    def read(self, part: Slice) -> Reading:
        """Read a slice; what was read before it is gone."""
        piece = self._load(part.content)
        encoded = self._encoding.encode(len(piece.places))
        return encoded.reading(self._con, piece.read, piece.places, piece.rejects)

    def _load(self, content: bytes) -> Piece:
        """Make `records` of the well-formed records."""
        piece = plain(content, self._layout)
        if piece is None or not self._fits(piece):
            piece = mended(content, self._layout)
            if self._records(piece) != len(piece.places):
                raise RuntimeError("the database counts other records than there are")
        return piece

    def _fits(self, piece: Piece) -> bool:
        try:
            return self._records(piece) == len(piece.places)
        except duckdb.InvalidInputException:
            return False

    def _records(self, piece: Piece) -> int:
        """Read the records, and count them."""
        try:
            self._scratch.write_bytes(piece.content)
            self._con.execute("drop table if exists records")  # whose memory is needed
            self._con.execute(self._table)
        finally:
            self._scratch.unlink(missing_ok=True)
        count = self._con.execute("select count(*) from records").fetchone()
        return int(count[0]) if count else 0


def _table(layout: Layout, path: Path) -> str:
    """Write SQL that makes `records` of a file, in which nothing is left to be guessed."""
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in layout.columns)
    return f"""
        create or replace table records as
        select row_number() over () - 1 as {identifier(ROW)}, *
        from read_csv(
            {literal(str(path))}, auto_detect = false, columns = {{{columns}}}, header = false,
            delim = {literal(layout.delimiter)}, quote = {literal(layout.quote)},
            escape = {literal(layout.quote)}, new_line = '\\n', comment = '', skip = 0,
            nullstr = '', allow_quoted_nulls = false, null_padding = false, strict_mode = true,
            ignore_errors = false, compression = 'none', parallel = false
        )"""


def _column(con: DuckDBPyConnection, place: int, feature: Feature) -> Column:
    column, parse = identifier(feature.name), parser(feature)
    code = or_missing(column, _code(con, place, feature, column))
    coerces = BITS.__contains__ if feature.kind == "boolean" else lambda cell: False
    return Column(feature, code, column, parse, coerces)


def _code(con: DuckDBPyConnection, place: int, feature: Feature, column: str) -> str:
    """Write SQL for the code of an ordinary cell; null for what the encoder has to see."""
    match feature.kind:
        case "number" | "integer":
            odd = f"contains({column}, '_') or contains({column}, '+')"  # 1_000 and +-1
            return f"case when {odd} then null else try_cast({column} as double) end"
        case "category":
            return category_code(con, feature, place, column)
        case "boolean":
            return f"case lower({column}) when 'true' then 1.0 when 'false' then 0.0 end::double"
        case "text":
            return f"case when {column} not in ({_MISSING}) then 0.0 end::double"
        case "datetime":
            return "null::double"
