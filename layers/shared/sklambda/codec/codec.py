"""Encodes rows, as clients send them, into the matrix that the graph takes.

A value becomes one float64, or a fault with a code. The table is in ``docs/signature.md``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from math import nan
from operator import attrgetter, call, itemgetter
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from sklambda.codec.terms import TermCounter
from sklambda.codec.values import EXACT_INTEGER, Encode, encoder
from sklambda.errors import Fault, FaultCode, RowsInvalid, ValueRefused
from sklambda.signature import Feature, Signature

__all__ = ["EXACT_INTEGER", "Codec", "Row"]

type Row = Mapping[str, object]

_MOST_HINTS: Final = 3
"""For how many unknown features of a row a similar name is searched: a search is slow."""

_LONGEST_NAME: Final = 100

_ABSENT: Final = object()


class Codec:
    """Encodes rows or columns by a signature.

    Parameters
    ----------
    signature : Signature
        The features that rows must have.
    """

    def __init__(self, signature: Signature) -> None:
        self._features = signature.features
        self._order = {name: position for position, name in enumerate(signature.names)}
        self._names = self._order.keys()
        self._admitted = signature.admitted
        self._encoders = [encoder(feature) for feature in signature.features]
        self._values = _getter(signature.names)
        self._width = signature.width
        self._counters = [
            (self._order[counts.feature], counts.width, TermCounter(counts))
            for counts in signature.counts
        ]

    def encode(self, rows: Sequence[Row]) -> FloatMatrix:
        """Encode rows.

        Parameters
        ----------
        rows : sequence of mapping
            Each holds every feature by name; None, NaN or ``pandas.NA`` is a missing value.

        Returns
        -------
        FloatMatrix
            Shape [N, K], float64: numbers as they are, categories as codes, missing as NaN, then
            the counts of terms.

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; holds all faults of all rows.
        """
        faults = [
            fault
            for position, row in enumerate(rows)
            if type(row) is not dict or row.keys() != self._names  # the usual row has no fault
            for fault in self._faults(position, row)
        ]
        if rows and not faults and not self._counters:
            try:
                return np.array([self._codes(row) for row in rows], dtype=np.float64)
            except ValueRefused:
                pass  # all refused values are reported below
        objects = [row if isinstance(row, Mapping) else {} for row in rows]
        columns = [[row.get(name, _ABSENT) for row in objects] for name in self._order]
        return self._matrix(columns, faults)

    def encode_accepted(self, rows: Sequence[Row]) -> tuple[FloatMatrix, Flags]:
        """Encode the rows that fit the signature, and return which of them do, [N]; as `encode`."""
        matrix = np.empty((len(rows), len(self._order)))
        accepted = np.zeros(len(rows), dtype=bool)
        count = 0
        for position, row in enumerate(rows):
            usual = type(row) is dict and row.keys() == self._names
            if usual or not any(True for _ in self._faults(position, row)):
                with suppress(ValueRefused):
                    matrix[count] = self._codes(row)
                    accepted[position] = True
                    count += 1
        if not self._counters:
            return matrix[:count], accepted
        kept = [rows[position] for position in np.flatnonzero(accepted).tolist()]
        columns = [[row[name] for row in kept] for name in self._order]
        return self._with_counts(matrix[:count], columns), accepted

    def encode_columns(self, columns: Mapping[str, Sequence[object] | FloatVector]) -> FloatMatrix:
        """Encode columns of equal length; otherwise as `encode`.

        Numeric numpy columns are not read value by value. A feature without a column is a fault of
        row 0; columns of different length are a `ValueError`.
        """
        faults = list(self._faults(0, columns))
        if faults:
            raise RowsInvalid(faults)
        ordered = [columns[name] for name in self._order]
        if len({len(column) for column in ordered}) > 1:
            raise ValueError("the columns differ in length")
        return self._matrix(ordered, [])

    def _codes(self, row: Row) -> list[float]:
        return list(map(call, self._encoders, self._values(row)))

    def _faults(self, position: int, row: object) -> Iterator[Fault]:
        if not isinstance(row, Mapping):
            yield Fault(position, None, FaultCode.NOT_AN_OBJECT, "must be an object of features")
            return
        if not self._admitted.issuperset(row):
            unknown = [name for name in row if name not in self._admitted]
            for place, name in enumerate(unknown):
                hint = self._hint(name) if place < _MOST_HINTS else ""
                detail = f"is not a feature of this model{hint}"
                yield Fault(position, str(name), FaultCode.UNKNOWN_FEATURE, detail)
        if len(row) < len(self._order) or not row.keys() >= self._order.keys():
            for name in self._order:
                if name not in row:
                    yield Fault(position, name, FaultCode.ABSENT, "is required; null means missing")

    def _hint(self, name: object) -> str:
        near = get_close_matches(str(name)[:_LONGEST_NAME], self._order, n=1)
        return f"; did you mean {near[0]!r}?" if near else ""

    def _matrix(
        self, columns: Sequence[Sequence[object] | FloatVector], faults: list[Fault]
    ) -> FloatMatrix:
        encoded = [
            _column(feature, encode, values, faults)
            for feature, encode, values in zip(self._features, self._encoders, columns, strict=True)
        ]
        if faults:
            order = self._order
            faults.sort(key=lambda fault: order.get(fault.feature or "", len(order)))
            raise RowsInvalid(sorted(faults, key=attrgetter("row")))
        features = np.array(encoded, dtype=np.float64).T
        if not self._counters:
            return np.ascontiguousarray(features)
        return self._with_counts(features, columns)

    def _with_counts(
        self, features: FloatMatrix, columns: Sequence[Sequence[object] | FloatVector]
    ) -> FloatMatrix:
        matrix = np.zeros((len(features), self._width))
        matrix[:, : features.shape[1]] = features
        start = features.shape[1]
        for place, width, counter in self._counters:
            counter.fill(columns[place], matrix[:, start : start + width])
            start += width
        return matrix


def _getter(names: Sequence[str]) -> Callable[[Row], tuple[object, ...]]:
    """Return a function that returns the values of a row in order; none may be absent."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _column(
    feature: Feature,
    encode: Encode,
    values: Sequence[object] | FloatVector,
    faults: list[Fault],
) -> list[float] | FloatVector:
    if isinstance(values, np.ndarray) and _plain(feature, values):
        return values
    codes = []
    for row, value in enumerate(values):
        try:
            codes.append(encode(value))
        except ValueRefused as refused:
            codes.append(nan)
            if value is not _ABSENT:
                faults.append(Fault(row, feature.name, refused.code, refused.detail))
    return codes


def _plain(feature: Feature, values: FloatVector) -> bool:
    """Return whether a numeric column is encoded already."""
    if feature.kind != "number" or values.dtype != np.float64:
        return False
    if feature.choices or feature.gaps or (feature.least, feature.greatest) != (None, None):
        return False
    return bool(np.isfinite(values).all()) or (
        feature.nullable and not bool(np.isinf(values).any())
    )
