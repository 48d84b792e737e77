"""Arithmetic in float32, to the last bit: that of libraries whose scores are float32.

A matrix of the graph stays float64; what is rounded to float32 after each sum, quotient and
difference is what float32 would have given, since float64 has more than twice its digits.
"""

from typing import Final

import numpy as np
from onnx import TensorProto

from training.convert.graph.graph import Elementwise, Graph, Matrix

_PARTS: Final = 32
_LEAST, _GREATEST = -110.0, 90.0  # beyond them the exponential is 0 and infinite
_CUBIC, _SQUARE, _LINEAR = (
    float.fromhex(digits) / _PARTS**power
    for digits, power in (
        ("0x1.c6af84b912394p-5", 3),
        ("0x1.ebfce50fac4f3p-3", 2),
        ("0x1.62e42ff0c52d6p-1", 1),
    )
)
_PER_PART: Final = float.fromhex("0x1.71547652b82fep+0") * _PARTS  # 1 / ln 2
_MOST_OF_ODDS: Final = float(np.float32(88.7))


def rounded(graph: Graph, tensor: str) -> str:
    """Round a float64 tensor to float32; it stays float64."""
    return graph.double(graph.node("Cast", tensor, to=TensorProto.FLOAT))


def narrowed(graph: Graph, matrix: Matrix) -> Matrix:
    """Round the numbers of a matrix to float32, as a step that trees after it may fold."""
    step = Elementwise("float32", lambda values: values.astype(np.float32).astype(np.float64))
    kinds = [step if vocabulary is None else None for vocabulary in matrix.vocabularies]
    return matrix.mapped(rounded(graph, matrix.tensor), kinds)


def added_in_order(graph: Graph, parts: Matrix, width: int) -> Matrix:
    """Add up in float32, one after the other.

    Parameters
    ----------
    graph : Graph
        What the nodes are added to.
    parts : Matrix
        Shape [N, P * width]: in each row the first part of every column, then the second, ...
    width : int
        How many columns are added up.

    Returns
    -------
    Matrix
        Shape [N, width].
    """
    shape = graph.constant([0, parts.width // width, width], np.int64)
    single = graph.node("Cast", parts.tensor, to=TensorProto.FLOAT)
    by_part = graph.node("Transpose", graph.node("Reshape", single, shape), perm=[1, 0, 2])
    # A sum may be taken in any order, and is for some shapes; running totals may not.
    totals = graph.node("CumSum", by_part, graph.constant(0, np.int64))
    last = graph.node("Gather", totals, graph.constant(-1, np.int64), axis=0)
    return parts.numbers(graph.double(last), width)


def exponential(graph: Graph, tensor: str) -> str:
    """Compute ``expf`` of the C library, for float32 numbers in float64.

    That is seldom but at times not the float32 next to the exponential, so its own algorithm is
    repeated, ``sysdeps/ieee754/flt-32/e_expf.c`` of glibc: of ``x = (k + r) ln 2 / 32`` the power
    of the whole number k is looked up, and that of r is a polynomial.
    """
    ends = (graph.constant(_LEAST), graph.constant(_GREATEST))
    scaled = graph.node("Mul", graph.node("Clip", tensor, *ends), graph.constant(_PER_PART))
    whole = graph.node("Round", scaled)
    rest = graph.node("Sub", scaled, whole)
    cubic = _line(graph, rest, _CUBIC, _SQUARE)
    square = graph.node("Mul", cubic, graph.node("Mul", rest, rest))
    power = graph.node("Add", square, _line(graph, rest, _LINEAR, 1.0))
    return rounded(graph, graph.node("Mul", power, _power_of_two(graph, whole)))


def _line(graph: Graph, tensor: str, slope: float, start: float) -> str:
    return graph.node(
        "Add", graph.node("Mul", tensor, graph.constant(slope)), graph.constant(start)
    )


def _power_of_two(graph: Graph, parts: str) -> str:
    first = int(_LEAST * _PER_PART) - 1
    last = int(_GREATEST * _PER_PART) + 1
    table = graph.constant(np.exp2(np.arange(first, last + 1) / _PARTS))
    place = graph.node("Sub", parts, graph.constant(float(first)))
    return graph.node("Gather", table, graph.node("Cast", place, to=TensorProto.INT64))


def logistic(graph: Graph, raw: Matrix) -> Matrix:
    """Return ``1 / (1 + exp(-raw))`` in float32, above 0 as XGBoost keeps it."""
    negative = graph.node("Neg", raw.tensor)
    power = exponential(graph, graph.node("Min", negative, graph.constant(_MOST_OF_ODDS)))
    one = graph.constant(1.0)
    below = rounded(graph, graph.node("Add", power, one))
    return raw.alike(rounded(graph, graph.node("Div", one, below)))


def softmax(graph: Graph, raw: Matrix) -> Matrix:
    """Return the softmax of rows [N, C] in float32, whose powers are summed in float64."""
    axis = graph.constant([1], np.int64)
    greatest = graph.node("ReduceMax", raw.tensor, axis, keepdims=1)
    powers = exponential(graph, rounded(graph, graph.node("Sub", raw.tensor, greatest)))
    total = rounded(graph, graph.node("ReduceSum", powers, axis, keepdims=1))
    return raw.alike(rounded(graph, graph.node("Div", powers, total)))


def both(graph: Graph, second: Matrix) -> Matrix:
    """Add the probability of the first class before that of the second: [N, 1] to [N, 2]."""
    first = rounded(graph, graph.node("Sub", graph.constant([[1.0]]), second.tensor))
    return graph.join([second.alike(first), second])
