"""Reads rows of Parquet; a value must have the type that it would have in JSON."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.encoding import FeatureColumn, Parse, TableEncoder
from functions.batch.formats.layout import Layout, require_columns
from functions.batch.formats.slices import ROW, EncodedSlice, Slice
from functions.batch.formats.sql import category_code, connect, identifier, literal, or_missing
from sklambda.errors import InputRefused
from sklambda.signature import Feature, Signature

_SIZES: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS: Final = frozenset(("FLOAT", "DOUBLE", *_SIZES, *(f"U{size}" for size in _SIZES)))
_DATETIMES: Final = frozenset(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"))
_DATETIME_WITH_OFFSET: Final = "TIMESTAMP WITH TIME ZONE"
_ROW_NUMBER: Final = "file_row_number"
"""DuckDB's name of the number of a row, from 0."""

_OTHER_TYPE: Final = object()
"""Stands for a value of a type that the codec refuses."""
_ANY_WITH_OFFSET: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a datetime with an offset, which the codec refuses by a code of its own."""


class ParquetReader:
    """Reads rows of Parquet.

    Parameters
    ----------
    layout : Layout
        The names of the columns.
    signature : Signature
        Names the features among them.
    folder : Path
        For what the database cannot hold in memory.
    """

    def __init__(self, layout: Layout, signature: Signature, folder: Path) -> None:
        self._con, self._signature = connect(folder), signature
        self._selected = ", ".join(map(identifier, layout.columns))
        self._encoder: tuple[dict[str, str], TableEncoder] | None = None

    def read(self, part: Slice) -> EncodedSlice:
        """Read and encode a slice; the one read before is dropped."""
        first, after = part.rows
        self._load(part, first, after)
        encoded = self._encoder_of_types().encode()
        return encoded.to_slice(self._con, after - first, np.arange(after - first), [])

    def clear(self) -> None:
        """Drop the slice and its files."""
        self._con.execute("drop table if exists records")

    def _load(self, part: Slice, first: int, after: int) -> None:
        try:
            self.clear()  # whose memory is needed
            loaded = self._con.execute(
                f"create or replace table records as"
                f" select {_ROW_NUMBER} - {first} as {identifier(ROW)}, {self._selected}"
                f" from read_parquet({literal(str(part.path))}, {_ROW_NUMBER} = true)"
                f" where {_ROW_NUMBER} >= {first} and {_ROW_NUMBER} < {after}"
            ).fetchone()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            raise InputRefused("damaged", f"rows {first} to {after} cannot be read") from None
        if loaded != (after - first,):
            raise InputRefused("damaged", f"some of the rows {first} to {after} are missing")

    def _encoder_of_types(self) -> TableEncoder:
        """Return the encoder, which depends on the types of the columns."""
        described = self._con.execute("describe records").fetchall()
        types = {name: str(type_) for name, type_, *_ in described}
        if self._encoder is None or self._encoder[0] != types:
            features = enumerate(self._signature.features)
            columns = [
                _column(self._con, place, feature, types[feature.name])
                for place, feature in features
            ]
            self._encoder = types, TableEncoder(self._con, self._signature, columns)
        return self._encoder[1]


def layout(path: Path, signature: Signature) -> Layout:
    """Read the columns of a file.

    Raises
    ------
    InputRefused
        The file is not Parquet, lacks a feature, or has two columns of one name.
    """
    names = _names(path)
    require_columns(names, signature)
    if _ROW_NUMBER in map(str.lower, names):
        raise InputRefused("column_reserved", f"the column name `{_ROW_NUMBER}` is reserved")
    return Layout("parquet", tuple(names))


def _names(path: Path) -> list[str]:
    """Return the names of the columns at the top level."""
    query = f"select name, num_children from parquet_schema({literal(str(path))})"
    try:
        with connect(path.parent) as con:
            schema = con.execute(query).fetchall()
    except duckdb.Error:
        raise InputRefused("not_parquet", "the file is not Parquet, or is damaged") from None
    names, nested = list[str](), 0
    for name, children in schema[1:]:
        if not nested:
            names.append(str(name))
        nested += int(children or 0) - (1 if nested else 0)
    return names


def _column(con: DuckDBPyConnection, place: int, feature: Feature, type_: str) -> FeatureColumn:
    name = identifier(feature.name)
    code = or_missing(name, _code(con, place, feature, type_))
    return FeatureColumn(feature, code, _value(feature, name, type_), _parser(feature, type_))


def _code(con: DuckDBPyConnection, place: int, feature: Feature, type_: str) -> str:
    """Return SQL of the code of an ordinary value; null for one that the codec must encode."""
    name, text = identifier(feature.name), _is_text(type_)
    match feature.kind:
        case "number" | "integer" if type_ in _NUMBERS:
            return f"{name}::double"
        case "number" | "integer" if _is_decimal(type_):
            return _nearest_float(name)
        case "boolean" if type_ == "BOOLEAN":
            return f"{name}::integer::double"
        case "category" if text:
            return category_code(con, feature, place, f"{name}::varchar")
        case "text" if text:
            return f"case when {name} is not null then 0.0 end::double"
    return "null::double"


def _value(feature: Feature, name: str, type_: str) -> str:
    """Return SQL of the value itself, as text where Python has no such type."""
    if _is_decimal(type_) and feature.kind in ("number", "integer"):
        return _nearest_float(name)
    plain = type_ in _NUMBERS or type_ == "BOOLEAN"
    return name if plain else f"{name}::varchar"


def _parser(feature: Feature, type_: str) -> Parse:
    """Return the function that replaces the text of a value whose type the codec refuses."""
    number, moment = feature.kind in ("number", "integer"), feature.kind == "datetime"
    plain = type_ in _NUMBERS or type_ == "BOOLEAN" or _is_text(type_)
    if plain or (number and _is_decimal(type_)) or (moment and type_ in _DATETIMES):
        return lambda value: value
    other = _ANY_WITH_OFFSET if moment and type_ == _DATETIME_WITH_OFFSET else _OTHER_TYPE
    return lambda value: None if value is None else other


def _is_text(type_: str) -> bool:
    return type_ == "VARCHAR" or (type_.startswith("ENUM(") and not type_.endswith("]"))


def _is_decimal(type_: str) -> bool:
    return type_.startswith("DECIMAL(") and not type_.endswith("]")


def _nearest_float(name: str) -> str:
    """Return SQL of the float nearest to a decimal; dividing it by its scale may miss that."""
    return f"{name}::varchar::double"
