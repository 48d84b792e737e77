"""Elementwise steps before trees, folded into the trees' thresholds.

onnxruntime's logarithm differs from numpy's in the last bit, and numpy's from itself on another
processor; a tree takes the other branch by it. Where a column came to the trees through steps that
are monotone, piece by piece, the values of the earlier column that go left are intervals. Their
ends are found by bisection over the float64 numbers with scikit-learn's own code, so that the graph
compares the earlier column: exactly, and without the steps.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.float_order import rank, unrank
from training.convert.graph.graph import Origin

type Ranks = NDArray[np.int64]

_GREATEST: Final = int(rank(np.array([np.finfo(np.float64).max]))[0])
_GRID: Final = 4096
"""The number of places at which a piece is checked to be monotone, and bisection begins."""

_NEAR: Final = np.array([*range(1, 9), *(2**power for power in range(4, 13))])
"""The distances from a boundary at which both sides are checked: numpy's functions need not be
monotone in the last bit."""


class NotMonotone(Exception):
    """A step turns in a way that was not declared, or between neighbouring floats."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval of the earlier column on which the chain is monotone, or NaN throughout.

    Attributes
    ----------
    first, last : int
        Ranks of its ends, both included.
    low, high : float
        The values there.
    """

    first: int
    last: int
    low: float
    high: float

    @property
    def missing(self) -> bool:
        """Whether the values are NaN."""
        return bool(np.isnan(self.low))

    @property
    def falls(self) -> bool:
        """Whether the values decrease."""
        return self.high < self.low


@dataclass(frozen=True, slots=True)
class Folded:
    """Comparisons of the earlier column, in place of those with thresholds.

    Attributes
    ----------
    splits : FloatVector
        Shape [S]: a value that is not greater takes the side of the piece's beginning.
    swapped : bool
        Whether that is the right side.
    missing_left : ndarray of bool, shape [S]
        Whether a missing value goes left.
    """

    splits: FloatVector
    swapped: bool
    missing_left: Flags


class Chain:
    """The steps from an earlier column to a column, as one function.

    Parameters
    ----------
    origin : Origin
        The steps; each says where it turns.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._steps = origin.steps

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces of the numbers; raises `NotMonotone` where a step turns too often to say."""
        nought = self(np.array([0.0, -0.0]))
        if not np.array_equal(nought[:1], nought[1:], equal_nan=True):
            raise NotMonotone(self.name)
        return self._merged([self._piece(first, last) for first, last in self._spans])

    @property
    def infinite(self) -> list[float]:
        """Numbers that a step makes infinite, one of each interval or its ends; `pieces` raises."""
        ends = np.unique(np.array([end for span in self._spans for end in span]))
        found = [np.isinf(self(unrank(ends), count + 1)) for count in range(len(self._steps))]
        numbers: list[float] = unrank(ends[np.logical_or.reduce(found)]).tolist()
        return numbers

    @property
    def name(self) -> str:
        """The steps that are not exact, as a refusal names them."""
        return " and ".join(step.name for step in self._steps if not step.exact)

    def __call__(self, values: FloatVector, steps: int | None = None) -> FloatVector:
        """Return the values, [N], after all steps, or after the first few."""
        if not len(values):  # which scikit-learn refuses
            return values
        with np.errstate(all="ignore"):
            for step in self._steps[:steps]:
                values = step.apply(values)
        return values

    def at(self, ranks: Ranks) -> FloatVector:
        """Return the values for the numbers at these ranks."""
        return self(unrank(ranks))

    @cached_property
    def of_missing(self) -> float:
        """The value for a missing one."""
        return float(self(np.array([np.nan]))[0])

    @property
    def whole(self) -> Piece | None:
        """The one piece that has values, where NaN outside of it is as a missing value is."""
        present = [piece for piece in self.pieces if not piece.missing]
        if len(present) == 1 and (len(self.pieces) == 1 or np.isnan(self.of_missing)):
            return present[0]
        return None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest number of the `whole`; None where that is all numbers."""
        if self.whole is None or len(self.pieces) == 1:
            return None
        first, last = self.whole.first, self.whole.last
        low, high = unrank(np.array([first, last]))
        return (
            float(low) if first > -_GREATEST else -np.inf,
            float(high) if last < _GREATEST else np.inf,
        )

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """The ranks of all numbers, cut where a step turns, and where values become NaN."""
        spans = [(-_GREATEST, _GREATEST)]
        for count, step in enumerate(self._steps):
            if step.turns is None:
                raise NotMonotone(step.name)
            for turn in step.turns:
                spans = self._split(spans, _side_of(turn), count)
        return self._split(spans, np.isnan, len(self._steps))

    def _split(
        self,
        spans: Sequence[tuple[int, int]],
        kind: Callable[[FloatVector], NDArray[np.generic]],
        count: int,
    ) -> list[tuple[int, int]]:
        """Split spans where the kind of the values after the first `count` steps changes."""
        found = []
        for first, last in spans:
            while True:
                end = self._end_of_kind(first, last, kind, count)
                found.append((first, end))
                if end == last:
                    break
                first = end + 1
        return found

    def _end_of_kind(
        self,
        first: int,
        last: int,
        kind: Callable[[FloatVector], NDArray[np.generic]],
        count: int,
    ) -> int:
        def of(place: int) -> object:
            return kind(self(unrank(np.array([place])), count))[0]

        own = of(first)
        if of(last) == own:
            return last
        while last - first > 1:
            middle = (first + last) // 2
            first, last = (middle, last) if of(middle) == own else (first, middle)
        return first

    def _piece(self, first: int, last: int) -> Piece:
        low, high = self.at(np.array([first, last]))
        return Piece(first, last, float(low), float(high))

    def _merged(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Merge neighbours that are monotone together."""
        merged = [pieces[0]]
        for piece in pieces[1:]:
            before = merged[-1]
            values = np.array([before.low, before.high, piece.low, piece.high])
            if (before.missing and piece.missing) or _is_monotone(values):
                merged[-1] = Piece(before.first, piece.last, before.low, piece.high)
            else:
                merged.append(piece)
        return merged

    def folded(self, piece: Piece, thresholds: FloatVector, missing_left: Flags) -> Folded:
        """Fold thresholds, [S], where one piece is the `whole`; raises what `ends` does."""
        limits, own = np.unique(thresholds, return_inverse=True)
        ends = self.ends(piece, limits)
        splits = unrank(ends)
        splits[ends < piece.first], splits[ends == piece.last] = -np.inf, np.inf
        missing = missing_left if np.isnan(self.of_missing) else self.of_missing <= thresholds
        return Folded(splits[own], piece.falls, missing)

    def coded(self, limits: FloatVector) -> tuple[FloatVector, FloatVector, float]:
        """Number the values by the ascending limits, [S], that they exceed.

        Returns
        -------
        tuple of (FloatVector, FloatVector, float)
            Bounds and values of a step function of the earlier column, and its value for a
            missing one: what is not above ``limits[j]`` has a number up to j. Raises what `ends`
            does.
        """
        found = [np.array([piece.last for piece in self.pieces])]
        for piece in self.pieces:
            if not piece.missing:
                ends = self.ends(piece, limits)
                found.append(ends[ends >= piece.first])
        places = np.unique(np.concatenate(found))
        values = np.append(self.at(places), self.of_missing)
        numbers = np.where(np.isnan(values), np.nan, np.searchsorted(limits, values))
        return unrank(places[:-1]), numbers[:-1], float(numbers[-1])

    def ends(self, piece: Piece, thresholds: FloatVector) -> Ranks:
        """Find the last ranks of a piece on the side of its beginning.

        Parameters
        ----------
        piece : Piece
            One that is not missing.
        thresholds : FloatVector
            Shape [S].

        Returns
        -------
        ndarray of int64, shape [S]
            Where the piece rises, the last rank whose value is not above the threshold; where it
            falls, the last whose value is above. One before the first where there is none.

        Raises
        ------
        NotMonotone
            The values near it are on both sides.
        """

        def before(ranks: Ranks, limits: FloatVector) -> Flags:
            left: Flags = (self.at(ranks) <= limits) != piece.falls
            return left

        low, high = self._brackets(piece, thresholds)
        while (inside := high > low + 1).any():
            middle = low + (high - low) // 2
            middle = np.where(inside, middle, np.clip(low, piece.first, piece.last))
            left = before(middle, thresholds)
            low = np.where(inside & left, middle, low)
            high = np.where(inside & ~left, middle, high)
        for distance in _NEAR:
            for ranks, expected in ((low + 1 - distance, True), (low + distance, False)):
                there = (ranks >= piece.first) & (ranks <= piece.last)
                if (before(ranks[there], thresholds[there]) != expected).any():
                    raise NotMonotone(self.name)
        return low

    def _brackets(self, piece: Piece, thresholds: FloatVector) -> tuple[Ranks, Ranks]:
        """Return neighbours of a grid of ranks around each boundary; one outside where it ends."""
        count = min(_GRID, piece.last - piece.first + 1)
        places = np.arange(count)
        # The distance between the ends of all numbers is more than an int64 holds.
        share = [int(place) * (piece.last - piece.first) // max(1, count - 1) for place in places]
        grid = np.unique(np.array([piece.first + step for step in share], dtype=np.int64))
        values = self.at(grid)
        if not _is_monotone(values):
            raise NotMonotone(self.name)
        if piece.falls:
            after = len(values) - np.searchsorted(values[::-1], thresholds, side="right")
        else:
            after = np.searchsorted(values, thresholds, side="right")
        outside = np.concatenate([[piece.first - 1], grid, [piece.last + 1]])
        return outside[after], outside[after + 1]


def _side_of(turn: float) -> Callable[[FloatVector], NDArray[np.generic]]:
    """Return a function that says whether values are below a turn, at it, above, or NaN."""

    def side(values: FloatVector) -> NDArray[np.generic]:
        return np.where(np.isnan(values), 2.0, np.sign(values - turn))

    return side


def _is_monotone(values: FloatVector) -> bool:
    """Return whether values rise or fall, and none is NaN."""
    before, after = values[:-1], values[1:]
    return bool((before <= after).all() or (before >= after).all())


def infinite_at(origins: Iterable[Origin]) -> dict[int, tuple[float, ...]]:
    """Return by column of the first matrix the numbers that some step makes infinite."""
    found: dict[int, set[float]] = {}
    for origin in origins:
        with suppress(NotMonotone):
            found.setdefault(origin.column, set()).update(Chain(origin).infinite)
    return {column: tuple(sorted(values)) for column, values in found.items() if values}


def of_column(transformer: Any, column: int, fitted: str) -> Callable[[FloatVector], FloatVector]:
    """Return scikit-learn's ``transform`` of one column, for `Elementwise.apply`.

    Parameters
    ----------
    transformer : estimator
        One whose columns do not depend on each other.
    column : int
        The column.
    fitted : str
        The names of its attributes that have an element for each column.
    """
    alone = copy(transformer)
    for name in fitted.split():
        values = getattr(transformer, name)
        setattr(alone, name, None if values is None else values[..., column : column + 1])
    alone.n_features_in_ = 1
    alone.__dict__.pop("feature_names_in_", None)
    alone.set_params(copy=True)

    def transform(values: FloatVector) -> FloatVector:
        # What earlier steps made infinite it would refuse.
        with config_context(assume_finite=True):
            found: FloatVector = alone.set_output(transform="default").transform(values[:, None])
        return found[:, 0]

    return transform
