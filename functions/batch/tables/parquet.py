"""Reads rows of Parquet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from functions.batch.database import connect
from functions.batch.heads import require_columns
from functions.batch.layout import Layout
from functions.batch.reading import ROW, Reading
from functions.batch.slices import Slice
from functions.batch.tables.encoding import Encoding
from functions.batch.tables.sql import identifier, literal
from functions.batch.tables.types import column
from sklambda.errors import InputRefused
from sklambda.signature import Signature

_NUMBER: Final = "file_row_number"
"""What DuckDB calls the number of a row, from 0."""


@dataclass(frozen=True, slots=True)
class Group:
    """A row group of a file.

    Attributes
    ----------
    rows : int
        How many it has.
    start, end : int
        Its first byte, and the one after its last.
    """

    rows: int
    start: int
    end: int


class ParquetReader:
    """Reads rows of Parquet.

    Parameters
    ----------
    layout : Layout
        The names of the columns.
    signature : Signature
        Whose features are among them.
    folder : Path
        Where the database may leave what does not fit in memory.
    """

    def __init__(self, layout: Layout, signature: Signature, folder: Path) -> None:
        self._con, self._signature = connect(folder), signature
        self._selected = ", ".join(map(identifier, layout.columns))
        self._encoding: tuple[dict[str, str], Encoding] | None = None

    def read(self, part: Slice) -> Reading:
        """Read a slice; what was read before it is gone."""
        first, after = part.rows
        self._load(part, first, after)
        encoded = self._encoder().encode()
        return encoded.reading(self._con, after - first, np.arange(after - first), [])

    def clear(self) -> None:
        """Forget the slice, and leave no file of it."""
        self._con.execute("drop table if exists records")

    def _load(self, part: Slice, first: int, after: int) -> None:
        try:
            self.clear()  # whose memory is needed
            done = self._con.execute(
                f"create or replace table records as"
                f" select {_NUMBER} - {first} as {identifier(ROW)}, {self._selected}"
                f" from read_parquet({literal(str(part.path))}, {_NUMBER} = true)"
                f" where {_NUMBER} >= {first} and {_NUMBER} < {after}"
            ).fetchone()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            raise InputRefused("damaged", f"rows {first} to {after} cannot be read") from None
        if done != (after - first,):
            raise InputRefused("damaged", f"rows {first} to {after} are not all there")

    def _encoder(self) -> Encoding:
        """Make the encoding, which depends on the types of the columns."""
        described = self._con.execute("describe records").fetchall()
        types = {name: str(kind) for name, kind, *_ in described}
        if self._encoding is None or self._encoding[0] != types:
            features = enumerate(self._signature.features)
            columns = [column(self._con, place, one, types[one.name]) for place, one in features]
            self._encoding = types, Encoding(self._con, self._signature, columns)
        return self._encoding[1]


def layout(path: Path, signature: Signature) -> Layout:
    """Find the columns of a file.

    Raises
    ------
    InputRefused
        It is no Parquet, or lacks a feature, or two columns have one name.
    """
    names = _names(path)
    require_columns(names, signature)
    if _NUMBER in map(str.lower, names):
        raise InputRefused("column_reserved", f"no column may be named `{_NUMBER}`")
    return Layout("parquet", tuple(names))


def _names(path: Path) -> list[str]:
    """Give the names of the columns, without those of what is nested in them."""
    schema = _asked(path, "select name, num_children from parquet_schema({})")
    names, nested = list[str](), 0
    for name, children in schema[1:]:
        if not nested:
            names.append(str(name))
        nested += int(children or 0) - (1 if nested else 0)
    return names


def groups(path: Path) -> list[Group]:
    """Give the row groups of a file, in order; raises `InputRefused` if it is no Parquet."""
    found = _asked(
        path,
        "select any_value(row_group_num_rows),"
        " min(least(data_page_offset, nullif(dictionary_page_offset, 0))),"
        " max(least(data_page_offset, nullif(dictionary_page_offset, 0)) + total_compressed_size)"
        " from parquet_metadata({}) group by row_group_id order by row_group_id",
    )
    return [Group(*map(int, row)) for row in found]


def _asked(path: Path, query: str) -> list[tuple[Any, ...]]:
    try:
        with connect(path.parent) as con:
            return con.execute(query.format(literal(str(path)))).fetchall()
    except duckdb.Error:
        raise InputRefused("not_parquet", "it is no Parquet file, or a damaged one") from None
