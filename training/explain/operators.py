"""The operators of a graph that make weighted sums, followed backwards."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from sklambda.arrays import FloatMatrix
from training.explain.flow import Flow, attributes
from training.explain.refusal import NoClosedForm

_NOTHING: Final = 1e-12

type _Shares = Iterator[tuple[str, FloatMatrix]]
type _Rule = Callable[[NodeProto, FloatMatrix, Flow], _Shares]


def shares(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    """Give what the operands of a node count, by the weights [C, W] of its result.

    Parameters
    ----------
    node : NodeProto
        A node of the graph that makes a matrix [N, W].
    weights : FloatMatrix
        Shape [C, W].
    flow : Flow
        The graph.

    Returns
    -------
    iterator of str and FloatMatrix
        Tensors that are not constant, with the weights of their columns.

    Raises
    ------
    NoClosedForm
        The result is no weighted sum of the operands.
    """
    if node.op_type not in _RULES:
        raise NoClosedForm(f"{node.op_type} of several features stands in the way")
    return _RULES[node.op_type](node, weights, flow)


def _one(name: str, weights: FloatMatrix, flow: Flow) -> tuple[str, FloatMatrix]:
    """Give the share of an operand, which may have one column for all."""
    alone = weights.shape[1] > 1 and flow.width(name) == 1
    return name, weights.sum(axis=1, keepdims=True) if alone else weights


def _sum(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    for name in node.input:
        if name not in flow.constants:
            yield _one(name, weights, flow)


def _difference(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    for name, sign in zip(node.input, (1.0, -1.0), strict=True):
        if name not in flow.constants:
            yield _one(name, sign * weights, flow)


def _product(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    constants = [flow.constants[name] for name in node.input if name in flow.constants]
    names = [name for name in node.input if name not in flow.constants]
    if len(names) != 1:
        raise NoClosedForm("a product of features stands in the way")
    yield _one(names[0], weights * _row(constants[0]), flow)


def _quotient(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, divisor = node.input
    if divisor not in flow.constants:
        raise NoClosedForm("a quotient of features stands in the way")
    yield _one(name, weights / _row(flow.constants[divisor]), flow)


def _row(constant: NDArray[Any]) -> FloatMatrix:
    if constant.size not in (1, constant.shape[-1] if constant.ndim else 1):
        raise NoClosedForm("a constant is no row")
    return constant.reshape(1, -1)


def _matrix_product(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, factors = node.input[0], flow.constants.get(node.input[1])
    # A third operand, of Gemm, is what is added.
    plain = factors is not None and factors.ndim == 2 and not node.attribute
    if not plain or any(other not in flow.constants for other in node.input[2:]):
        raise NoClosedForm("a product of features stands in the way")
    yield name, weights @ flow.constants[node.input[1]].T


def _picked(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    name, columns = node.input[0], flow.constants.get(node.input[1])
    if attributes(node).get("axis") != 1 or columns is None or columns.ndim != 1:
        raise NoClosedForm("a table stands in the way")
    spread = np.zeros((flow.width(name), len(weights)))
    np.add.at(spread, columns, weights.T)
    yield name, spread.T


def _side_by_side(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    start = 0
    for name in node.input:
        width = flow.width(name)
        yield name, weights[:, start : start + width]
        start += width


def _total(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    axes = flow.constants.get(node.input[1])
    if axes is None or axes.tolist() != [1] or attributes(node).get("keepdims") != 1:
        raise NoClosedForm("a sum of another kind stands in the way")
    yield node.input[0], np.repeat(weights, flow.width(node.input[0]), axis=1)


def _same(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    yield node.input[0], weights


def _opposite(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    yield node.input[0], -weights


def _sign(node: NodeProto, weights: FloatMatrix, flow: Flow) -> _Shares:
    """Leave out what lets ties lean to a class: it is beyond the digits that are compared."""
    if np.abs(weights).max() > _NOTHING:
        raise NoClosedForm("a sign stands in the way")
    yield from ()


_RULES: Final[dict[str, _Rule]] = {
    "Add": _sum,
    "Concat": _side_by_side,
    "Div": _quotient,
    "Gather": _picked,
    "Gemm": _matrix_product,
    "Identity": _same,
    "MatMul": _matrix_product,
    "Mul": _product,
    "Neg": _opposite,
    "ReduceSum": _total,
    "Sign": _sign,
    "Sub": _difference,
    "Sum": _sum,
}
