"""Columns of `records` to the matrix that the graph takes.

SQL encodes what most values are. The rest goes value by value through the codec's own encoder, so
that there is one opinion on each value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from math import nan
from operator import attrgetter
from typing import Any, Final

import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.reading import ROW, Reading, Reject
from functions.batch.formats.sql import identifier
from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.codec.terms import TermCounter
from sklambda.codec.values import EXACT_INTEGER, encoder
from sklambda.errors import ValueRefused
from sklambda.signature import Feature, Signature

type Parse = Callable[[Any], object]
type Coerces = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of one feature are taken from `records`.

    Attributes
    ----------
    feature : Feature
        Whose they are.
    ordinary : str
        SQL of the code where the value is an ordinary one; NaN where it is missing, else null.
    value : str
        SQL of the value itself, as Python takes it.
    parse : callable
        Makes of that what the encoder takes.
    coerces : callable
        Tells of a value whether its type is changed by that.
    """

    feature: Feature
    ordinary: str
    value: str
    parse: Parse = lambda value: value
    coerces: Coerces = lambda value: False


class Doubts:
    """The values of one feature that are no ordinary ones.

    Parameters
    ----------
    column : Column
        How its values are taken.
    """

    def __init__(self, column: Column) -> None:
        self.column, self._encode = column, encoder(column.feature)
        self._admits = _admission(column.feature)

    def rows(self, codes: FloatVector) -> IntVector:
        """Find the rows whose values SQL left over, or should have."""
        left_over = np.ma.getmaskarray(codes)
        return np.flatnonzero(left_over | ~self._admits(np.ma.getdata(codes)))

    def settle(self, values: Sequence[object]) -> dict[object, float | ValueRefused]:
        """Give for each of the different values its code, or why it has none."""
        return {value: self._outcome(value) for value in set(values)}

    def _outcome(self, value: object) -> float | ValueRefused:
        try:
            return self._encode(self.column.parse(value))
        except ValueRefused as refused:
            return refused


def _admission(feature: Feature) -> Callable[[FloatVector], Flags]:
    """Make the function that tells which codes of SQL can stand as they are."""
    if feature.kind not in ("number", "integer"):
        return lambda codes: feature.nullable | ~np.isnan(codes)
    least, greatest = feature.least, feature.greatest

    def admits(codes: FloatVector) -> Flags:
        good = np.abs(codes) < EXACT_INTEGER
        if feature.kind == "integer":
            good &= codes == np.trunc(codes)
        if least is not None:
            good &= codes >= least
        if greatest is not None:
            good &= codes <= greatest
        if feature.choices:
            good &= np.isin(codes, feature.choices)
        return good | np.isnan(codes) if feature.nullable else good

    return admits


_FEW: Final = 1000
"""So many rows are fetched by their numbers; of more the whole column is."""

_AT_ONCE: Final = 64
"""So many features one query encodes: a long one takes more than its share of time."""


@dataclass(slots=True)
class Encoded:
    """What became of the rows of `records`.

    Attributes
    ----------
    X : FloatMatrix
        [n, K] float64.
    faults : list of Reject
        Places are rows of `X`; in the order of the features.
    coerced : list of (int, str)
        Row and feature of each value whose type was changed.
    """

    X: FloatMatrix
    faults: list[Reject] = field(default_factory=list)
    coerced: list[tuple[int, str]] = field(default_factory=list)

    def tell(self, row: int, name: str, value: object, code: float | ValueRefused) -> None:
        """Keep that a value was refused, or its type changed."""
        if isinstance(code, ValueRefused):
            shown = None if value is None else str(value)
            self.faults.append(Reject(row, name, code.code, code.detail, shown))
        else:
            self.coerced.append((row, name))

    def reading(
        self,
        con: DuckDBPyConnection,
        read: int,
        places: IntVector,
        malformed: Sequence[Reject],
        lines: bytes | None = None,
    ) -> Reading:
        """Give what was read, with the faults at their places among all records."""
        faults = self.faults
        if malformed:
            faults = [replace(fault, place=int(places[fault.place])) for fault in faults]
        rejects = sorted([*malformed, *faults], key=attrgetter("place"))
        return Reading(con, read, places, self.X, rejects, self.coerced, lines)


