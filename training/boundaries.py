"""The values of the inputs at which a tree of the graph changes its mind.

A test set never holds them, and it is there that a conversion in float32, or a scaler that rounds
otherwise, takes the other branch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.session import INPUT, InferenceSession, load
from training.convert.graph import ML_DOMAIN

_FAR: Final = 1e300


@dataclass(frozen=True, slots=True)
class _Splits:
    """What the trees of one node compare: columns of the tensor, with thresholds."""

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
    found = []
    for node in graph.graph.node:
        if node.domain == ML_DOMAIN and node.op_type == "TreeEnsemble":
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            pairs = np.column_stack(
                [
                    np.asarray(attributes["nodes_featureids"], dtype=np.float64),
                    numpy_helper.to_array(attributes["nodes_splits"]),
                ]
            )
            pairs = np.unique(pairs[np.isfinite(pairs[:, 1])], axis=0)
            found.append(_Splits(node.input[0], pairs[:, 0].astype(np.int64), pairs[:, 1]))
    return found


def _exposing(graph: onnx.ModelProto, tensors: Sequence[str]) -> InferenceSession:
    """Load the graph with inner tensors as its outputs."""
    shown = onnx.ModelProto()
    shown.CopyFrom(graph)
    del shown.graph.output[:]
    for tensor in tensors:
        # The input itself cannot be an output, so each tensor is passed on under another name.
        shown.graph.node.append(helper.make_node("Identity", [tensor], [f"shown_{tensor}"]))
        shown.graph.output.append(
            helper.make_tensor_value_info(f"shown_{tensor}", TensorProto.DOUBLE, None)
        )
    return load(shown.SerializeToString())


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
        moved = (low != high)[splits.columns]
        columns, thresholds = splits.columns[moved], splits.thresholds[moved]
        if len(columns) == 0:
            return np.empty(0)
        return self._bisect(columns, thresholds, (high > low)[columns])

    def _bisect(
        self, columns: NDArray[np.int64], thresholds: FloatVector, rising: NDArray[np.bool_]
    ) -> FloatVector:
        each = np.arange(len(columns))
        low, high = _rank(np.full(len(columns), -_FAR)), _rank(np.full(len(columns), _FAR))
        while (high > low + 1).any():
            middle = (low >> 1) + (high >> 1) + (low & high & 1)  # the sum would overflow
            left = self(_unrank(middle))[each, columns] <= thresholds
            below = left == rising
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return _unrank(low)


def _rank(values: FloatVector) -> NDArray[np.int64]:
    """Number the float64 values in their order, so that neighbours differ by 1."""
    bits = values.view(np.int64)
    return np.where(bits >= 0, bits, np.iinfo(np.int64).min - bits)


def _unrank(ranks: NDArray[np.int64]) -> FloatVector:
    bits = np.where(ranks >= 0, ranks, np.iinfo(np.int64).min - ranks)
    return bits.view(np.float64)
