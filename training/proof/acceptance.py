"""The values that a fitted pipeline accepts, found by scoring them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector
from sklambda.codec.values import EXACT_INTEGER
from sklambda.signature import Kind, Scalar
from training.convert.graph.float_order import rank, unrank
from training.frames import ClientRow
from training.proof.reference import Reference

# The greatest float64 that rounds to a float32, then smaller ones for what a scaler makes larger.
_LIMITS: Final = (1e300, 3.4028235677973362e38, 1e38, 1e36, 1e33, 1e30, 1e20)


def nullable(reference: Reference, rows: Sequence[ClientRow], name: str) -> bool:
    """Check whether the pipeline accepts a row in which the feature `name` is missing."""
    return reference.accepts(rows[0] | {name: None})


def accepts_unseen(
    reference: Reference, rows: Sequence[ClientRow], name: str, known: Sequence[str]
) -> bool:
    """Check whether the pipeline accepts a category of the feature `name` that is not `known`."""
    longer_than_all = f"unseen {max(known, key=len, default='')}"
    return reference.accepts(rows[0] | {name: longer_than_all})


def choices_accepted(
    reference: Reference, rows: Sequence[ClientRow], name: str, kind: Kind, seen: FloatVector
) -> tuple[float, ...]:
    """Return the only numbers that the pipeline accepts, where it refuses one between them.

    A strict encoder accepts the numbers of the training data alone.

    Parameters
    ----------
    reference, rows, name, kind
        As of `bounds_accepted`.
    seen : FloatVector
        The different numbers of the training data, ascending.

    Returns
    -------
    tuple of float
        Ascending; empty where numbers between those seen are accepted, or where there are none.
    """
    write = int if kind == "integer" else float

    def accepted(numbers: FloatVector) -> Flags:
        answers = reference.answers([rows[0] | {name: write(number)} for number in numbers])
        return ~answers.refused

    between = _between(seen, kind)
    if between is None or accepted(np.array([between]))[0]:
        return ()
    return tuple(seen[accepted(seen)].tolist())


def _between(seen: FloatVector, kind: Kind) -> float | None:
    """Return a number between two of those seen, or None where all are neighbours."""
    step = 1.0 if kind == "integer" else 0.0
    gaps = np.flatnonzero(np.diff(seen) > step)
    if len(gaps) == 0:
        return None
    low, high = seen[gaps[0]], seen[gaps[0] + 1]
    return float(low + 1 if kind == "integer" else low + (high - low) / 2)


def bounds_accepted(
    reference: Reference, rows: Sequence[ClientRow], name: str, kind: Kind
) -> tuple[float | None, float | None]:
    """Find the least and the greatest number that the pipeline accepts; None for no bound.

    Trees of scikit-learn refuse numbers beyond float32, and a logarithm those outside of its
    domain. All numbers between the two are assumed to be accepted; the gate then tries some.
    """
    scale = _INTEGERS if kind == "integer" else _NUMBERS

    def accepts(position: int) -> bool:
        return reference.accepts(rows[0] | {name: scale.value(position)})

    seen = [float(value) for row in rows if (value := row[name]) is not None]
    start = next(filter(accepts, map(scale.position, [*seen, 0.0])), None)
    if start is None:
        return None, None
    low, high = (_bound(accepts, start, ladder) for ladder in scale.ladders)
    return (
        None if low == scale.ladders[0][0] else float(scale.value(low)),
        None if high == scale.ladders[1][0] else float(scale.value(high)),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """An ordered set of values, by position, and limits to try first."""

    value: Callable[[int], Scalar]
    position: Callable[[float], int]
    limits: tuple[float, ...]

    @property
    def ladders(self) -> tuple[list[int], list[int]]:
        """The positions of the limits below 0 and above, the farthest first."""
        return [self.position(-limit) for limit in self.limits], [*map(self.position, self.limits)]


_NUMBERS: Final = _Scale(
    value=lambda position: float(unrank(np.array([position]))[0]),
    position=lambda number: int(rank(np.array([number]))[0]),
    limits=_LIMITS,
)
_INTEGERS: Final = _Scale(value=int, position=int, limits=(float(EXACT_INTEGER),))


def _bound(accepts: Callable[[int], bool], good: int, ladder: Sequence[int]) -> int:
    """Return the farthest position that is accepted: a limit, else what bisection finds."""
    for limit in ladder:
        if accepts(limit):
            return limit
    bad = ladder[-1]
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if accepts(middle) else (good, middle)
    return good
