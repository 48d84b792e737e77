"""The columns of the scored file, as SQL over the tables ``records`` r and ``outputs`` o.

First the input columns that are repeated, then the output columns; for JSON Lines both are
members of one object.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from duckdb import DuckDBPyConnection

from functions.batch.formats.layout import Layout, OutputOptions
from functions.batch.formats.sql import identifier, literal
from functions.batch.scoring.columns import OutputColumn
from sklambda.errors import InputRefused
from sklambda.reading.suffixes import Format
from sklambda.signature import Kind, Signature

type Member = tuple[tuple[str, ...], str]
"""The path of a value in a JSON object, and its SQL."""

PREFIX: Final = "predicted_"
"""Precedes the names of the output where the input has a column of one of them."""

_TYPES: Final[dict[Kind, str]] = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN"}
_FLOATS: Final = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column of the input that the scored file repeats.

    Attributes
    ----------
    name : str
        Its name.
    sql : str
        SQL of its values.
    """

    name: str
    sql: str


class Selection:
    """Selects the columns of the scored file.

    Parameters
    ----------
    layout : Layout
        How the input is laid out.
    options : OutputOptions
        What the scored file holds.
    signature : Signature
        Of the model.
    columns : sequence of OutputColumn
        The output columns, of any number of rows.

    Raises
    ------
    InputRefused
        A column to keep is missing, or two columns of Parquet have one name.

    Attributes
    ----------
    names : list of str
        The names of the columns.
    repeats_lines : bool
        Whether whole lines of CSV are repeated.
    """

    def __init__(
        self,
        layout: Layout,
        options: OutputOptions,
        signature: Signature,
        columns: Sequence[OutputColumn],
    ) -> None:
        self._format = options.format
        self._from_parquet = layout.format == "parquet"
        self._repeats_objects = layout.format == options.format == "json_lines" and (
            options.keep == "all"
        )
        self._inputs = _input_columns(layout, options, signature)
        outputs = [one.path[0] if self._format == "json_lines" else one.name for one in columns]
        self.repeats_lines = layout.format == options.format == "csv" and options.keep == "all"
        self._prefix = _prefix([one.name for one in self._inputs], outputs)
        self.names = [*(one.name for one in self._inputs), *(self._prefix + n for n in outputs)]
        if self._format == "parquet":
            _require_different(self.names)

    def outputs_sql(self, columns: Sequence[OutputColumn]) -> str:
        """Return the select list of the output columns of CSV, to follow a repeated line.

        Numbers that are in two columns, as a score is, are converted once.
        """
        places: dict[int, int] = {}
        sources = [places.setdefault(id(one.values), place) for place, one in enumerate(columns)]
        outputs = [
            f"CAST({_value(source, column)} AS VARCHAR)"
            for source, column in zip(sources, columns, strict=True)
        ]
        return ", ".join(["NULL", *_empty_to_null(outputs, columns)])

    def sql(self, con: DuckDBPyConnection, columns: Sequence[OutputColumn]) -> str:
        """Return the select list of all columns, for `con` with its tables."""
        outputs = [_value(place, column) for place, column in enumerate(columns)]
        if self._format == "parquet":
            pairs = zip([*(one.sql for one in self._inputs), *outputs], self.names, strict=True)
            return ", ".join(f"{sql} AS {identifier(name)}" for sql, name in pairs)
        inputs = self._finite_inputs(con)
        if self._format == "csv":
            return ", ".join([*(one.sql for one in inputs), *_empty_to_null(outputs, columns)])
        members = [(column.path, sql) for column, sql in zip(columns, outputs, strict=True)]
        if self._repeats_objects:
            return extended_line(members)
        prefixed = [((self._prefix + path[0], *path[1:]), sql) for path, sql in members]
        return json_object([*(((one.name,), one.sql) for one in inputs), *prefixed])

    def _finite_inputs(self, con: DuckDBPyConnection) -> list[InputColumn]:
        """Replace what is not finite by null: only Parquet can hold it."""
        if not self._from_parquet:
            return self._inputs
        described = con.execute("DESCRIBE records").fetchall()
        floats = {name for name, type_, *_ in described if type_ in _FLOATS}
        return [
            InputColumn(one.name, f"CASE WHEN isfinite({one.sql}) THEN {one.sql} END")
            if one.name in floats
            else one
            for one in self._inputs
        ]


def column_name(place: int) -> str:
    """Return the name of a column of `outputs`."""
    return f"c{place}"


def _value(place: int, column: OutputColumn) -> str:
    """Return SQL of an output column, whose type does not depend on its values."""
    constant = column.values if isinstance(column.values, str) else None
    values = f"o.{column_name(place)}" if constant is None else literal(constant)
    return f"CAST({values} AS {column.type})"


