"""Reads slices of CSV."""

from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from functions.batch.formats.csv_cells import BITS, MISSING, parser
from functions.batch.formats.csv_repair import Piece, mended, plain
from functions.batch.formats.encoding import Column, Encoded, Encoding
from functions.batch.formats.layout import Layout
from functions.batch.formats.reading import ROW, Reading, Slice
from functions.batch.formats.sql import category_code, connect, identifier, literal, or_missing
from sklambda.signature import Feature, Signature

_ODD: Final = (b"_", b"+")
"""Signs of what the database takes for a number and Python does not: 1_000 and +-1."""
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
        self._view = _view(layout, self._scratch)
        self._others = [name for name in layout.columns if name not in signature.names]
        self._encodings = {odd: self._encoding(signature, odd) for odd in (False, True)}

    def _encoding(self, signature: Signature, odd: bool) -> Encoding:
        features = enumerate(signature.features)
        columns = [_column(self._con, place, one, odd) for place, one in features]
        return Encoding(self._con, signature, columns, self._keep, self._others)

    def read(self, part: Slice) -> Reading:
        """Read a slice; what was read before it is gone."""
        piece = plain(part.content, self._layout)
        encoded = piece and self._tried(piece)
        if not piece or not encoded:
            piece = mended(part.content, self._layout)
            encoded = self._encoded(piece)
        if len(encoded.X) != len(piece.places):
            raise RuntimeError("the database counts other records than there are")
        lines = self._lines(piece)
        return encoded.reading(self._con, piece.read, piece.places, piece.rejects, lines)

    def clear(self) -> None:
        """Forget the slice, and leave no file of it."""
        self._con.execute("drop table if exists kept")
        self._scratch.unlink(missing_ok=True)

    def _tried(self, piece: Piece) -> Encoded | None:
        try:
            encoded = self._encoded(piece)
        except duckdb.InvalidInputException:
            return None
        return encoded if len(encoded.X) == len(piece.places) else None

    def _encoded(self, piece: Piece) -> Encoded:
        """Make `records` of well-formed records, read when it is asked for, and encode it."""
        self.clear()  # whose memory is needed
        self._scratch.write_bytes(piece.content)
        self._con.execute(self._view)
        odd = any(sign in piece.content for sign in _ODD)
        return self._encodings[odd].encode()

    def _keep(self) -> None:
        self._con.execute("create table if not exists kept as from records")
        self._con.execute("create or replace view records as from kept")

    def _lines(self, piece: Piece) -> bytes | None:
        """Give the records if a writer would write them as they are: it quotes a # too."""
        altered = self._layout.quote.encode(), b"\r", b"#"
        return None if any(sign in piece.content for sign in altered) else piece.content


def _view(layout: Layout, path: Path) -> str:
    """Write SQL that makes `records` of a file, in which nothing is left to be guessed."""
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in layout.columns)
    return f"""
        create or replace view records as
        select row_number() over () - 1 as {identifier(ROW)}, *
        from read_csv(
            {literal(str(path))}, auto_detect = false, columns = {{{columns}}}, header = false,
            delim = {literal(layout.delimiter)}, quote = {literal(layout.quote)},
            escape = {literal(layout.quote)}, new_line = '\\n', comment = '', skip = 0,
            nullstr = '', allow_quoted_nulls = false, null_padding = false, strict_mode = true,
            ignore_errors = false, compression = 'none', parallel = false
        )"""


def _column(con: DuckDBPyConnection, place: int, feature: Feature, odd: bool) -> Column:
    column, parse = identifier(feature.name), parser(feature)
    code = or_missing(column, _code(con, place, feature, column, odd))
    coerces = BITS.__contains__ if feature.kind == "boolean" else lambda cell: False
    return Column(feature, code, column, parse, coerces)


def _code(con: DuckDBPyConnection, place: int, feature: Feature, column: str, odd: bool) -> str:
    """Write SQL for the code of an ordinary cell; null for what the encoder has to see."""
    match feature.kind:
        case "number" | "integer":
            number = f"try_cast({column} as double)"
            signs = " or ".join(f"contains({column}, '{sign.decode()}')" for sign in _ODD)
            return f"case when not ({signs}) then {number} end" if odd else number
        case "category":
            return category_code(con, feature, place, column)
        case "boolean":
            return f"case lower({column}) when 'true' then 1.0 when 'false' then 0.0 end::double"
        case "text":
            return f"case when {column} not in ({_MISSING}) then 0.0 end::double"
        case "datetime":
            return "null::double"
