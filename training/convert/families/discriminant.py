"""Linear and quadratic discriminant analysis."""

from typing import Final

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine, fitted
from training.convert.graph.links import chances
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope


def _linear(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="covariance_estimator n_components priors shrinkage solver store_covariance tol",
    )
    graph, decision = scope.graph, fitted(scope.graph, matrix, estimator)
    projected = None if estimator.solver == "lsqr" else _projected(graph, matrix, estimator)
    return Outputs(chances(graph, decision), decision, transformed=projected)


def _projected(graph: Graph, matrix: Matrix, estimator: Estimator) -> Matrix:
    centred = matrix.numbers(matrix.tensor)
    if estimator.solver == "svd":
        mean = graph.constant([estimator.xbar_])
        centred = matrix.numbers(graph.node("Sub", matrix.tensor, mean))
    axes = estimator.scalings_[:, : estimator._max_components]
    return affine(graph, centred, np.transpose(axes), 0.0)


def _quadratic(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="covariance_estimator priors reg_param shrinkage solver store_covariance tol",
    )
    graph, count = scope.graph, len(estimator.classes_)
    joint = graph.join([_log_posterior(graph, matrix, estimator, each) for each in range(count)])
    decision = joint
    if count == 2:
        second, first = graph.take(joint, [1]), graph.take(joint, [0])
        decision = second.alike(graph.node("Sub", second.tensor, first.tensor))
    return Outputs(chances(graph, joint), decision)


def _log_posterior(graph: Graph, matrix: Matrix, estimator: Estimator, place: int) -> Matrix:
    scaling = estimator.scalings_[place]
    mean = graph.constant([estimator.means_[place]])
    centred = matrix.numbers(graph.node("Sub", matrix.tensor, mean))
    axes = estimator.rotations_[place] * scaling**-0.5
    along = affine(graph, centred, axes.T, 0.0)
    norms = graph.node("ReduceSumSquare", along.tensor, graph.constant([1], np.int64), keepdims=1)
    added = graph.node("Add", norms, graph.constant(np.log(scaling).sum()))
    halved = graph.node("Mul", added, graph.constant(-0.5))
    prior = graph.constant(np.log(estimator.priors_[place]))
    return matrix.numbers(graph.node("Add", halved, prior), 1)


CONVERTERS: Final[dict[type, Convert]] = {
    LinearDiscriminantAnalysis: _linear,
    QuadraticDiscriminantAnalysis: _quadratic,
}
