"""Rows as clients send them, to the one matrix that the graph takes.

A value has exactly one answer: a float64, or a fault with a code. The table of them is in
``docs/signature.md``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from math import isfinite, isnan, nan
from operator import attrgetter
from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.errors import Fault, FaultCode, RowsInvalid
from sklambda.signature import UNSEEN, Feature, Kind, Signature

type Row = Mapping[str, object]
type Encode = Callable[[object], float]

EXACT_INTEGER: Final = 2**53
"""The greatest integer up to which float64 holds every integer."""

_ABSENT: Final = object()


class _Refused(Exception):
    def __init__(self, code: FaultCode, detail: str) -> None:
        self.code, self.detail = code, detail


class Codec:
    """Encodes rows or columns by a signature.

    Parameters
    ----------
    signature : Signature
        What the rows must be like.
    """

    def __init__(self, signature: Signature) -> None:
        self._features = signature.features
        self._order = {name: position for position, name in enumerate(signature.names)}
        self._admitted = frozenset(signature.names) | {signature.row_id}
        self._encoders = [_encoder(feature) for feature in signature.features]

    def encode(self, rows: Sequence[Row]) -> FloatMatrix:
        """Encode rows.

        Parameters
        ----------
        rows : sequence of mapping
            Each holds every feature by name; None, NaN or ``pandas.NA`` says "missing".

        Returns
        -------
        FloatMatrix
            Shape [N, K], float64: numbers as they are, categories as codes, missing as NaN.

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; names all faults of all rows.
        """
        faults = list(chain.from_iterable(map(self._misfits, range(len(rows)), rows)))
        objects = [row if isinstance(row, Mapping) else {} for row in rows]
        columns = [[row.get(name, _ABSENT) for row in objects] for name in self._order]
        return self._matrix(columns, faults)

    def encode_columns(self, columns: Mapping[str, Sequence[object] | FloatVector]) -> FloatMatrix:
        """Encode columns of equal length; otherwise as `encode`.

        Numeric numpy columns are taken whole. A feature without a column is a fault of row 0;
        columns of different length are a `ValueError`.
        """
        faults = list(self._misfits(0, columns))
        if faults:
            raise RowsInvalid(faults)
        ordered = [columns[name] for name in self._order]
        if len({len(column) for column in ordered}) > 1:
            raise ValueError("the columns differ in length")
        return self._matrix(ordered, [])

    def _misfits(self, position: int, row: object) -> Iterator[Fault]:
        if not isinstance(row, Mapping):
            yield Fault(position, None, FaultCode.NOT_AN_OBJECT, "must be an object of features")
            return
        if not self._admitted.issuperset(row):
            for name in row:
                if name not in self._admitted:
                    yield Fault(position, str(name), FaultCode.UNKNOWN_FEATURE, self._unknown(name))
        if len(row) < len(self._order) or not row.keys() >= self._order.keys():
            for name in self._order:
                if name not in row:
                    yield Fault(position, name, FaultCode.ABSENT, "is required; null says missing")

    def _unknown(self, name: object) -> str:
        near = get_close_matches(str(name), self._order, n=1)
        return "is not a feature of this model" + (f"; did you mean {near[0]!r}?" if near else "")

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
        return np.ascontiguousarray(np.array(encoded, dtype=np.float64).T)


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
        except _Refused as refused:
            codes.append(nan)
            if value is not _ABSENT:
                faults.append(Fault(row, feature.name, refused.code, refused.detail))
    return codes


def _plain(feature: Feature, values: FloatVector) -> bool:
    """Tell whether a whole numeric column can stand as it is, without a look at each value."""
    if feature.kind != "number" or values.dtype != np.float64 or feature.greatest is not None:
        return False
    return bool(np.isfinite(values).all()) or (
        feature.nullable and not bool(np.isinf(values).any())
    )


def _encoder(feature: Feature) -> Encode:
    present = _present(feature)
    nullable = feature.nullable

    def encode(value: object) -> float:
        if value is None or _is_missing(value):
            if nullable:
                return nan
            raise _Refused(FaultCode.NULL, "must not be null")
        return present(value)

    return encode


def _present(feature: Feature) -> Encode:
    if feature.kind == "category":
        return _category(feature)
    if feature.greatest is not None:
        return _bounded(_PRESENT[feature.kind], feature.greatest)
    return _PRESENT[feature.kind]


def _bounded(encode: Encode, greatest: float) -> Encode:
    def bounded(value: object) -> float:
        number = encode(value)
        if abs(number) > greatest:
            raise _Refused(FaultCode.TOO_LARGE, f"must not exceed {greatest:.17g} in magnitude")
        return number

    return bounded


def _is_missing(value: object) -> bool:
    if isinstance(value, (float, np.floating)):
        return isnan(value)
    # pandas.NA compares to NA, NaT to nothing; neither library is imported to find out.
    return type(value).__name__ in {"NAType", "NaTType"}


def _number(value: object) -> float:
    if isinstance(value, (float, np.floating)):
        if not isfinite(value):
            raise _Refused(FaultCode.NOT_FINITE, "must be finite")
        return float(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if not -EXACT_INTEGER <= value <= EXACT_INTEGER:
            raise _Refused(FaultCode.TOO_LARGE, "must not exceed 2^53, past which digits are lost")
        return float(value)
    raise _Refused(FaultCode.TYPE, "must be a number")


def _integer(value: object) -> float:
    number = _number(value)
    if not number.is_integer():
        raise _Refused(FaultCode.NOT_INTEGRAL, "must be a whole number")
    if abs(number) > EXACT_INTEGER:
        raise _Refused(FaultCode.TOO_LARGE, "must not exceed 2^53, past which digits are lost")
    return number


def _boolean(value: object) -> float:
    if isinstance(value, (bool, np.bool)):
        return float(value)
    raise _Refused(FaultCode.TYPE, "must be true or false")


_PRESENT: Final[dict[Kind, Encode]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}


def _category(feature: Feature) -> Encode:
    codes = {category: float(code) for code, category in enumerate(feature.vocabulary)}
    accepts_unseen = feature.accepts_unseen

    def encode(value: object) -> float:
        if not isinstance(value, str):
            raise _Refused(FaultCode.TYPE, "must be a string")
        code = codes.get(value, UNSEEN)
        if code == UNSEEN and not accepts_unseen:
            raise _Refused(FaultCode.UNSEEN_CATEGORY, "is not one of the categories known")
        return code

    return encode
