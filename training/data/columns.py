"""The columns of a file: the cells of CSV, and values of one type each, stated or inferred."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.datetimes import datetime_encoder
from sklambda.errors import InputRefused, ValueRefused
from sklambda.reading import sniffing
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import Cell, MalformedRecord, plain_records, spans, split_cells
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


_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|", " ": "blank"}
_FEW: Final = 5
_LINES_BEFORE: Final = (
    ": where other lines stand before the header, state how many as `data.read.skip`, or the sign "
    "that they begin with as `data.read.comment`"
)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The cells of a CSV file.

    Attributes
    ----------
    columns : mapping of str to list of str or None
        [n] cells each, None for an empty one without quotes.
    dialect : Dialect
        How its records are written.
    encoding : str
        Of its bytes.
    """

    columns: Mapping[str, list[Cell]]
    dialect: Dialect
    encoding: str

    def __str__(self) -> str:
        dialect = self.dialect
        delimiter = _NAMES.get(dialect.delimiter, repr(dialect.delimiter))
        parts = ["CSV", f"delimiter {delimiter}", self.encoding.upper()]
        if dialect.quote != '"':
            parts.append(f"quote {dialect.quote}" if dialect.quote else "no quotes")
        if dialect.escape is not None:
            parts.append(f"escape {dialect.escape}")
        return ", ".join(parts)


def cells_of(content: bytes, reading: Reading, wanted: Collection[str] = ()) -> CsvTable:
    """Return the cells of a file.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    reading : Reading
        The rules.
    wanted : collection of str
        Columns that the header is expected to name.

    Raises
    ------
    DataError
        It is empty or no text, a record is malformed or has another number of cells than the
        header, or a column has no name or the name of another. No value is repeated.
    """
    encoding = sniffing.encoding_of(content, reading)
    text = _in_utf8(content, encoding)
    try:
        found = sniffing.sniff(text[: sniffing.HEAD], reading, wanted)
    except InputRefused as refused:
        raise DataError(refused.detail) from None
    _check_names(found)
    records = _records(text, found)
    cells = zip(*records, strict=True) if records else ([] for _ in found.columns)
    columns = {name: [*column] for name, column in zip(found.columns, cells, strict=True)}
    return CsvTable(columns, found.dialect, encoding)


def _in_utf8(content: bytes, encoding: str) -> bytes:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"line {line} is not {encoding.upper()}: save the file in UTF-8, or state its encoding "
            'by `data.read.encoding`, such as "cp1252"'
        ) from None
    return content if encoding == "utf-8" else text.encode()


def _check_names(found: sniffing.Sniffed) -> None:
    if not all(name.strip() for name in found.columns):
        raise DataError(
            "the first line leaves a column without a name, as pandas does when it writes row "
            "numbers: to_csv(..., index=False)"
        )
    doubled = [name for name, count in Counter(found.columns).items() if count > 1]
    if doubled:
        names = ", ".join(f"`{name}`" for name in doubled[:_FEW])
        raise DataError(f"the first line names {names} twice")
    if found.has_header and all(_is_number(name) for name in found.columns):
        raise DataError(
            "the first line has numbers for names: where the file has no header, list its columns "
            "in `data.read.names`"
        )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _records(text: bytes, found: sniffing.Sniffed) -> Sequence[list[Cell]]:
    content, width = text[found.start :], len(found.columns)
    rows = plain_records(content, found.dialect)
    if rows is not None and all(len(row) == width for row in rows):
        return rows
    where = spans(content, found.dialect)
    records: list[list[Cell]] = []
    for start, end in zip(where.starts.tolist(), where.ends.tolist(), strict=True):
        try:
            cells = split_cells(content[start:end], found.dialect)
        except MalformedRecord as error:
            raise DataError(f"{_place(text, found.start + start)} {error}") from None
        if len(cells) != width:
            lines = _LINES_BEFORE if len(records) < _FEW and len(cells) > width else ""
            raise DataError(
                f"{_place(text, found.start + start)} has {len(cells)} cells, and the header names "
                f"{width} columns{lines}"
            )
        records.append(cells)
    return records


def _place(text: bytes, position: int) -> str:
    return f"the record of line {text.count(b'\n', 0, position) + 1}"
