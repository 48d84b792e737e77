"""The columns of the scored file, as expressions of SQL over ``records`` r and ``answers`` a."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from duckdb import DuckDBPyConnection

from functions.batch.formats.layout import Answering, Format, Layout
from functions.batch.formats.sql import identifier, literal
from functions.batch.scoring.columns import Column
from sklambda.errors import InputRefused
from sklambda.signature import Kind, Signature

type Member = tuple[tuple[str, ...], str]
"""The path of a value, and the expression that gives it."""

PREFIX: Final = "predicted_"
"""What stands before the names of an answer where the input has one of them."""


def written(members: Sequence[Member], prefix: str = "''") -> str:
    """Write an object of JSON; `prefix` gives what its names begin with."""
    parts: list[str] = []
    for name in dict.fromkeys(path[0] for path, _ in members):
        own = [(path[1:], sql) for path, sql in members if path[0] == name]
        key = literal(name) if prefix == "''" else f"{prefix} || {literal(name)}"
        parts += [key, own[0][1] if own[0][0] == () else written(own)]
    return f"json_object({', '.join(parts)})"


def joined(members: Sequence[Member]) -> str:
    """Write the members behind those of the object in ``line``.

    Numbers and the order of members stay as they are in the text. A record that has a member of
    a name of the answer has an answer with other names.
    """
    names = {path[0] for path, _ in members}
    repeated = f"repeat('{PREFIX}', {_taken(names)})"
    plain, other = written(members), written(members, repeated)
    free = f"NOT list_has_any(json_keys(line), {_list(names)})"
    answer = f"CAST(CASE WHEN {free} THEN {plain} ELSE {other} END AS VARCHAR)"
    return rf"left(rtrim(line, E' \t\r\n'), -1) || ',' || substr({answer}, 2)"


def _taken(names: Iterable[str]) -> str:
    """Count how often the prefix must stand: once more than in any name that is taken."""
    pattern = f"({PREFIX})*({'|'.join(sorted(names))})"
    alike = f"list_filter(json_keys(line), lambda k: regexp_full_match(k, '{pattern}'))"
    counts = f"list_transform({alike}, lambda k: len(string_split(k, '{PREFIX}')))"
    return f"list_max({counts})"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, sorted(names)))}]"


_TYPES: Final[dict[Kind, str]] = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A column of the input that the scored file repeats.

    Attributes
    ----------
    name : str
        What it is called.
    sql : str
        Its values.
    """

    name: str
    sql: str


def kept(layout: Layout, answering: Answering, signature: Signature) -> list[Kept]:
    """Give the columns that are repeated, in the order of the input where it has one.

    Raises
    ------
    InputRefused
        A column is to be kept that the input does not have.
    """
    if layout.format != "json_lines":
        return [
            Kept(name, f"r.{identifier(name)}") for name in _columns(layout, answering, signature)
        ]
    members = _members(answering, signature)
    return [Kept(name, _member(name, answering.format, signature.kinds)) for name in members]


def _columns(layout: Layout, answering: Answering, signature: Signature) -> list[str]:
    asked = _asked(answering)
    if asked is None:
        return [*layout.columns]
    absent = [name for name in asked if name not in layout.columns]
    if absent:
        raise InputRefused("not_kept", f"there is no column {absent[0]!r} to keep")
    return [name for name in layout.columns if name in asked or name == signature.row_id]


def _members(answering: Answering, signature: Signature) -> list[str]:
    asked = _asked(answering)
    names = list(signature.names) if asked is None else asked
    identity = [] if signature.row_id is None else [signature.row_id]
    return [*identity, *(name for name in dict.fromkeys(names) if name not in identity)]


def _asked(answering: Answering) -> list[str] | None:
    """List the columns that were asked for; None for all that there are."""
    if isinstance(answering.keep, str):
        return None if answering.keep == "all" else []
    return [*answering.keep]


def _member(name: str, into: Format, kinds: dict[str, Kind]) -> str:
    """Take a member of the JSON object in the column ``line``."""
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    if into == "json_lines":
        return f"json_extract(r.line, {pointer})"
    text = f"json_extract_string(r.line, {pointer})"
    kind = _TYPES.get(kinds[name]) if name in kinds and into == "parquet" else None
    return f"CAST({text} AS {kind})" if kind else text


_INEXACT: Final = ("FLOAT", "DOUBLE")


