"""The values of the inputs at which a tree of the graph takes the other branch.

A test set never holds them. There a conversion in float32, or a scaler that rounds otherwise, takes
another branch than scikit-learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.session import INPUT, InferenceSession, load
from training.convert.graph.float_order import rank, unrank
from training.convert.graph.graph import ML_DOMAIN
from training.convert.graph.trees import BRANCH_MEMBER

_FAR: Final = 1e300
_NUMBERS: Final = 2**22
"""The greatest number of values in one run."""

_SEED: Final = 0

type _Ranks = NDArray[np.int64]

_MOST: Final = 2048
"""The greatest number of thresholds for each input: a forest has hundreds of thousands."""


@dataclass(frozen=True, slots=True)
class _Splits:
    """The comparisons of trees: columns of one tensor, with thresholds."""

    tensor: str
    columns: NDArray[np.int64]  # [S]
    thresholds: FloatVector  # [S]


def boundaries(model: bytes, base: FloatVector, inputs: Sequence[int]) -> dict[int, FloatVector]:
    """Find the greatest values of each input that still go left at some branch.

    The steps before a tree are run as the graph has them, and the input is found by bisection over
    the float64 numbers themselves, so a boundary is exact to the last bit. An input that reaches a
    tree through a step that is not monotone has its boundaries found in part.

    Parameters
    ----------
    model : bytes
        The ONNX model.
    base : FloatVector
        Shape [K]: the values of the other inputs meanwhile.
    inputs : sequence of int
        The columns of ``X`` to look at.

    Returns
    -------
    dict of int to FloatVector
        For each input, its boundaries, ascending; empty where no tree depends on it.
    """
    graph = onnx.load_from_string(model)
    splits = _splits(graph)
    if not splits:
        return {column: np.empty(0) for column in inputs}
    session = _exposing(graph, [split.tensor for split in splits])
    return {
        column: np.unique(
            np.concatenate(
                [
                    _Probe(session, place, base, column).boundaries(split)
                    for place, split in enumerate(splits)
                ]
            )
        )
        for column in inputs
    }


def _splits(graph: onnx.ModelProto) -> list[_Splits]:
    found: dict[str, list[FloatMatrix]] = {}
    for node in graph.graph.node:
        if node.domain == ML_DOMAIN and node.op_type == "TreeEnsemble":
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            found.setdefault(node.input[0], []).append(_pairs(attributes))
    return [_merged(tensor, np.concatenate(parts)) for tensor, parts in found.items()]


def _merged(tensor: str, pairs: FloatMatrix) -> _Splits:
    columns, thresholds = pairs[np.isfinite(pairs[:, 1])].T
    used = np.unique(columns)
    # Column by column: numpy takes several times as long for pairs.
    each = [np.unique(thresholds[columns == column]) for column in used]
    repeated = np.repeat(used.astype(np.int64), [len(own) for own in each])
    return _Splits(tensor, repeated, np.concatenate([np.empty(0), *each]))


def _pairs(attributes: dict[str, Any]) -> FloatMatrix:
    """Return columns with their thresholds, [S, 2]; each member of a set counts as one."""
    columns = np.asarray(attributes["nodes_featureids"], dtype=np.float64)
    pairs = np.column_stack([columns, numpy_helper.to_array(attributes["nodes_splits"])])
    if "membership_values" not in attributes:
        return pairs
    in_sets = numpy_helper.to_array(attributes["nodes_modes"]) == BRANCH_MEMBER
    members = numpy_helper.to_array(attributes["membership_values"])
    # A NaN ends each set; it is dropped with the infinite thresholds.
    owner = columns[in_sets][np.cumsum(np.isnan(members)) - np.isnan(members)]
    return np.concatenate([pairs[~in_sets], np.column_stack([owner, members])])


def _exposing(graph: onnx.ModelProto, tensors: Sequence[str]) -> InferenceSession:
    """Load what comes before inner tensors, with them as the outputs."""
    shown = onnx.ModelProto()
    shown.ir_version = graph.ir_version
    shown.opset_import.extend(graph.opset_import)
    shown.graph.name = graph.graph.name
    shown.graph.input.extend(graph.graph.input)
    nodes, wanted = _before(graph.graph.node, tensors)
    shown.graph.node.extend(nodes)
    shown.graph.initializer.extend(
        value for value in graph.graph.initializer if value.name in wanted
    )
    for tensor in tensors:
        # The input itself cannot be an output, so each tensor is passed on under another name.
        shown.graph.node.append(helper.make_node("Identity", [tensor], [f"shown_{tensor}"]))
        shown.graph.output.append(
            helper.make_tensor_value_info(f"shown_{tensor}", TensorProto.DOUBLE, None)
        )
    return load(shown.SerializeToString())


def _before(
    nodes: Sequence[onnx.NodeProto], tensors: Sequence[str]
) -> tuple[list[onnx.NodeProto], set[str]]:
    """Return the nodes before the tensors: bisection would run the trees at each step."""
    wanted, kept = set(tensors), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1], wanted


@dataclass(frozen=True, slots=True)
class _Probe:
    """One inner tensor, as a function of one input."""

    session: InferenceSession
    tensor: int
    base: FloatVector  # [K]
    column: int

    def __call__(self, values: FloatVector) -> FloatMatrix:
        X = np.repeat(self.base[None, :], len(values), axis=0)
        X[:, self.column] = values
        result: FloatMatrix = self.session.run(None, {INPUT: X})[self.tensor]
        return result

    def boundaries(self, splits: _Splits) -> FloatVector:
        low, high = self(np.array([-_FAR, _FAR]))
        moved = ((low != high) & ~(np.isnan(low) & np.isnan(high)))[splits.columns]
        columns, thresholds = _some(splits.columns[moved], splits.thresholds[moved])
        if len(columns) == 0:
            return np.empty(0)
        ends, (low, high) = self._with_values(low, high)
        found = self._bisect(columns, thresholds, (high > low)[columns], ends[:, columns])
        inner = unrank(ends[:, np.unique(columns)]).ravel()
        return np.concatenate([found, inner[np.abs(inner) < _FAR]])

    def _with_values(self, low: FloatVector, high: FloatVector) -> tuple[_Ranks, FloatMatrix]:
        """Find the ends of the inputs for which each column is not NaN, [2, W], and its values.

        Before a logarithm it is NaN on one side.
        """
        ends = np.repeat(rank(np.array([-_FAR, _FAR]))[:, None], len(low), axis=1)
        values = np.array([low, high])
        for side in (0, 1):
            columns = np.flatnonzero(np.isnan(values[side]) & ~np.isnan(values[1 - side]))
            missing, present = ends[side, columns], ends[1 - side, columns]
            while (np.maximum(missing, present) - 1 > np.minimum(missing, present)).any():
                middle = _between(missing, present)
                found = self._at(unrank(middle), columns)
                gone = np.isnan(found)
                missing, present = np.where(gone, middle, missing), np.where(gone, present, middle)
            ends[side, columns] = present
            values[side, columns] = self._at(unrank(present), columns) if len(columns) else 0.0
        return ends, values

    def _at(self, values: FloatVector, columns: NDArray[np.int64]) -> FloatVector:
        """Return one column for each value, [S]; in parts, for counts of terms make rows wide."""
        size = max(1, _NUMBERS // len(self.base))
        parts = [slice(start, start + size) for start in range(0, len(values), size)]
        found = [
            np.take_along_axis(self(values[part]), columns[part, None], axis=1) for part in parts
        ]
        return np.concatenate(found)[:, 0]

    def _bisect(
        self,
        columns: NDArray[np.int64],
        thresholds: FloatVector,
        rising: NDArray[np.bool_],
        ends: _Ranks,
    ) -> FloatVector:
        low, high = ends
        while (high > low + 1).any():
            middle = _between(low, high)
            left = self._at(unrank(middle), columns) <= thresholds
            below = left == rising
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return unrank(low)


def _between(low: _Ranks, high: _Ranks) -> _Ranks:
    """Return the ranks in the middle; the sum would overflow."""
    middle: _Ranks = (low >> 1) + (high >> 1) + (low & high & 1)
    return middle


def _some(
    columns: NDArray[np.int64], thresholds: FloatVector
) -> tuple[NDArray[np.int64], FloatVector]:
    """Draw splits where there are too many, the same ones each time."""
    if len(columns) <= _MOST:
        return columns, thresholds
    places = np.random.default_rng(_SEED).choice(len(columns), _MOST, replace=False)
    return columns[places], thresholds[places]
