"""Warnings about rows that are scored nevertheless."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, IntVector
from sklambda.signature import UNSEEN, Feature, Signature


class CautionCode(StrEnum):
    """The kinds of warnings about a value."""

    MISSING = "missing"
    UNSEEN_CATEGORY = "unseen_category"
    OUT_OF_RANGE = "out_of_range"
    COERCED = "coerced"


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning about one value of one row."""

    feature: str
    code: CautionCode


class Lookout:
    """Finds values that were missing, unknown or out of range in training.

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

    def look(self, X: FloatMatrix, coerced: Sequence[tuple[int, str]] = ()) -> list[list[Caution]]:
        """Return the warnings of each of some encoded rows, [N, K] float64.

        `coerced` holds the row and the feature of each value whose type was converted.
        """
        values = X[:, : len(self._names)]
        if not coerced and ((values >= self._least) & (values <= self._high)).all():
            return [[] for _ in range(len(X))]  # the usual case, in a third of the time
        found = {
            CautionCode.MISSING: np.isnan(values),
            CautionCode.UNSEEN_CATEGORY: (values == UNSEEN) & self._coded,
            CautionCode.OUT_OF_RANGE: (values < self._low) | (values > self._high),
        }
        cautions: list[list[Caution]] = [[] for _ in range(len(X))]
        for code, flags in found.items():
            for row, column in zip(*_places(flags), strict=True):
                cautions[row].append(Caution(self._names[column], code))
        for row, name in coerced:
            cautions[row].append(Caution(name, CautionCode.COERCED))
        return cautions

    def look_at_many(
        self, X: FloatMatrix, coerced: Sequence[tuple[int, str]] = ()
    ) -> tuple[IntVector, list[list[Caution]]]:
        """Return the warnings of many rows without a list for each; takes what `look` does.

        Returns
        -------
        IntVector
            Shape [N]: for each row the position of its list.
        list of list of Caution
            The distinct lists; the first is empty.
        """
        values = X[:, : len(self._names)]
        doubtful = ~((values >= self._least) & (values <= self._high)).all(axis=1)
        doubtful[[row for row, _ in coerced]] = True
        rows = np.flatnonzero(doubtful)
        flags = self._flags(values[rows])
        for row, name in coerced:
            flags[np.searchsorted(rows, row), -1, self._names.index(name)] = True
        places, distinct = _distinct(flags)
        codes = np.zeros(len(X), dtype=np.intp)
        codes[rows] = places + 1
        return codes, [[], *map(self._named, distinct)]

    def _flags(self, values: FloatMatrix) -> Flags:
        """Return which codes apply to each value, [N, codes, F]."""
        none = np.zeros(values.shape, dtype=bool)
        unseen = (values == UNSEEN) & self._coded
        outside = (values < self._low) | (values > self._high)
        return np.stack([np.isnan(values), unseen, outside, none], axis=1)

    def _named(self, flags: Flags) -> list[Caution]:
        codes, features = np.nonzero(flags)
        pairs = zip(codes.tolist(), features.tolist(), strict=True)
        return [Caution(self._names[feature], _CODES[code]) for code, feature in pairs]


_CODES = tuple(CautionCode)


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