class Selection:
    """What the scored file holds: what is kept of the input, and behind it the answer.

    Parameters
    ----------
    layout : Layout
        How the input is written.
    answering : Answering
        What the scored file is to hold.
    signature : Signature
        The model's.
    columns : sequence of Column
        The columns of the answer, of however many rows.

    Raises
    ------
    InputRefused
        The scored file cannot have the columns that it is to have.

    Attributes
    ----------
    names : list of str
        What the columns are called.
    repeats_lines : bool
        Whether what is kept is whole lines of CSV.
    """

    def __init__(
        self,
        layout: Layout,
        answering: Answering,
        signature: Signature,
        columns: Sequence[Column],
    ) -> None:
        self._into = answering.format
        self._from_parquet = layout.format == "parquet"
        self._whole_lines = layout.format == answering.format == "json_lines" and (
            answering.keep == "all"
        )
        self._kept = kept(layout, answering, signature)
        answered = [one.path[0] if self._into == "json_lines" else one.name for one in columns]
        self.repeats_lines = layout.format == answering.format == "csv" and answering.keep == "all"
        self._prefix = _prefix([one.name for one in self._kept], answered)
        self.names = [*(one.name for one in self._kept), *(self._prefix + n for n in answered)]
        if self._into == "parquet":
            _require_different(self.names)

    def end(self, columns: Sequence[Column]) -> str:
        """List what is selected to stand in CSV behind lines that are repeated as they are.

        Numbers that stand in two columns, as a score does, are written once.
        """
        places: dict[int, int] = {}
        sources = [places.setdefault(id(one.values), place) for place, one in enumerate(columns)]
        answer = [
            f"CAST({_value(source, column)} AS VARCHAR)"
            for source, column in zip(sources, columns, strict=True)
        ]
        return ", ".join(["NULL", *_emptied(answer, columns)])

    def sql(self, con: DuckDBPyConnection, columns: Sequence[Column]) -> str:
        """List what is selected, for `con` with its tables."""
        answer = [_value(place, column) for place, column in enumerate(columns)]
        if self._into == "parquet":
            pairs = zip([*(one.sql for one in self._kept), *answer], self.names, strict=True)
            return ", ".join(f"{sql} AS {identifier(name)}" for sql, name in pairs)
        kept = self._finite(con)
        if self._into == "csv":
            return ", ".join([*(one.sql for one in kept), *_emptied(answer, columns)])
        members = [(column.path, sql) for column, sql in zip(columns, answer, strict=True)]
        return self._object(kept, members)

    def _object(self, kept: Sequence[Kept], members: Sequence[Member]) -> str:
        if self._whole_lines:
            return joined(members)
        prefixed = [((self._prefix + path[0], *path[1:]), sql) for path, sql in members]
        return written([*(((one.name,), one.sql) for one in kept), *prefixed])

    def _finite(self, con: DuckDBPyConnection) -> list[Kept]:
        """Leave out what is not finite, for which only Parquet has a word."""
        if not self._from_parquet:
            return self._kept
        described = con.execute("DESCRIBE records").fetchall()
        inexact = {name for name, kind, *_ in described if kind in _INEXACT}
        return [
            Kept(one.name, f"CASE WHEN isfinite({one.sql}) THEN {one.sql} END")
            if one.name in inexact
            else one
            for one in self._kept
        ]


def name_of(place: int) -> str:
    """Name a column of `answers` by its place."""
    return f"c{place}"


def _value(place: int, column: Column) -> str:
    """Give a column of the answer, of the same type whatever it holds."""
    values = literal(column.values) if isinstance(column.values, str) else f"a.{name_of(place)}"
    return f"CAST({values} AS {column.type})"


def _emptied(answer: Sequence[str], columns: Sequence[Column]) -> Iterator[str]:
    """Take an empty text for none, which CSV writes without quotes."""
    for sql, column in zip(answer, columns, strict=True):
        yield f"nullif({sql}, '')" if column.type == "VARCHAR" else sql


def _prefix(kept: Sequence[str], answered: Sequence[str]) -> str:
    """Tell apart the names of the answer from those that are kept, as databases compare names."""
    taken, prefix = {name.casefold() for name in kept}, ""
    while not taken.isdisjoint((prefix + name).casefold() for name in answered):
        prefix += PREFIX
    return prefix


def _require_different(names: Sequence[str]) -> None:
    counts = Counter(name.casefold() for name in names)
    alike = [name for name in names if counts[name.casefold()] > 1]
    if alike:
        raise InputRefused("names_alike", f"Parquet takes {' and '.join(alike)} for one name")