class Encoding:
    """Encodes `records` by a signature.

    Parameters
    ----------
    con : DuckDBPyConnection
        Where `records` will be.
    signature : Signature
        Its features, and what is counted in texts.
    columns : sequence of Column
        One for each feature, in order.
    keep : callable
        Called before `records` is read more than once, so that it may be kept for that.
    others : sequence of str
        Columns that are no features and are read all the same: what nobody asks for, the database
        does not check.
    """

    def __init__(
        self,
        con: DuckDBPyConnection,
        signature: Signature,
        columns: Sequence[Column],
        keep: Callable[[], None] = lambda: None,
        others: Sequence[str] = (),
    ) -> None:
        self._con, self._columns, self._width = con, columns, signature.width
        self._keep = keep
        self._doubts = [Doubts(column) for column in columns]
        order = {name: place for place, name in enumerate(signature.names)}
        self._counters = [
            (order[counts.feature], len(counts.terms), TermCounter(counts))
            for counts in signature.counts
        ]
        read = " and ".join(["true", *(f"{identifier(name)} is null" for name in others)])
        batches = batched([*(one.ordinary for one in columns), read], _AT_ONCE, strict=False)
        self._ordinary = [*map(_select, batches)]

    def encode(self) -> Encoded:
        """Encode the rows of `records`."""
        if len(self._ordinary) > 1 or self._counters:
            self._keep()
        codes = chain.from_iterable(map(self._codes, self._ordinary))
        first = next(codes)
        encoded = Encoded(np.zeros((len(first), self._width)))
        columns = zip(self._doubts, chain((first,), codes), strict=False)
        for place, (doubts, column) in enumerate(columns):
            encoded.X[:, place] = np.ma.getdata(column)
            self._settle(doubts, doubts.rows(column), place, encoded)
        self._count_terms(encoded.X)
        return encoded

    def _codes(self, query: str) -> list[Any]:
        return [*self._con.execute(query).fetchnumpy().values()]

    def _settle(self, doubts: Doubts, rows: IntVector, place: int, encoded: Encoded) -> None:
        if not len(rows):
            return
        self._keep()
        values = self._fetch(doubts.column.value, rows)
        settled = doubts.settle(values)
        refused = {value for value, code in settled.items() if isinstance(code, ValueRefused)}
        codes = {v: nan if isinstance(code, ValueRefused) else code for v, code in settled.items()}
        encoded.X[rows, place] = [codes[value] for value in values]
        name, coerces = doubts.column.feature.name, doubts.column.coerces
        if told := refused.union(filter(coerces, settled)):
            for row, value in zip(rows.tolist(), values, strict=True):
                if value in told:
                    encoded.tell(row, name, value, settled[value])

    def _fetch(self, value: str, rows: IntVector) -> list[object]:
        few = len(rows) <= _FEW
        row, numbers = identifier(ROW), ", ".join(map(str, rows.tolist()[:_FEW]))
        chosen = f" where {row} in ({numbers}) order by {row}" if few else ""
        found = self._con.execute(f"select {value} from records{chosen}").fetchall()
        return [one for (one,) in found] if few else [found[place][0] for place in rows]

    def _count_terms(self, X: FloatMatrix) -> None:
        start = len(self._columns)
        for place, width, counter in self._counters:
            column = self._columns[place]
            texts = self._con.execute(f"select {column.value} from records").fetchall()
            counter.fill((column.parse(text) for (text,) in texts), X[:, start : start + width])
            start += width


def _select(codes: Sequence[str]) -> str:
    named = (f"{code} as {identifier(f'{ROW}{place}')}" for place, code in enumerate(codes))
    return f"select {', '.join(named)} from records"
