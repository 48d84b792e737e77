"""The columns of the scored file, as expressions of SQL over ``records`` r and ``answers`` a."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from duckdb import DuckDBPyConnection

from functions.batch import json_members
from functions.batch.answers import Column
from functions.batch.json_members import PREFIX, Member
from functions.batch.kept import Kept, kept
from functions.batch.layout import Layout
from functions.batch.slices import Answering
from functions.batch.tables.sql import identifier, literal
from sklambda.errors import InputRefused
from sklambda.signature import Signature

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
            return json_members.joined(members)
        prefixed = [((self._prefix + path[0], *path[1:]), sql) for path, sql in members]
        return json_members.written([*(((one.name,), one.sql) for one in kept), *prefixed])

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
