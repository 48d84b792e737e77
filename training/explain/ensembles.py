"""The trees of a graph, read back, and their leaves as boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sklambda.arrays import Flags, FloatVector
from sklambda.explain.trees import category_bits
from training.convert.graph.graph import ML_DOMAIN
from training.convert.graph.trees import BRANCH_MEMBER
from training.explain.flow import NoClosedForm, attributes

type Integers = NDArray[np.int64]

_BRANCH_LEQ: Final = 0
_WORD: Final = 64
_MOST_CATEGORIES: Final = 4096
_MOST_STEPS: Final = 2**24
"""The greatest number of pairs of a leaf and a branch above it."""


def is_ensemble(node: NodeProto) -> bool:
    """Return whether a node is the operator that `training.convert.graph.trees` writes."""
    return node.domain == ML_DOMAIN and node.op_type == "TreeEnsemble"


def leaf_count(node: NodeProto) -> int:
    """Return the number of leaves of such a node."""
    [weights] = [each.t for each in node.attribute if each.name == "leaf_weights"]
    return int(weights.dims[0])


@dataclass(frozen=True)
class Forest:
    """Trees in the flat form of the operator: branches [N] and leaves [M] are numbered apart.

    Attributes
    ----------
    columns, splits, modes, missing : ndarray, shape [N]
        The column, threshold and mode of a branch, and whether NaN takes its true side.
    children : ndarray of int64, shape [2, N]
        The child of a row for which the branch is true, and of the others.
    ends : ndarray of bool, shape [2, N]
        Whether these are leaves.
    targets, weights : ndarray, shape [M]
        The column that a leaf adds to, and its value.
    sets : list of FloatVector
        The members of the branches that compare with a set, in their order.
    """

    columns: Integers
    splits: FloatVector
    modes: Integers
    missing: Flags
    children: Integers
    ends: Flags
    targets: Integers
    weights: FloatVector
    sets: list[FloatVector]

    @classmethod
    def read(cls, node: NodeProto) -> Self:
        """Read a node; raises `NoClosedForm` where it compares in a way that is not known."""
        found: dict[str, Any] = attributes(node)
        modes = found["nodes_modes"].astype(np.int64)
        missing = np.array(found["nodes_missing_value_tracks_true"], dtype=bool)
        in_set = modes == BRANCH_MEMBER
        if not (in_set | (modes == _BRANCH_LEQ)).all() or missing[in_set].any():
            raise NoClosedForm("a tree compares in a way that is not known")
        members = found.get("membership_values", np.empty(0))
        ended = np.flatnonzero(np.isnan(members))
        return cls(
            columns=np.array(found["nodes_featureids"]),
            splits=found["nodes_splits"],
            modes=modes,
            missing=missing,
            children=np.array([found["nodes_truenodeids"], found["nodes_falsenodeids"]]),
            ends=np.array([found["nodes_trueleafs"], found["nodes_falseleafs"]], dtype=bool),
            targets=np.array(found["leaf_targetids"]),
            weights=found["leaf_weights"],
            sets=[part[~np.isnan(part)] for part in np.split(members, ended + 1)[:-1]],
        )

    @classmethod
    def joined(cls, forests: Sequence[Self]) -> Self:
        """Concatenate forests."""
        if len(forests) == 1:
            return forests[0]
        branches = np.cumsum([0, *(len(each.columns) for each in forests)])
        leaves = np.cumsum([0, *(len(each.weights) for each in forests)])
        children = [
            each.children + np.where(each.ends, leaf, branch)
            for each, leaf, branch in zip(forests, leaves, branches, strict=False)
        ]
        return cls(
            children=np.concatenate(children, axis=1),
            ends=np.concatenate([each.ends for each in forests], axis=1),
            sets=[codes for each in forests for codes in each.sets],
            **{
                name: np.concatenate([getattr(each, name) for each in forests])
                for name in ("columns", "splits", "modes", "missing", "targets", "weights")
            },
        )

    @cached_property
    def idle(self) -> Flags:
        """Whether a branch, [N], has two equal leaves, as the one above a lone leaf has."""
        first, second = np.where(self.ends, self.children, 0)
        same = self.weights[first] == self.weights[second]
        found: Flags = self.ends.all(axis=0) & same & (self.targets[first] == self.targets[second])
        return found

    @cached_property
    def doubled(self) -> Flags:
        """Whether a leaf, [M], is the second of two equal ones."""
        found = np.zeros(len(self.weights), dtype=bool)
        found[self.children[1][self.idle]] = True
        return found

    def uses(self, width: int) -> Flags:
        """Return the columns that the trees of each target compare, [width, targets]."""
        found = np.zeros((width, int(self.targets.max()) + 1), dtype=bool)
        if (self.targets == self.targets[0]).all():
            found[self.columns[~self.idle], self.targets[0]] = True
            return found
        leaf, branch, _ = self.paths
        active = ~self.idle[branch]
        found[self.columns[branch[active]], self.targets[leaf[active]]] = True
        return found

    def least_conditions(self) -> Integers:
        """Return for each leaf, [M], no more than the number of columns compared above it.

        The pairs of a leaf and a branch of a large forest fill the memory; these are bits.
        """
        (above, _), (branch, _) = self._above
        bits = np.uint64(1) << (self.columns % _WORD).astype(np.uint64)
        bits[self.idle] = 0
        seen, leaf = np.zeros(len(self.weights), dtype=np.uint64), np.arange(len(self.weights))
        while len(leaf):
            seen[leaf] |= bits[branch]
            up = above[branch] >= 0
            leaf, branch = leaf[up], above[branch[up]]
        return np.bitwise_count(seen).astype(np.int64)

    @cached_property
    def _above(self) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
        """The branch above each branch, and above each leaf, and the side; -1 above a root."""
        above, side = np.full((2, len(self.columns)), -1)
        leaf_above, leaf_side = np.full((2, len(self.weights)), -1)
        for way in (0, 1):
            inner, ends = ~self.ends[way], self.ends[way]
            above[self.children[way][inner]], side[self.children[way][inner]] = (
                np.flatnonzero(inner),
                way,
            )
            leaf_above[self.children[way][ends]] = np.flatnonzero(ends)
            leaf_side[self.children[way][ends]] = way
        return (above, side), (leaf_above, leaf_side)

    @cached_property
    def paths(self) -> tuple[Integers, Integers, Integers]:
        """All pairs of a leaf and a branch above it, with the side of the branch: 0 if it held."""
        (above, side), (branch, sides) = self._above
        leaf, steps = np.arange(len(self.weights)), []
        while len(leaf):
            steps.append((leaf, branch, sides))
            if sum(len(step[0]) for step in steps) > _MOST_STEPS:
                raise NoClosedForm("the trees are too large")
            up = above[branch] >= 0
            leaf, sides, branch = leaf[up], side[branch[up]], above[branch[up]]
        first, second, third = (np.concatenate(column) for column in zip(*steps, strict=True))
        return first, second, third

    def holding(self, words: int) -> NDArray[np.uint64]:
        """Return the categories of each side as bits, for branches with a set, [S, 2, words]."""
        flags = np.zeros((len(self.sets), words * _WORD), dtype=np.uint8)
        for place, codes in enumerate(self.sets):
            flags[place, category_bits(codes, words)] = 1
        both = np.stack([flags, 1 - flags], axis=1)
        packed = np.packbits(both, axis=-1, bitorder="little")
        return packed.view(np.uint64).reshape(len(self.sets), 2, words)

    @property
    def words(self) -> int:
        """The number of words with a bit for each category and one for all others."""
        greatest = max((float(codes.max(initial=0.0)) for codes in self.sets), default=0.0)
        if greatest > _MOST_CATEGORIES:
            raise NoClosedForm("a tree compares with categories beyond number")
        return int(greatest + 1) // _WORD + 1


@dataclass(frozen=True)
class Boxes:
    """The conditions of leaves, one a leaf, column and kind; by leaf and, within, by column."""

    leaf: Integers
    column: Integers
    low: FloatVector
    high: FloatVector
    missing: Flags
    words: NDArray[np.uint64]  # [Q, W]
    categorical: Flags


def boxes(forest: Forest, wanted: Flags) -> Boxes | None:
    """Intersect the conditions of the branches above each wanted leaf, [M]; None without any."""
    leaf, branch, side = forest.paths
    wanted = wanted & ~forest.doubled
    kept = wanted[leaf] & ~forest.idle[branch]
    if not kept.any():
        return None
    leaf, branch, side = leaf[kept], branch[kept], side[kept]
    order = np.lexsort((forest.modes[branch], forest.columns[branch], leaf))
    leaf, branch, side = leaf[order], branch[order], side[order]
    column, categorical = forest.columns[branch], forest.modes[branch] == BRANCH_MEMBER
    key = np.stack([leaf, column, categorical])
    first = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0)))
    held, splits = side == 0, forest.splits[branch]
    low = np.where(held | categorical, -np.inf, splits)
    high = np.where(held & ~categorical, splits, np.inf)
    return Boxes(
        leaf=leaf[first],
        column=column[first],
        low=np.maximum.reduceat(low, first),
        high=np.minimum.reduceat(high, first),
        missing=np.logical_and.reduceat(forest.missing[branch] == held, first),
        words=_intersected(forest, branch, side, first),
        categorical=categorical[first],
    )


def _intersected(
    forest: Forest, branch: Integers, side: Integers, first: Integers
) -> NDArray[np.uint64]:
    """Return the categories that all branches of a condition let through, [Q, W] or [Q, 0]."""
    if not forest.sets:
        return np.zeros((len(first), 0), dtype=np.uint64)
    number = np.cumsum(forest.modes == BRANCH_MEMBER) - 1
    holding = forest.holding(forest.words)
    words = holding[np.maximum(number[branch], 0), side]
    return np.bitwise_and.reduceat(words, first, axis=0)
