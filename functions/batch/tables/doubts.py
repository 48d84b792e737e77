"""What SQL leaves over of one feature: whatever is missing, odd or wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklambda.arrays import Flags, FloatVector, IntVector
from sklambda.errors import ValueRefused
from sklambda.signature import Feature
from sklambda.values import EXACT_INTEGER, encoder

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
