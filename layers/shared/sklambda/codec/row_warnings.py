"""Warnings about rows that are scored nevertheless."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, IntVector
from sklambda.signature import UNSEEN, Feature, Signature


class RowWarningCode(StrEnum):
    """The kinds of warnings about a value."""

    MISSING = "missing"
    UNSEEN_CATEGORY = "unseen_category"
    OUT_OF_RANGE = "out_of_range"
    COERCED = "coerced"


@dataclass(frozen=True, slots=True)
class RowWarning:
    """A warning about one value of one row."""

    feature: str
    code: RowWarningCode


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The warnings of many rows, without a list for each.

    Attributes
    ----------
    places : IntVector
        Shape [N]: for each row the position of its list.
    lists : list of list of RowWarning
        The distinct lists; the first is empty.
    counts : dict of RowWarning to int
        The number of rows with each warning, above 0.
    """

    places: IntVector
    lists: list[list[RowWarning]]
    counts: dict[RowWarning, int]


class RowWarner:
    """Finds values that were missing, unknown or out of range in training.

    A missing value is no warning where most rows of training had none.

    Parameters
    ----------
    signature : Signature
        Has the categories and the ranges of training.
    """

    def __init__(self, signature: Signature) -> None:
        self._names = signature.names
        spans = np.array([_span(feature) for feature in signature.features])
        self._low, self._high = spans.T
        self._coded = np.array([feature.kind == "category" for feature in signature.features])
        self._least = np.where(self._coded, 0.0, self._low)
        self._optional = np.array([feature.mostly_missing for feature in signature.features])

    def check(
        self, X: FloatMatrix, coerced: Sequence[tuple[int, str]] = ()
    ) -> list[list[RowWarning]]:
        """Return the warnings of each of some encoded rows, [N, K] float64.

        `coerced` holds the row and the feature of each value whose type was converted.
        """
        values = X[:, : len(self._names)]
        usual = self._usual(values)
        if not coerced and np.count_nonzero(usual) == usual.size:
            return [[] for _ in range(len(X))]  # the usual case, in a third of the time
        warnings: list[list[RowWarning]] = [[] for _ in range(len(X))]
        for code, flags in zip(_CODES, self._found(values), strict=False):
            for row, column in zip(*_places(flags), strict=True):
                warnings[row].append(RowWarning(self._names[column], code))
        for row, name in coerced:
            warnings[row].append(RowWarning(name, RowWarningCode.COERCED))
        return warnings

    def check_many(self, X: FloatMatrix, coerced: Sequence[tuple[int, str]] = ()) -> CheckedRows:
        """Return the warnings of many rows, and count them; takes what `check` does."""
        values = X[:, : len(self._names)]
        doubtful = ~self._usual(values).all(axis=1)
        doubtful[[row for row, _ in coerced]] = True
        rows = np.flatnonzero(doubtful)
        flags = self._flags(values[rows])
        for row, name in coerced:
            flags[np.searchsorted(rows, row), -1, self._names.index(name)] = True
        places, distinct = _distinct(flags)
        codes = np.zeros(len(X), dtype=np.intp)
        codes[rows] = places + 1
        return CheckedRows(codes, [[], *map(self._named, distinct)], self._counts(flags))

    def _usual(self, values: FloatMatrix) -> Flags:
        """Return which values have no warning, [N, F]."""
        usual: Flags = (values >= self._least) & (values <= self._high)
        if self._optional.any():
            usual |= np.isnan(values) & self._optional
        return usual

    def _found(self, values: FloatMatrix) -> tuple[Flags, Flags, Flags]:
        """Return for each code but the last the values that it applies to, each [N, F]."""
        missing = np.isnan(values) & ~self._optional
        unseen = (values == UNSEEN) & self._coded
        return missing, unseen, (values < self._low) | (values > self._high)

    def _flags(self, values: FloatMatrix) -> Flags:
        """Return which codes apply to each value, [N, codes, F]."""
        none = np.zeros(values.shape, dtype=bool)
        return np.stack([*self._found(values), none], axis=1)

    def _counts(self, flags: Flags) -> dict[RowWarning, int]:
        rows = np.count_nonzero(flags, axis=0)  # [codes, F]
        return dict(zip(self._named(rows), rows[rows > 0].tolist(), strict=True))

    def _named(self, flags: Flags | IntVector) -> list[RowWarning]:
        codes, features = np.nonzero(flags)
        pairs = zip(codes.tolist(), features.tolist(), strict=True)
        return [RowWarning(self._names[feature], _CODES[code]) for code, feature in pairs]


_CODES = tuple(RowWarningCode)


def _distinct(flags: Flags) -> tuple[IntVector, Flags]:
    """Return for each item of [N, ...] its position among the distinct ones, and these."""
    width = int(np.prod(flags.shape[1:]))
    packed = np.packbits(flags.reshape(len(flags), width), axis=1)
    order: dict[bytes, int] = {}
    keys = packed.view(f"V{packed.shape[1]}").ravel().tolist()
    places = np.array([order.setdefault(key, len(order)) for key in keys], dtype=np.intp)
    first = np.frombuffer(b"".join(order), dtype=np.uint8).reshape(len(order), packed.shape[1])
    distinct = np.unpackbits(first, axis=1, count=width).astype(bool)
    return places, distinct.reshape(len(order), *flags.shape[1:])


def _places(flags: Flags) -> tuple[list[int], list[int]]:
    rows, columns = np.nonzero(flags)
    return rows.tolist(), columns.tolist()


def _span(feature: Feature) -> tuple[float, float]:
    return feature.span or (-inf, inf)
