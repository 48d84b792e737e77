"""Trees, as one ``ai.onnx.ml`` 5 TreeEnsemble in float64.

https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from sklambda.arrays import Flags, FloatVector
from training.convert.graph import ML_DOMAIN, Graph, Matrix

_SUM: Final = 1
_NO_TRANSFORM: Final = 0
_BRANCH_LEQ: Final = 0

type Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tree:
    """One binary tree, a position for each node; the root is at 0.

    Attributes
    ----------
    left, right : ndarray of int64, shape [nodes]
        Where the children stand; anything at a leaf.
    leaf : ndarray of bool, shape [nodes]
        Whether the node is a leaf.
    feature : ndarray of int64, shape [nodes]
        The column that is compared.
    threshold : ndarray of float64, shape [nodes]
        A value that is not greater goes left.
    missing_left : ndarray of bool, shape [nodes]
        Whether NaN goes left.
    value : ndarray of float64, shape [nodes]
        What a leaf adds.
    """

    left: Integers
    right: Integers
    leaf: Flags
    feature: Integers
    threshold: FloatVector
    missing_left: Flags
    value: FloatVector


@dataclass(slots=True)
class Ensemble:
    """Trees in the flat form of the operator: branches and leaves are numbered apart."""

    targets: int
    roots: list[int] = field(default_factory=list)
    branches: int = 0
    leaves: int = 0
    parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, tree: Tree, target: int) -> None:
        """Add a tree whose leaves add to the column `target` of the result."""
        if tree.leaf[0]:
            tree = _with_a_branch(tree)
        self._append(_apart(tree, self.branches, self.leaves), target)

    def _append(self, part: dict[str, NDArray[Any]], target: int) -> None:
        self.roots.append(self.branches)
        part["leaf_targetids"] = np.full(len(part["leaf_weights"]), target)
        self.branches += len(part["nodes_splits"])
        self.leaves += len(part["leaf_weights"])
        self.parts.append(part)

    def node(self, graph: Graph, matrix: Matrix) -> Matrix:
        """Add the ensemble to a graph; gives the sums of the leaves, [N, targets]."""
        whole = {
            name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]
        }
        attributes: dict[str, Any] = {
            name: numpy_helper.from_array(values, name) if name in _TENSORS else values.tolist()
            for name, values in whole.items()
        }
        sums = graph.node(
            "TreeEnsemble",
            matrix.tensor,
            domain=ML_DOMAIN,
            tree_roots=self.roots,
            n_targets=self.targets,
            aggregate_function=_SUM,
            # Links are nodes of their own: onnxruntime ignores the transform (#26596).
            post_transform=_NO_TRANSFORM,
            **attributes,
        )
        return matrix.numbers(sums, self.targets)


_TENSORS: Final = frozenset({"nodes_modes", "nodes_splits", "leaf_weights"})


def _apart(tree: Tree, branches: int, leaves: int) -> dict[str, NDArray[Any]]:
    branch = ~tree.leaf
    number = np.where(
        tree.leaf, leaves + np.cumsum(tree.leaf) - 1, branches + np.cumsum(branch) - 1
    )
    left, right = tree.left[branch], tree.right[branch]
    return {
        "nodes_featureids": tree.feature[branch],
        "nodes_modes": np.full(branch.sum(), _BRANCH_LEQ, dtype=np.uint8),
        "nodes_splits": tree.threshold[branch],
        "nodes_missing_value_tracks_true": tree.missing_left[branch].astype(np.int64),
        "nodes_truenodeids": number[left],
        "nodes_trueleafs": tree.leaf[left].astype(np.int64),
        "nodes_falsenodeids": number[right],
        "nodes_falseleafs": tree.leaf[right].astype(np.int64),
        "leaf_weights": tree.value[tree.leaf],
    }


def _with_a_branch(tree: Tree) -> Tree:
    """Put a branch above a lone leaf, which stands on both its sides: the operator wants one."""
    return Tree(
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        leaf=np.array([False, True, True]),
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        missing_left=np.zeros(3, dtype=bool),
        value=np.repeat(tree.value[:1], 3),
    )
