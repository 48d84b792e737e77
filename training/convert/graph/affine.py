"""Weighted sums of the features."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Estimator


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
