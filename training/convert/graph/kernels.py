"""Weighted sums of the features; kernels and distances between rows and constant rows, in float64.

``ai.onnx.ml`` has operators for them, but they compute in float32.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse import issparse

from sklambda.arrays import FloatMatrix
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Estimator

KERNELS = ("linear", "poly", "rbf", "sigmoid")


def affine(graph: Graph, matrix: Matrix, weights: ArrayLike, constants: ArrayLike) -> Matrix:
    """Return ``matrix @ weights.T + constants``.

    Parameters
    ----------
    graph : Graph
        The graph that the nodes are added to.
    matrix : Matrix
        Shape [N, K].
    weights : array-like
        Shape [T, K], or [K] for one sum.
    constants : array-like
        Shape [T], or a number.

    Returns
    -------
    Matrix
        Shape [N, T].
    """
    rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    added = np.reshape(np.asarray(constants, dtype=np.float64), (1, -1))
    operator, more = ("Gemm", [graph.constant(added)]) if added.any() else ("MatMul", [])
    sums = graph.node(operator, matrix.tensor, graph.constant(rows.T), *more)
    return matrix.numbers(sums, len(rows))


def fitted(graph: Graph, matrix: Matrix, estimator: Estimator) -> Matrix:
    """Return ``X @ coef_.T + intercept_``, which scikit-learn's linear models share."""
    # sparsify() makes a sparse matrix of the weights.
    weights = estimator.coef_.toarray() if issparse(estimator.coef_) else estimator.coef_
    return affine(graph, matrix, weights, estimator.intercept_)


def squared_distances(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Sum (x - v)² column by column, [N, M].

    The short form |x|² + |v|² - 2xv loses the small distances between large numbers, and
    [N, M, K] at once would take too much memory.
    """
    total = ""
    for place, column in enumerate(columns(graph, matrix)):
        difference = graph.node("Sub", column, graph.constant(others[None, :, place]))
        square = graph.node("Mul", difference, difference)
        total = graph.node("Add", total, square) if total else square
    return total


def columns(graph: Graph, matrix: Matrix) -> list[str]:
    """Cut a matrix into columns [N, 1]."""
    return [
        graph.node("Gather", matrix.tensor, graph.constant([place], np.int64), axis=1)
        for place in range(matrix.width)
    ]


def short_squared_distances(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Return |x|² + |v|² - 2xv, [N, M], rounded as scikit-learn's ``euclidean_distances`` does."""
    products = dot(graph, matrix, others)
    doubled = graph.node("Mul", products, graph.constant(-2.0))
    norms = graph.node("ReduceSumSquare", matrix.tensor, graph.constant([1], np.int64), keepdims=1)
    near = graph.node("Add", doubled, norms)
    whole = graph.node("Add", near, graph.constant(np.sum(others**2, axis=1)[None, :]))
    return graph.node("Max", whole, graph.constant(0.0))


def euclidean_distances(graph: Graph, matrix: Matrix, others: FloatMatrix) -> Matrix:
    """Return scikit-learn's ``euclidean_distances``, [N, M]."""
    squares = short_squared_distances(graph, matrix, others)
    return matrix.numbers(graph.node("Sqrt", squares), len(others))


def nearest(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Return the place of the nearest, [N, 1], as scikit-learn's ``pairwise_distances_argmin``.

    From afar roots tie where squares do not, and then the first is taken. So scikit-learn does with
    several rows of a DataFrame, whose columns lie one after another in memory; where rows do, it
    compares the squares.
    """
    return first_least(graph, euclidean_distances(graph, matrix, others).tensor)


def first_least(graph: Graph, values: str) -> str:
    """Return the place of the first least value of each row, [N, 1] float64."""
    return graph.double(graph.node("ArgMin", values, axis=1, keepdims=1))


def dot(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Return the inner products, [N, M]."""
    return graph.node("MatMul", matrix.tensor, graph.constant(others.T))


def products(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Return the inner products, [N, M], added term by term as libsvm does."""
    return one_by_one(
        graph,
        [
            graph.node("Mul", column, graph.constant(other[None, :]))
            for column, other in zip(columns(graph, matrix), others.T, strict=True)
        ],
    )


def dense(values: Any) -> FloatMatrix:
    """Return points, [M, K], as an array where they are sparse."""
    found: FloatMatrix = values.toarray() if sparse.issparse(values) else values
    return found


def exponential(graph: Graph, squares: str, gamma: float) -> str:
    """Return exp(-gamma d²)."""
    return graph.node("Exp", graph.node("Mul", squares, graph.constant(-gamma)))


def scaled(graph: Graph, tensor: str, scale: float, shift: float) -> str:
    """Return scale·x + shift."""
    product = graph.node("Mul", tensor, graph.constant(scale))
    return graph.node("Add", product, graph.constant(shift))


def power(graph: Graph, base: str, exponent: int) -> str:
    """Raise to a whole power by squaring, as libsvm does."""
    if not exponent:
        return graph.node("Pow", base, graph.constant(0.0))
    result = ""
    while exponent:
        if exponent % 2:
            result = graph.node("Mul", result, base) if result else base
        exponent //= 2
        if exponent:
            base = graph.node("Mul", base, base)
    return result


def sums(graph: Graph, tensor: str, width: int) -> str:
    """Sum over the last axis, `width` long, in the order of numpy's ``sum``."""
    if width < UNROLLED:
        # A product adds the columns one after another; ReduceSum adds them in parts.
        return graph.node("MatMul", tensor, graph.constant(np.ones(width)))
    places = (graph.constant(place, np.int64) for place in range(width))
    return _pairwise(graph, [graph.node("Gather", tensor, place, axis=-1) for place in places])


UNROLLED = 8
"""The number of terms from which on numpy adds in as many lanes."""

_BLOCK = 128


def _pairwise(graph: Graph, parts: Sequence[str]) -> str:
    """Follow ``pairwise_sum`` in numpy/_core/src/umath/loops_utils.h.src."""
    if len(parts) > _BLOCK:
        half = len(parts) // 2 // UNROLLED * UNROLLED
        return graph.node("Add", _pairwise(graph, parts[:half]), _pairwise(graph, parts[half:]))
    even = len(parts) // UNROLLED * UNROLLED
    lanes = [one_by_one(graph, parts[lane:even:UNROLLED]) for lane in range(UNROLLED)]
    while len(lanes) > 1:
        pairs = zip(lanes[::2], lanes[1::2], strict=True)
        lanes = [graph.node("Add", *pair) for pair in pairs]
    return one_by_one(graph, [*lanes, *parts[even:]])


def one_by_one(graph: Graph, parts: Sequence[str], operator: str = "Add") -> str:
    """Add tensors in their order, or merge them by another operator."""
    total, *rest = parts
    for part in rest:
        total = graph.node(operator, total, part)
    return total
