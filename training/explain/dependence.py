"""The features that each column of each tensor of a graph depends on, at most.

The output of an unknown node depends on all of its inputs, so that the result can only have too
many features.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto

from sklambda.arrays import IntVector
from sklambda.session import INPUT
from training.explain.ensembles import Forest, is_ensemble
from training.explain.flow import Flow, attributes

type Features = NDArray[np.bool_]
"""[F, W], by feature and column; [F] where the columns are not separated."""

_BY_ELEMENT: Final = (
    "Abs Add And Cast Ceil Clip Div Equal Exp Floor Greater GreaterOrEqual Identity IsInf IsNaN "
    "Less LessOrEqual Log Max Min Mul Neg Not Or Pow Relu Round Sigmoid Sign Sqrt Sub Sum Tanh "
    "Where Xor"
)


def dependence(flow: Flow, owners: IntVector) -> Mapping[str, Features]:
    """Follow the features through a graph.

    Parameters
    ----------
    flow : Flow
        The graph.
    owners : ndarray of int, shape [K]
        The feature that each column of ``X`` belongs to.

    Returns
    -------
    mapping of str to Features
        For each tensor that is not constant.
    """
    features = np.arange(owners.max() + 1)
    found: dict[str, Features] = {INPUT: features[:, None] == owners}
    for node in flow.nodes:
        if any(attribute.type == AttributeProto.GRAPH for attribute in node.attribute):
            reached = np.ones(len(features), dtype=bool)  # a loop sees what is outside of it
        elif not any(name in found for name in node.input):
            continue
        else:
            reached = _RULES.get(node.op_type, _all_inputs)(node, found, flow)
        found |= dict.fromkeys(node.output, reached)
    return found


type _Rule = Callable[[NodeProto, Mapping[str, Features], Flow], Features]


def _all_inputs(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    inputs = [found[name] for name in node.input if name in found]
    whole = [each.any(axis=1) if each.ndim == 2 else each for each in inputs]
    reached: Features = np.logical_or.reduce(whole)
    return reached


def _by_element(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    inputs = [found[name] for name in node.input if name in found]
    constants = [flow.constants[name] for name in node.input if name in flow.constants]
    unknown = sum(map(bool, node.input)) - len(inputs) - len(constants)
    if unknown or any(each.ndim == 1 for each in inputs) or any(c.ndim > 2 for c in constants):
        return _all_inputs(node, found, flow)
    width = max([each.shape[1] for each in inputs] + [c.shape[-1] for c in constants if c.ndim])
    reached: Features = np.logical_or.reduce(
        [np.broadcast_to(each, (len(each), width)) for each in inputs]
    )
    return reached


def _gather(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    data, columns = found.get(node.input[0]), flow.constants.get(node.input[1])
    if data is None or data.ndim == 1 or columns is None or columns.ndim != 1:
        return _all_inputs(node, found, flow)
    if attributes(node).get("axis") != 1:
        return _all_inputs(node, found, flow)
    picked: Features = data[:, columns]
    return picked


def _slice(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    data = found.get(node.input[0])
    bounds = [flow.constants.get(name) for name in node.input[1:]]
    known = [int(bound[0]) for bound in bounds if bound is not None and bound.shape == (1,)]
    # Starts, ends and axes; a step may follow.
    if data is None or data.ndim == 1 or len(known) != 3 or len(bounds) != 3 or known[2] != 1:
        return _all_inputs(node, found, flow)
    return data[:, known[0] : known[1]]


def _concat(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    if attributes(node)["axis"] != 1 or not all(name in found for name in node.input):
        return _all_inputs(node, found, flow)
    inputs = [
        found[name] if found[name].ndim == 2 else spread(found[name], flow.width(name))
        for name in node.input
    ]
    if any(each.ndim == 1 for each in inputs):
        return _all_inputs(node, found, flow)
    return np.concatenate(inputs, axis=1)


def spread(features: Features, width: int) -> Features:
    """Expand the features of a tensor to its columns, where there is one feature or none."""
    if features.ndim == 2 or features.sum() > 1:
        return features
    return np.repeat(features[:, None], width, axis=1)


def _product(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    data, weights = found.get(node.input[0]), flow.constants.get(node.input[1])
    # A third operand, of Gemm, is what is added.
    plain = weights is not None and weights.ndim == 2 and not node.attribute
    others = any(name not in flow.constants for name in node.input[2:])
    if data is None or data.ndim == 1 or weights is None or not plain or others:
        return _all_inputs(node, found, flow)
    reached: Features = data.astype(np.float32) @ (weights != 0).astype(np.float32) > 0
    return reached


def _ensemble(node: NodeProto, found: Mapping[str, Features], flow: Flow) -> Features:
    data = found[node.input[0]]
    if not is_ensemble(node) or data.ndim == 1:
        return _all_inputs(node, found, flow)
    uses = Forest.read(node).uses(data.shape[1])
    reached: Features = data.astype(np.float32) @ uses.astype(np.float32) > 0
    return reached


_RULES: Final[dict[str, _Rule]] = {
    **dict.fromkeys(_BY_ELEMENT.split(), _by_element),
    "Concat": _concat,
    "Gather": _gather,
    "Gemm": _product,
    "MatMul": _product,
    "Slice": _slice,
    "TreeEnsemble": _ensemble,
}