def _empty_to_null(outputs: Sequence[str], columns: Sequence[OutputColumn]) -> Iterator[str]:
    """Replace an empty text by null, which CSV writes without quotes."""
    for sql, column in zip(outputs, columns, strict=True):
        yield f"nullif({sql}, '')" if column.type == "VARCHAR" else sql


def _prefix(inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return the prefix that makes output names differ from input names, case ignored."""
    folded, prefix = {name.casefold() for name in inputs}, ""
    while not folded.isdisjoint((prefix + name).casefold() for name in outputs):
        prefix += PREFIX
    return prefix


def _require_different(names: Sequence[str]) -> None:
    counts = Counter(name.casefold() for name in names)
    duplicates = [name for name in names if counts[name.casefold()] > 1]
    if duplicates:
        listed = " and ".join(duplicates)
        raise InputRefused(
            "names_alike", f"columns of Parquet must differ by more than case, got {listed}"
        )


def _input_columns(
    layout: Layout, options: OutputOptions, signature: Signature
) -> list[InputColumn]:
    """Return the columns to repeat, in the order of the input where it has one.

    Raises
    ------
    InputRefused
        A column to keep is missing in the input.
    """
    if layout.format != "json_lines":
        names = _names_in_table(layout, options, signature)
        return [InputColumn(name, f"r.{identifier(name)}") for name in names]
    names = _names_in_objects(options, signature)
    return [InputColumn(name, _member(name, options.format, signature.kinds)) for name in names]


def _names_in_table(layout: Layout, options: OutputOptions, signature: Signature) -> list[str]:
    requested = _requested_names(options)
    if requested is None:
        return [*layout.columns]
    absent = [name for name in requested if name not in layout.columns]
    if absent:
        raise InputRefused("not_kept", f"the input has no column {absent[0]!r} to keep")
    return [name for name in layout.columns if name in requested or name == signature.row_id]


def _names_in_objects(options: OutputOptions, signature: Signature) -> list[str]:
    requested = _requested_names(options)
    names = list(signature.names) if requested is None else requested
    identity = [] if signature.row_id is None else [signature.row_id]
    return [*identity, *(name for name in dict.fromkeys(names) if name not in identity)]


def _requested_names(options: OutputOptions) -> list[str] | None:
    """Return the columns to keep; None for all."""
    if isinstance(options.keep, str):
        return None if options.keep == "all" else []
    return [*options.keep]


def _member(name: str, into: Format, kinds: dict[str, Kind]) -> str:
    """Return SQL of a member of the JSON object in the column ``line``."""
    if into == "json_lines":
        return f"json_extract(r.line, {_pointer(name)})"
    text = member_text(name)
    type_ = _TYPES.get(kinds[name]) if name in kinds and into == "parquet" else None
    return f"CAST({text} AS {type_})" if type_ else text


def member_text(name: str) -> str:
    """Return SQL of the text of a member of the JSON object in the column ``line``."""
    return f"json_extract_string(r.line, {_pointer(name)})"


def _pointer(name: str) -> str:
    return literal("/" + name.replace("~", "~0").replace("/", "~1"))


def json_object(members: Sequence[Member], prefix: str = "''") -> str:
    """Return SQL of a JSON object; `prefix` is SQL of a text that precedes the names."""
    arguments: list[str] = []
    for name in dict.fromkeys(path[0] for path, _ in members):
        own = [(path[1:], sql) for path, sql in members if path[0] == name]
        key = literal(name) if prefix == "''" else f"{prefix} || {literal(name)}"
        arguments += [key, own[0][1] if own[0][0] == () else json_object(own)]
    return f"json_object({', '.join(arguments)})"


def extended_line(members: Sequence[Member]) -> str:
    """Return SQL of the JSON object in ``line`` with further members at its end.

    The object stays as it is in the text: its numbers, and the order of its members. If it has a
    member of one of the new names, all new names get a prefix.
    """
    names = {path[0] for path, _ in members}
    prefix = f"repeat('{PREFIX}', {_prefixes(names)})"
    plain, prefixed = json_object(members), json_object(members, prefix)
    free = f"NOT list_has_any(json_keys(line), {_list(names)})"
    output = f"CAST(CASE WHEN {free} THEN {plain} ELSE {prefixed} END AS VARCHAR)"
    return rf"left(rtrim(line, E' \t\r\n'), -1) || ',' || substr({output}, 2)"


def _prefixes(names: Iterable[str]) -> str:
    """Return SQL of the number of prefixes: one more than the most in a name of the input."""
    pattern = f"({PREFIX})*({'|'.join(sorted(names))})"
    alike = f"list_filter(json_keys(line), lambda k: regexp_full_match(k, '{pattern}'))"
    counts = f"list_transform({alike}, lambda k: len(string_split(k, '{PREFIX}')))"
    return f"list_max({counts})"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, sorted(names)))}]"
