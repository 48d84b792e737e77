"""Mixtures of normal distributions, operation by operation as scikit-learn computes them.

Far from all components the densities differ by their last bits, so the labels hang on these.
"""

from typing import Final

import numpy as np
from scipy.special import digamma
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import lean
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

_FREE: Final = (
    "n_components covariance_type tol reg_covar max_iter n_init init_params random_state "
    "warm_start verbose verbose_interval "
)


def _plain(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=f"{_FREE} weights_init means_init precisions_init")
    return _mixture(estimator, matrix, scope.graph, [])


def _bayesian(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free=f"{_FREE} weight_concentration_prior_type weight_concentration_prior "
        "mean_precision_prior mean_prior degrees_of_freedom_prior covariance_prior",
    )
    count, freedom = matrix.width, estimator.degrees_of_freedom_
    halves = 0.5 * (freedom - np.arange(count)[:, np.newaxis])
    spread = count * np.log(2.0) + np.sum(digamma(halves), 0)
    terms = [
        -(0.5 * count * np.log(freedom)),
        0.5 * (spread - count / estimator.mean_precision_),
    ]
    return _mixture(estimator, matrix, scope.graph, terms)


def _mixture(
    estimator: Estimator, matrix: Matrix, graph: Graph, terms: list[FloatVector]
) -> Outputs:
    count, chol, kind = matrix.width, estimator.precisions_cholesky_, estimator.covariance_type
    squares = _SQUARES[kind](graph, matrix, estimator.means_, chol)
    whole = graph.node("Add", squares, graph.constant(count * np.log(2 * np.pi)))
    density = graph.node("Mul", whole, graph.constant(-0.5))
    volume = _compute_log_det_cholesky(chol, kind, count)
    for term in (volume, *terms, estimator._estimate_log_weights()):
        density = graph.node("Add", density, graph.constant(term))
    return Outputs(_responsibilities(graph, matrix.numbers(density, len(estimator.means_))))


def _full(graph: Graph, matrix: Matrix, means: FloatMatrix, chol: FloatMatrix) -> str:
    """Return the squared Mahalanobis distances to the means, [N, C]; so do the next three."""
    parts = [
        _lengths(graph, graph.node("MatMul", matrix.tensor, graph.constant(own)), mean @ own)
        for mean, own in zip(means, chol, strict=True)
    ]
    return graph.node("Concat", *parts, axis=1)


def _tied(graph: Graph, matrix: Matrix, means: FloatMatrix, chol: FloatMatrix) -> str:
    scaled = graph.node("MatMul", matrix.tensor, graph.constant(chol))
    return graph.node("Concat", *(_lengths(graph, scaled, mean @ chol) for mean in means), axis=1)


def _lengths(graph: Graph, scaled: str, centre: FloatVector) -> str:
    apart = graph.node("Sub", scaled, graph.constant([centre]))
    sums = kernels.sums(graph, graph.node("Mul", apart, apart), len(centre))
    return graph.node("Unsqueeze", sums, graph.constant([1], np.int64))


def _diagonal(graph: Graph, matrix: Matrix, means: FloatMatrix, chol: FloatMatrix) -> str:
    precisions = chol**2
    products = kernels.dot(graph, matrix, means * precisions)
    doubled = graph.node("Mul", products, graph.constant(2.0))
    first = graph.constant([np.sum(means**2 * precisions, axis=1)])
    squares = matrix.alike(graph.node("Mul", matrix.tensor, matrix.tensor))
    last = kernels.dot(graph, squares, precisions)
    return graph.node("Add", graph.node("Sub", first, doubled), last)


def _spherical(graph: Graph, matrix: Matrix, means: FloatMatrix, chol: FloatVector) -> str:
    precisions = chol**2
    products = kernels.dot(graph, matrix, means)
    scaled = graph.node("Mul", products, graph.constant([precisions]))
    doubled = graph.node("Mul", scaled, graph.constant(2.0))
    first = graph.constant([np.sum(means**2, axis=1) * precisions])
    norms = graph.node("ReduceSumSquare", matrix.tensor, graph.constant([1], np.int64), keepdims=1)
    last = graph.node("Mul", norms, graph.constant([precisions]))
    return graph.node("Add", graph.node("Sub", first, doubled), last)


_SQUARES: Final = {"full": _full, "tied": _tied, "diag": _diagonal, "spherical": _spherical}


def _responsibilities(graph: Graph, density: Matrix) -> Matrix:
    """Divide by the sum of all densities, whose logarithm is that of ``_logsumexp``."""
    axis = graph.constant([1], np.int64)
    greatest = graph.node("ReduceMax", density.tensor, axis, keepdims=1)
    among = graph.node("Equal", density.tensor, greatest)
    others = graph.node("Where", among, graph.constant(-np.inf), density.tensor)
    count = graph.node("ReduceSum", graph.double(among), axis, keepdims=1)
    endless = graph.node("IsInf", greatest)
    shift = graph.node("Where", endless, graph.constant(0.0), greatest)
    powers = graph.node("Exp", graph.node("Sub", others, shift))
    rest = graph.node("Unsqueeze", kernels.sums(graph, powers, density.width), axis)
    share = graph.node("Div", rest, count)
    above = graph.node("Log", graph.node("Add", share, graph.constant(1.0)))
    total = graph.node("Add", above, graph.node("Log", count))
    whole = graph.node("Add", total, greatest)
    shares = density.alike(graph.node("Exp", graph.node("Sub", density.tensor, whole)))
    return lean(graph, shares, density)


CONVERTERS: Final[dict[type, Convert]] = {
    BayesianGaussianMixture: _bayesian,
    GaussianMixture: _plain,
}
