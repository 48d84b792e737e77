"""Encodes the table `records` into the matrix that the graph takes.

SQL encodes ordinary values. The codec, which also encodes for /predict, encodes the others one by
one, so that a value has the same code everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from math import nan
from operator import attrgetter
from typing import Any, Final

import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.slices import ROW, EncodedSlice, Reject
from functions.batch.formats.sql import identifier
from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.codec.terms import TermCounter
from sklambda.codec.values import EXACT_INTEGER, encoder
from sklambda.errors import ValueRefused
from sklambda.signature import Feature, Signature

type Parse = Callable[[Any], object]
type Coerces = Callable[[object], bool]

_MAX_BY_NUMBER: Final = 1000
"""Rows fetched by their numbers; for more, the whole column is fetched."""

_FEATURES_PER_QUERY: Final = 64
"""A longer query takes more than its share of time."""


@dataclass(frozen=True, slots=True)
class FeatureColumn:
    """How the values of one feature are read from `records`.

    Attributes
    ----------
    feature : Feature
        The feature.
    code : str
        SQL of the code of an ordinary value; NaN for a missing one, null for any other.
    value : str
        SQL of the value itself, as a type of Python.
    parse : callable
        Converts it to what the codec takes.
    coerces : callable
        Whether the conversion changes the type of a value.
    """

    feature: Feature
    code: str
    value: str
    parse: Parse = lambda value: value
    coerces: Coerces = lambda value: False


@dataclass(slots=True)
class EncodedRows:
    """The rows of `records`, encoded.

    Attributes
    ----------
    X : FloatMatrix
        [n, K] float64.
    faults : list of Reject
        In the order of the features; their places are rows of `X`.
    coerced : list of (int, str)
        Row and feature of each value whose type was changed.
    """

    X: FloatMatrix
    faults: list[Reject] = field(default_factory=list)
    coerced: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, name: str, value: object, code: float | ValueRefused) -> None:
        """Add a value that was refused or coerced."""
        if isinstance(code, ValueRefused):
            text = None if value is None else str(value)
            self.faults.append(Reject(row, name, code.code, code.detail, text))
        else:
            self.coerced.append((row, name))

    def to_slice(
        self,
        con: DuckDBPyConnection,
        read: int,
        places: IntVector,
        malformed: Sequence[Reject],
        lines: bytes | None = None,
    ) -> EncodedSlice:
        """Return the encoded slice, with faults at the places of their records."""
        faults = self.faults
        if malformed:
            faults = [replace(fault, place=int(places[fault.place])) for fault in faults]
        rejects = sorted([*malformed, *faults], key=attrgetter("place"))
        return EncodedSlice(con, read, places, self.X, rejects, self.coerced, lines)


class TableEncoder:
    """Encodes `records` by a signature.

    Parameters
    ----------
    con : DuckDBPyConnection
        Where `records` will be.
    signature : Signature
        Its features, and the terms that are counted in texts.
    columns : sequence of FeatureColumn
        One for each feature, in order.
    materialize : callable
        Called before `records` is read again; it may replace a view by a table.
    others : sequence of str
        Columns that are no features. They are read as well: DuckDB does not check what no query
        selects.
    """

    def __init__(
        self,
        con: DuckDBPyConnection,
        signature: Signature,
        columns: Sequence[FeatureColumn],
        materialize: Callable[[], None] = lambda: None,
        others: Sequence[str] = (),
    ) -> None:
        self._con, self._columns, self._width = con, columns, signature.width
        self._materialize = materialize
        self._remainders = [Remainder(column) for column in columns]
        order = {name: place for place, name in enumerate(signature.names)}
        self._counters = [
            (order[counts.feature], counts.width, TermCounter(counts))
            for counts in signature.counts
        ]
        check = " and ".join(["true", *(f"{identifier(name)} is null" for name in others)])
        codes = [*(column.code for column in columns), check]
        self._queries = [*map(_select, batched(codes, _FEATURES_PER_QUERY))]

    def encode(self) -> EncodedRows:
        """Encode the rows of `records`."""
        if len(self._queries) > 1 or self._counters:
            self._materialize()
        codes = chain.from_iterable(map(self._codes, self._queries))
        first = next(codes)
        encoded = EncodedRows(np.zeros((len(first), self._width)))
        columns = zip(self._remainders, chain((first,), codes), strict=False)
        for place, (remainder, column) in enumerate(columns):
            encoded.X[:, place] = np.ma.getdata(column)
            self._encode_remainder(remainder, remainder.rows(column), place, encoded)
        self._count_terms(encoded.X)
        return encoded

    def _codes(self, query: str) -> list[Any]:
        return [*self._con.execute(query).fetchnumpy().values()]

    def _encode_remainder(
        self, remainder: "Remainder", rows: IntVector, place: int, encoded: EncodedRows
    ) -> None:
        if not len(rows):
            return
        self._materialize()
        column = remainder.column
        values = self._fetch(column.value, rows)
        results = remainder.encode(values)
        refused = {value for value, code in results.items() if isinstance(code, ValueRefused)}
        codes = {v: nan if isinstance(code, ValueRefused) else code for v, code in results.items()}
        encoded.X[rows, place] = [codes[value] for value in values]
        if reported := refused.union(filter(column.coerces, results)):
            for row, value in zip(rows.tolist(), values, strict=True):
                if value in reported:
                    encoded.add(row, column.feature.name, value, results[value])

    def _fetch(self, value: str, rows: IntVector) -> list[object]:
        few = len(rows) <= _MAX_BY_NUMBER
        row, numbers = identifier(ROW), ", ".join(map(str, rows.tolist()[:_MAX_BY_NUMBER]))
        where = f" where {row} in ({numbers}) order by {row}" if few else ""
        found = self._con.execute(f"select {value} from records{where}").fetchall()
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


class Remainder:
    """The values of one feature that SQL does not encode: missing, odd or invalid ones.

    Parameters
    ----------
    column : FeatureColumn
        How its values are read.
    """

    def __init__(self, column: FeatureColumn) -> None:
        self.column, self._encode = column, encoder(column.feature)
        self._admits = _admission(column.feature)

    def rows(self, codes: FloatVector) -> IntVector:
        """Return the rows whose code is null or not admitted by the feature."""
        not_encoded = np.ma.getmaskarray(codes)
        return np.flatnonzero(not_encoded | ~self._admits(np.ma.getdata(codes)))

    def encode(self, values: Sequence[object]) -> dict[object, float | ValueRefused]:
        """Return for each distinct value its code, or why it was refused."""
        return {value: self._result(value) for value in set(values)}

    def _result(self, value: object) -> float | ValueRefused:
        try:
            return self._encode(self.column.parse(value))
        except ValueRefused as refused:
            return refused


def _admission(feature: Feature) -> Callable[[FloatVector], Flags]:
    """Return the function that flags the codes of SQL that a feature admits."""
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
        for low, high in feature.gaps:
            good &= (codes < low) | (codes > high)
        if feature.choices:
            good &= np.isin(codes, feature.choices)
        return good | np.isnan(codes) if feature.nullable else good

    return admits
