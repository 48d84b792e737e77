"""Exact Shapley values of a sum of trees, against a fixed background.

A leaf is a box: it adds its value where each of its literals holds, one literal a feature. For one
row x and one background row b, a coalition reaches the leaf if x brings the literals that hold for
x alone, a of them, and leaves to b those that hold for b alone, c of them; where a literal holds
for neither, no coalition does. The Shapley values of that game are ``(a-1)! c! / (a+c)!`` of the
leaf's value for each of the first, and ``-a! (c-1)! / (a+c)!`` for each of the second.

The background is evaluated beforehand: a word of 64 bits for each literal, one bit for each row.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from math import lgamma
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector

type Words = NDArray[np.uint64]
type Places = NDArray[np.int32]
type Integers = NDArray[np.intp]
type _Shares = tuple[FloatVector, Integers, Integers]

_LEAST: Final = np.finfo(np.float64).min
_WORD: Final = 64


@dataclass(frozen=True)
class Conditions:
    """The conditions of leaves on the columns of a matrix.

    Attributes
    ----------
    columns : ndarray of int32, shape [Q]
        The column of each condition.
    low, high : ndarray of float, shape [Q]
        A condition holds for numbers above `low` and up to `high`.
    missing : ndarray of bool, shape [Q]
        Whether a condition holds for NaN.
    sets : ndarray of int32, shape [Q]
        The row of `members` for a condition on a category, -1 for one on a number; empty where all
        are on numbers.
    members : ndarray of uint64, shape [S, W]
        By bits, the categories for which a condition holds; the last bit is for all others.
    """

    columns: Places
    low: FloatVector
    high: FloatVector
    missing: Flags
    sets: Places
    members: Words

    def hold(self, row: FloatVector) -> Flags:
        """Return which conditions hold for a row [K]; returns [Q]."""
        # Before a tree, an overflow may have made -inf, which is above no bound.
        values = np.maximum(row, _LEAST)[self.columns]
        holds: Flags = (values > self.low) & (values <= self.high)
        if np.isnan(row).any():
            holds |= np.isnan(values) & self.missing
        if len(self._categorical):
            holds[self._categorical] = self._hold_category(row)
        return holds

    def hold_jointly(self, row: FloatVector, literals: Places) -> Flags:
        """Return which literals hold for a row [K], by the first condition of each; returns [L]."""
        holds = self.hold(row)
        if len(literals) == 0:
            return holds
        joined: Flags = np.logical_and.reduceat(holds, literals)
        return joined

    @cached_property
    def _categorical(self) -> Integers:
        return np.flatnonzero(self.sets >= 0)

    def _hold_category(self, row: FloatVector) -> Flags:
        places = self._categorical
        bits = category_bits(row, self.members.shape[1])[self.columns[places]]
        words = self.members[self.sets[places], bits // _WORD]
        holds: Flags = (words >> (bits % _WORD).astype(np.uint64)) & np.uint64(1) != 0
        return holds


def category_bits(codes: FloatVector, words: int) -> NDArray[np.int64]:
    """Return the bit of each code in a set of `words` words; unknown codes have the last one."""
    last = words * _WORD - 1
    known = (codes >= 0) & (codes < last) & (codes == np.floor(codes))
    return np.where(known, codes, last).astype(np.int64)


@dataclass(frozen=True)
class TreeTable:
    """The leaves of trees, and the literals that hold for the background.

    Attributes
    ----------
    conditions : Conditions
        In the order of leaves and, within, of features.
    literals : ndarray of int32, shape [L]
        The first condition of each literal, which holds if all its conditions hold; empty where
        each literal has one.
    features : ndarray of int32, shape [L]
        The feature of each literal.
    background : ndarray of uint64, shape [L]
        By bits, the background rows for which each literal holds.
    leaves : ndarray of int32, shape [M]
        The first literal of each leaf.
    values : FloatMatrix
        Shape [M, V]: the value of each leaf.
    mix : FloatMatrix
        Shape [C, V]: the explained scores are ``mix`` times the sums of the leaves.
    rows : int
        The number of background rows.
    """

    conditions: Conditions
    literals: Places
    features: Places
    background: Words
    leaves: Places
    values: FloatMatrix
    mix: FloatMatrix
    rows: int

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> Self:
        """Read the arrays of ``explainer.npz``."""
        conditions = Conditions(**{one.name: arrays[one.name] for one in fields(Conditions)})
        own = {name: arrays[name] for name in _OWN}
        return cls(conditions=conditions, rows=int(arrays["rows"]), **own)

    def contributions(self, row: FloatVector, features: int) -> FloatMatrix:
        """Compute the Shapley values of a row.

        Parameters
        ----------
        row : FloatVector
            Shape [K]: the columns of the conditions.
        features : int
            The number of features, F.

        Returns
        -------
        FloatMatrix
            Shape [F, C].
        """
        holds = self.conditions.hold_jointly(row, self.literals)
        reached = np.where(holds, np.uint64(2**self.rows - 1), self.background)
        alive = np.bitwise_and.reduceat(reached, self.leaves)
        live = np.flatnonzero(alive)
        if len(live) == 0:
            return np.zeros((features, len(self.mix)))
        shares, literals, owners = self._shares(alive[live], live, holds)
        values, own = self.values[live] / self.rows, self.features[literals]
        sums = [
            np.bincount(own, shares * values[owners, column], minlength=features)
            for column in range(values.shape[1])
        ]
        found: FloatMatrix = np.stack(sums, axis=1) @ self.mix.T
        return found

    def _shares(self, alive: Words, live: Integers, holds: Flags) -> _Shares:
        """Return the shares, [S], of literals in the values of live leaves, and both positions."""
        depth = self._depths[live]
        leaf = np.repeat(np.arange(len(live)), depth)
        literal = np.arange(len(leaf)) + np.repeat(self.leaves[live] - _starts(depth), depth)
        kept = holds[literal]
        lost = np.where(kept, alive[leaf] & ~self.background[literal], np.uint64(0))
        fails, losing = np.flatnonzero(~kept), np.flatnonzero(lost)
        spent = np.bincount(leaf[fails], minlength=len(live))
        count = np.bincount(leaf[losing], minlength=len(live))
        gains, losses = np.empty(len(losing)), np.empty(len(live))
        sizes = count[leaf[losing]]
        for size in np.unique(count).tolist():
            own, which = count == size, sizes == size
            words = lost[losing[which]].reshape(np.count_nonzero(own), size).T
            gain, losses[own] = self._game(alive[own], words, spent[own])
            gains[which] = gain.T.ravel()
        places = np.concatenate([losing, fails])
        return np.append(gains, -losses[leaf[fails]]), literal[places], leaf[places]

    def _game(self, alive: Words, lost: Words, spent: Integers) -> tuple[FloatMatrix, FloatVector]:
        """Sum over rows the gain of each lost literal [D, M] and the loss of each failed one."""
        rows = _by_count(alive, lost)
        gain, loss = (table[: len(rows), spent] for table in self._weights)
        gains = np.empty(lost.shape)
        for place, word in enumerate(lost):
            gains[place] = _weigh(gain, rows & word)
        return gains, _weigh(loss, rows)

    @cached_property
    def _depths(self) -> Integers:
        return np.diff(self.leaves, append=len(self.features))

    @cached_property
    def _weights(self) -> tuple[FloatMatrix, FloatMatrix]:
        """Return the two weights of the docstring of this module, by a and c."""
        size = int(self._depths.max()) + 1
        gain, loss = np.zeros((size, size)), np.zeros((size, size))
        for a in range(size):
            for c in range(size - a):
                whole = lgamma(a + c + 1)
                if a:
                    gain[a, c] = np.exp(lgamma(a) + lgamma(c + 1) - whole)
                if c:
                    loss[a, c] = np.exp(lgamma(a + 1) + lgamma(c) - whole)
        return gain, loss


_OWN: Final = ("literals", "features", "background", "leaves", "values", "mix")


def _starts(lengths: Integers) -> Integers:
    return np.cumsum(lengths) - lengths


def _by_count(alive: Words, lost: Words) -> Words:
    """Sort background rows by how many of the literals [D, M] they lose.

    Returns [D + 1, M]: as bits, the rows that lose 0, 1, ... literals of a leaf. All leaves and
    rows are counted at once, one literal at a time.
    """
    counted = np.zeros((len(lost) + 1, len(alive)), dtype=np.uint64)
    counted[0] = alive
    for place, word in enumerate(lost, start=1):
        moved = counted[:place] & word
        counted[:place] ^= moved
        counted[1 : place + 1] |= moved
    return counted


def _weigh(weights: FloatMatrix, rows: Words) -> FloatVector:
    """Sum the weights [A, M], each times the number of its bits in `rows`."""
    found: FloatVector = np.einsum("am,am->m", weights, np.bitwise_count(rows).astype(np.float64))
    return found
