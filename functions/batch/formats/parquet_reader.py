"""Reads rows of Parquet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.encoding import Column, Encoding, Parse
from functions.batch.formats.layout import Layout, require_columns
from functions.batch.formats.reading import ROW, Reading, Slice
from functions.batch.formats.sql import category_code, connect, identifier, literal, or_missing
from sklambda.errors import InputRefused
from sklambda.signature import Feature, Signature

_SIZES: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS: Final = frozenset(("FLOAT", "DOUBLE", *_SIZES, *(f"U{size}" for size in _SIZES)))
_MOMENTS: Final = frozenset(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"))
_ZONED: Final = "TIMESTAMP WITH TIME ZONE"

_ALIEN: Final = object()
_MOMENT_WITH_OFFSET: Final = datetime(1970, 1, 1, tzinfo=UTC)


def column(con: DuckDBPyConnection, place: int, feature: Feature, type_: str) -> Column:
    """Say how a feature is taken from a column of a type."""
    name = identifier(feature.name)
    code = or_missing(name, _code(con, place, feature, type_))
    return Column(feature, code, _value(feature, name, type_), _parse(feature, type_))


def _code(con: DuckDBPyConnection, place: int, feature: Feature, type_: str) -> str:
    """Write SQL for the code of an ordinary value; null for what the encoder has to see."""
    name, text = identifier(feature.name), _is_text(type_)
    match feature.kind:
        case "number" | "integer" if type_ in _NUMBERS:
            return f"{name}::double"
        case "number" | "integer" if _is_decimal(type_):
            return _nearest(name)
        case "boolean" if type_ == "BOOLEAN":
            return f"{name}::integer::double"
        case "category" if text:
            return category_code(con, feature, place, f"{name}::varchar")
        case "text" if text:
            return f"case when {name} is not null then 0.0 end::double"
    return "null::double"


def _value(feature: Feature, name: str, type_: str) -> str:
    """Write SQL for the value itself, or a text in place of what Python has no such value for."""
    if _is_decimal(type_) and feature.kind in ("number", "integer"):
        return _nearest(name)
    plain = type_ in _NUMBERS or type_ == "BOOLEAN"
    return name if plain else f"{name}::varchar"


def _parse(feature: Feature, type_: str) -> Parse:
    """Make the function that puts a value of a foreign type in place of its text."""
    number, moment = feature.kind in ("number", "integer"), feature.kind == "datetime"
    plain = type_ in _NUMBERS or type_ == "BOOLEAN" or _is_text(type_)
    if plain or (number and _is_decimal(type_)) or (moment and type_ in _MOMENTS):
        return lambda value: value
    other = _MOMENT_WITH_OFFSET if moment and type_ == _ZONED else _ALIEN
    return lambda value: None if value is None else other


def _is_text(type_: str) -> bool:
    return type_ == "VARCHAR" or (type_.startswith("ENUM(") and not type_.endswith("]"))


def _is_decimal(type_: str) -> bool:
    return type_.startswith("DECIMAL(") and not type_.endswith("]")


def _nearest(name: str) -> str:
    """Write SQL for the float nearest to a decimal, which dividing it by its scale may miss."""
    return f"{name}::varchar::double"


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
