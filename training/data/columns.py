"""The cells of a CSV column as values of one type, stated or inferred."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.datetimes import datetime_encoder
from sklambda.errors import ValueRefused
from sklambda.reading.records import Cell
from sklambda.reading.rules import Reading
from sklambda.reading.values import BOOLEANS, cell_parser, missing_words, number_parser
from sklambda.signature import Kind
from training.errors import DataError

type Column = pd.Series[Any]

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMPY: Final = {"integer": "int64", "number": "float64"}
_EXPECTED: Final = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false, or a spelling in `data.read.true` and `false`",
    "datetime": "a date such as 2026-11-22, or of the format in `data.read.dates`, with an offset "
    "only beside `data.read.zone`",
}


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of a table.

    Attributes
    ----------
    values : Series
        [n], missing cells as NaN, or as None beside booleans.
    kind : Kind
        What its cells are.
    """

    values: Column
    kind: Kind


def typed(
    name: str, cells: Sequence[Cell], reading: Reading, stated: Kind | None = None
) -> TypedColumn:
    """Return the values of a column.

    Parameters
    ----------
    name : str
        The column.
    cells : sequence of str or None
        [n], as `sklambda.reading.records.split_cells` returns them.
    reading : Reading
        The rules.
    stated : Kind, optional
        Its type; by default that of all its cells that are not missing: whole numbers, numbers,
        true and false, and else categories.

    Raises
    ------
    DataError
        A cell is not of the stated type; names the record and no value.
    """
    codes, distinct = pd.factorize(np.array(cells, dtype=object))  # of None -1, the last value
    words = missing_words(reading)
    present = [cell for cell in distinct if cell not in words]
    kind = stated or infer(present, reading)
    parse = cell_parser(reading, name, kind)
    values = {cell: parse(cell) for cell in distinct}
    wrong = {cell for cell in present if not _is_of(kind, values[cell])}
    if wrong:
        places = np.flatnonzero([cell in wrong for cell in cells])
        raise DataError(
            f"column `{name}`: record {places[0] + 1}, and {len(places) - 1} more, must have "
            f"{_EXPECTED[kind]}: state `data.read.types.{name}` otherwise, or list the words that "
            "mean a missing value in `data.read.missing`"
        )
    return TypedColumn(_series(name, [*values.values(), None], codes, kind), kind)


def infer(present: Sequence[str], reading: Reading) -> Kind:
    """Return the type of distinct cells that are not missing."""
    if not present:
        return "number"
    number = number_parser(reading)
    first = number(present[0])
    numbers = [] if isinstance(first, str) else [*map(number, present)]
    if numbers and not any(isinstance(each, str) for each in numbers):
        whole = all(
            isinstance(each, int)
            or (isinstance(each, float) and each.is_integer() and _INTEGER.fullmatch(cell))
            for each, cell in zip(numbers, present, strict=True)
        )
        return "integer" if whole else "number"
    booleans = {*reading.true, *reading.false}
    if all(cell.lower() in BOOLEANS or cell in booleans for cell in present):
        return "boolean"
    return "category"


def _is_of(kind: Kind, value: object) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float))
        case "boolean":
            return isinstance(value, bool)
        case "datetime":
            return _is_moment(value)
    return True


def _is_moment(value: object) -> bool:
    try:
        datetime_encoder("ns")(value)
    except ValueRefused:
        return False
    return True


def typed_values(name: str, values: Sequence[Any], stated: Kind | None = None) -> TypedColumn:
    """Return a column of values that have types already, as JSON and Parquet hold them.

    Raises
    ------
    DataError
        The values have several types, or one that no feature has, or are not of the stated type.
    """
    found = {_type_of(value) for value in values if value is not None}
    if found == {"integer", "number"}:
        found = {"number"}
    kind = found.pop() if found else "number"
    if found or kind is None:
        raise DataError(
            f"column `{name}` has mixed types or nested values: expected numbers, booleans, texts "
            "or dates alone"
        )
    wide = {("integer", "number"), ("category", "text"), ("category", "datetime")}
    if stated is not None and stated != kind and (kind, stated) not in wide:
        raise DataError(
            f"column `{name}` has values of type {kind}, and `data.read.types.{name}` is {stated}: "
            "convert it in the file, or leave the key out"
        )
    plain = [_plain(value) for value in values]
    return TypedColumn(_series(name, plain, np.arange(len(plain)), stated or kind), stated or kind)


def _type_of(value: object) -> Kind | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, (float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "category"
    return (
        "datetime" if isinstance(value, date) and getattr(value, "tzinfo", None) is None else None
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def _series(name: str, values: list[Any], codes: NDArray[np.intp], kind: Kind) -> Column:
    """Return the series of the values that codes choose."""
    absent = np.array([value is None or value != value for value in values], dtype=bool)
    missing = bool(absent[codes].any())
    present = [None if no else value for value, no in zip(values, absent.tolist(), strict=True)]
    if kind in ("integer", "number"):
        large = kind == "integer" and any(abs(value or 0) >= 2**63 for value in present)
        dtype = object if large else "float64" if missing else _NUMPY[kind]
        blank = np.nan if missing else 0  # 0 is of no row
        filled = np.array([blank if value is None else value for value in present], dtype=dtype)
        return pd.Series(filled[codes], name=name)
    chosen = np.array(present, dtype=object)[codes]
    if kind == "datetime":
        try:
            moments = pd.to_datetime(pd.Series(chosen), format="ISO8601")
        except ValueError:
            raise DataError(
                f"column `{name}` must have {_EXPECTED[kind]}, and no time zones of several kinds"
            ) from None
        return moments.rename(name)
    if kind == "boolean":
        return pd.Series(chosen, dtype=object if missing else bool, name=name)
    return pd.Series(chosen, dtype="str", name=name)
