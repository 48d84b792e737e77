"""What XGBoost's JSON of a model says, and its trees in the terms of the graph.

The JSON holds every float32 to the last bit. The rules are those of
``src/predictor/cpu_predictor.cc`` and ``src/common/categorical.h``.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.scope import Estimator
from training.convert.graph.trees import Tree

_CATEGORICAL: Final = 1

type Fields = dict[str, Any]
type Category = str | int


@dataclass(frozen=True, slots=True)
class Model:
    """The JSON of a model, up to the best iteration where fitting stopped early.

    Attributes
    ----------
    objective : str
        The loss by which it was fitted.
    start : FloatVector
        Shape [groups]: what the trees of each column of the raw scores are added to.
    trees : list
        In the order in which they are added.
    groups : list of int
        The column that each tree adds to.
    weights : FloatVector
        What each tree's leaves are multiplied with.
    categories : dict of int to list
        By feature of pandas' category dtype: the categories, in the order of their codes.
    """

    objective: str
    start: FloatVector
    trees: list[Fields]
    groups: list[int]
    weights: FloatVector
    categories: dict[int, list[Category]]

    @property
    def several_targets(self) -> bool:
        """Whether a leaf holds a vector."""
        return any(int(fields["tree_param"]["size_leaf_vector"]) > 1 for fields in self.trees)

    def numeric(self) -> set[int]:
        """Give the features that are compared with thresholds."""
        return {
            feature
            for fields in self.trees
            for feature, kind, child in zip(
                fields["split_indices"], fields["split_type"], fields["left_children"], strict=True
            )
            if kind != _CATEGORICAL and child >= 0
        }

    def sizes(self) -> dict[int, int]:
        """Tell how many categories each feature of categories has, as far as a branch knows."""
        sizes: dict[int, int] = {}
        for fields in self.trees:
            for node, members in _members(fields).items():
                feature = fields["split_indices"][node]
                sizes[feature] = max(sizes.get(feature, 0), *(member + 1 for member in members))
        return sizes


def read(booster: Estimator) -> Model:
    """Read a fitted ``Booster``."""
    whole = json.loads(booster.save_raw("json"))
    inner = whole["learner"]["gradient_booster"]["model"]
    best = booster.attr("best_iteration")
    count = inner["iteration_indptr"][-1 if best is None else int(best) + 1]
    weights = inner.get("weight_drop") or [1.0] * len(inner["trees"])
    return Model(
        objective=whole["learner"]["objective"]["name"],
        start=_start(booster, whole),
        trees=inner["trees"][:count],
        groups=inner["tree_info"][:count],
        weights=np.array(weights[:count]),
        categories=_categories(inner["cats"]["enc"]),
    )


def _categories(features: Sequence[Fields]) -> dict[int, list[Category]]:
    return {feature: _listed(held) for feature, held in enumerate(features) if held["values"]}


def _listed(held: Fields) -> list[Category]:
    """Give numbers as they are, and strings of the signed bytes that they are joined in."""
    if "offsets" not in held:
        return list(held["values"])
    joined = np.array(held["values"]).astype(np.int8).tobytes()
    return [joined[start:end].decode() for start, end in pairwise(held["offsets"])]


def _start(booster: Estimator, whole: Fields) -> FloatVector:
    """Ask the library what its trees are added to: its answer where each of their leaves is 0."""
    bare = copy.deepcopy(whole)
    for fields in bare["learner"]["gradient_booster"]["model"]["trees"]:
        fields["split_conditions"] = [0.0] * len(fields["split_conditions"])
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps(bare), "utf-8"))
    row = np.zeros((1, booster.num_features()), dtype=np.float32)
    margin = empty.inplace_predict(row, predict_type="margin", validate_features=False)
    return np.ravel(margin).astype(np.float64)


def tree(fields: Fields, weight: float, sizes: Mapping[int, int]) -> Tree:
    """Make a tree of its part of the JSON.

    Parameters
    ----------
    fields : dict
        The part.
    weight : float
        What the leaves are multiplied with, in float32.
    sizes : mapping of int to int
        By feature of categories: the code of a missing one.
    """
    left, right = np.array(fields["left_children"]), np.array(fields["right_children"])
    leaf, missing_left = left < 0, np.array(fields["default_left"], dtype=bool)
    members = _going_right(fields, missing_left, sizes)
    swapped = list(members)
    left[swapped], right[swapped] = right[swapped], left[swapped]
    split = np.array(fields["split_conditions"], dtype=np.float32)
    return Tree(
        left=left,
        right=right,
        leaf=leaf,
        feature=np.where(leaf, 0, fields["split_indices"]),
        # What is equal goes right.
        threshold=np.nextafter(split, np.float32(-np.inf)).astype(np.float64),
        missing_left=missing_left,
        value=(split * np.float32(weight)).astype(np.float64),
        members=members,
    )


def _going_right(
    fields: Fields, missing_left: Flags, sizes: Mapping[int, int]
) -> dict[int, FloatVector]:
    sets = _members(fields)
    for node in sets:
        if not missing_left[node]:
            sets[node] = [*sets[node], sizes[fields["split_indices"][node]]]
    return {node: np.array(members, dtype=np.float64) for node, members in sets.items()}


def _members(fields: Fields) -> dict[int, list[int]]:
    """Give the categories that go right, by branch."""
    segments = zip(
        fields["categories_nodes"],
        fields["categories_segments"],
        fields["categories_sizes"],
        strict=True,
    )
    return {node: fields["categories"][start : start + size] for node, start, size in segments}
