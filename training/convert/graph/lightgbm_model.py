"""What LightGBM's text of a model says, and its trees in the terms of the graph.

The text holds every float64 to the last bit, and what the parameters came to. The rules are those
of ``include/LightGBM/tree.h``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.scope import Estimator
from training.convert.graph.trees import Tree, constant_leaf

ZERO: Final = float(np.float32(1e-35))
"""Up to this magnitude LightGBM takes a number for 0."""

_CATEGORICAL: Final = 1
_DEFAULT_LEFT: Final = 2
_NEVER_MISSING: Final = 0
_ZERO_IS_MISSING: Final = 1

type Integers = NDArray[np.int64]
type Fields = dict[str, str]
type Compared = Literal["number", "number or gap", "category"]


@dataclass(frozen=True, slots=True)
class Model:
    """The text of a model, up to the best iteration where fitting stopped early."""

    head: Fields
    trees: list[Fields]
    declared: frozenset[int]
    """The features that fitting was told are categories."""

    @property
    def objective(self) -> str:
        """The loss by which it was fitted, with what its link needs."""
        return self.head.get("objective", "of its own")

    @property
    def width(self) -> int:
        """How many columns the raw scores have; so many trees make an iteration."""
        return int(self.head["num_tree_per_iteration"])

    @property
    def averaged_over(self) -> int:
        """By what the sums of the trees are divided."""
        return len(self.trees) // self.width if "average_output" in self.head else 1

    @property
    def linear(self) -> bool:
        """Whether a leaf holds a linear model."""
        return any(fields["is_linear"] != "0" for fields in self.trees)

    def comparisons(self) -> Iterator[tuple[int, Compared]]:
        """Go through the branches: which feature each compares, and as what."""
        for fields in self.trees:
            decisions = _integers(fields, "decision_type").tolist()
            for feature, decision in zip(
                _integers(fields, "split_feature").tolist(), decisions, strict=True
            ):
                if decision & _CATEGORICAL:
                    yield feature, "category"
                else:
                    gap = decision >> 2 == _ZERO_IS_MISSING
                    yield feature, "number or gap" if gap else "number"


def read(booster: Estimator) -> Model:
    """Read a fitted ``Booster``."""
    head, _, rest = booster.model_to_string().partition("\n\n")
    grown, _, settings = rest.partition("end of trees")
    trees = [_fields(tree) for tree in grown.split("\n\n") if tree.strip()]
    return Model(_fields(head), trees, _declared(settings))


def _declared(settings: str) -> frozenset[int]:
    found = re.search(r"\[categorical_feature: ([\d,]+)\]", settings)
    return frozenset(map(int, found[1].split(","))) if found else frozenset()


def _fields(text: str) -> Fields:
    pairs = (line.partition("=") for line in text.strip().splitlines())
    return {name: value for name, _, value in pairs}


def tree(fields: Fields) -> Tree:
    """Make a tree of its part of the text; categories are whole, and gaps are NaN."""
    leaves = _floats(fields, "leaf_value")
    if len(leaves) == 1:
        return constant_leaf(float(leaves[0]))
    decision, threshold = _integers(fields, "decision_type"), _floats(fields, "threshold")
    is_set = decision & _CATEGORICAL > 0
    # Where a feature was never missing, NaN counts as 0.
    by_default = np.where(decision >> 2 == _NEVER_MISSING, threshold >= 0, decision & _DEFAULT_LEFT)
    nothing = np.zeros(len(leaves), dtype=np.int64)
    return Tree(
        left=np.append(_places(fields, "left_child"), nothing),
        right=np.append(_places(fields, "right_child"), nothing),
        leaf=np.repeat([False, True], [len(threshold), len(leaves)]),
        feature=np.append(_integers(fields, "split_feature"), nothing),
        threshold=np.append(_beside_zero(threshold), nothing),
        missing_left=np.append((by_default > 0) & ~is_set, nothing > 0),
        value=np.append(np.zeros(len(threshold)), leaves),
        members=_members(fields, threshold, is_set),
    )


def _places(fields: Fields, name: str) -> Integers:
    """Put the leaves, which are numbered by complements, behind the branches."""
    children = _integers(fields, name)
    return np.where(children >= 0, children, len(children) + ~children)


def _beside_zero(threshold: FloatVector) -> FloatVector:
    """Move thresholds out from among the numbers that LightGBM takes for 0."""
    inside = np.abs(threshold) <= ZERO
    below = np.where(threshold < 0, np.nextafter(-ZERO, -np.inf), ZERO)
    return np.where(inside, below, threshold)


def _members(fields: Fields, threshold: FloatVector, is_set: Flags) -> dict[int, FloatVector]:
    """Give the categories that go left, by branch; there, a threshold is the number of a set."""
    if not is_set.any():
        return {}
    bounds, words = _integers(fields, "cat_boundaries"), _integers(fields, "cat_threshold")
    octets = words.astype("<u4").view(np.uint8)
    sets = [
        np.flatnonzero(np.unpackbits(octets[4 * start : 4 * end], bitorder="little"))
        for start, end in pairwise(bounds)
    ]
    return {
        int(branch): sets[int(threshold[branch])].astype(np.float64)
        for branch in np.flatnonzero(is_set)
    }


def _integers(fields: Fields, name: str) -> Integers:
    return np.array(fields[name].split(), dtype=np.int64)


def _floats(fields: Fields, name: str) -> FloatVector:
    return np.array(fields[name].split(), dtype=np.float64)
