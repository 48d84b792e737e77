"""Typed columns of Parquet: a value must be of the type that JSON would have it."""

from datetime import UTC, datetime
from typing import Final

from duckdb import DuckDBPyConnection

from functions.batch.tables.doubts import Column, Parse
from functions.batch.tables.sql import category_code, identifier, or_missing
from sklambda.signature import Feature

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
