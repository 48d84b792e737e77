"""Kernels and distances between the rows of a matrix and constant rows, in float64.

``ai.onnx.ml`` has operators for them, but they compute in float32.
"""

import numpy as np

from sklambda.arrays import FloatMatrix
from training.convert.graph import Graph, Matrix

KERNELS = ("linear", "poly", "rbf", "sigmoid")


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
    """Give |x|² + |v|² - 2xv, [N, M], rounded as scikit-learn's ``euclidean_distances`` does."""
    products = dot(graph, matrix, others)
    doubled = graph.node("Mul", products, graph.constant(-2.0))
    norms = graph.node("ReduceSumSquare", matrix.tensor, graph.constant([1], np.int64), keepdims=1)
    near = graph.node("Add", doubled, norms)
    whole = graph.node("Add", near, graph.constant(np.sum(others**2, axis=1)[None, :]))
    return graph.node("Max", whole, graph.constant(0.0))


def euclidean_distances(graph: Graph, matrix: Matrix, others: FloatMatrix) -> Matrix:
    """Give scikit-learn's ``euclidean_distances``, [N, M]."""
    squares = short_squared_distances(graph, matrix, others)
    return matrix.numbers(graph.node("Sqrt", squares), len(others))


def dot(graph: Graph, matrix: Matrix, others: FloatMatrix) -> str:
    """Give the inner products, [N, M]."""
    return graph.node("MatMul", matrix.tensor, graph.constant(others.T))


def exponential(graph: Graph, squares: str, gamma: float) -> str:
    """Give exp(-gamma d²)."""
    return graph.node("Exp", graph.node("Mul", squares, graph.constant(-gamma)))


def affine(graph: Graph, tensor: str, scale: float, shift: float) -> str:
    """Give scale·x + shift."""
    scaled = graph.node("Mul", tensor, graph.constant(scale))
    return graph.node("Add", scaled, graph.constant(shift))


def power(graph: Graph, base: str, exponent: int) -> str:
    """Raise to a whole power above 0 by squaring, as libsvm does."""
    result = ""
    while exponent:
        if exponent % 2:
            result = graph.node("Mul", result, base) if result else base
        exponent //= 2
        if exponent:
            base = graph.node("Mul", base, base)
    return result
