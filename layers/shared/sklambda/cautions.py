"""What a client should know of a row that was scored all the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np

from sklambda.arrays import Flags, FloatMatrix
from sklambda.signature import UNSEEN, Feature, Signature


class CautionCode(StrEnum):
    """Why a value is less sure than others."""

    MISSING = "missing"
    UNSEEN_CATEGORY = "unseen_category"
    OUT_OF_RANGE = "out_of_range"
    COERCED = "coerced"


@dataclass(frozen=True, slots=True)
class Caution:
    """One value of one row that training knew little of."""

    feature: str
    code: CautionCode


class Lookout:
    """Finds the values that training knew little of.

    Parameters
    ----------
    signature : Signature
        Knows the categories and the ranges of training.
    """

    def __init__(self, signature: Signature) -> None:
        self._names = signature.names
        spans = np.array([_span(feature) for feature in signature.features])
        self._low, self._high = spans.T
        self._coded = np.array([feature.kind == "category" for feature in signature.features])
        self._least = np.where(self._coded, 0.0, self._low)

    def look(self, X: FloatMatrix, coerced: Sequence[tuple[int, str]] = ()) -> list[list[Caution]]:
        """Look at encoded rows, [N, K] float64; gives a list a row.

        The row and feature of each value whose type was changed on the way stand in `coerced`.
        """
        values = X[:, : len(self._names)]
        if not coerced and ((values >= self._least) & (values <= self._high)).all():
            return [[] for _ in range(len(X))]  # as most are, and found out in a third of the time
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


def _places(flags: Flags) -> tuple[list[int], list[int]]:
    rows, columns = np.nonzero(flags)
    return rows.tolist(), columns.tolist()


def _span(feature: Feature) -> tuple[float, float]:
    return feature.span or (-inf, inf)
