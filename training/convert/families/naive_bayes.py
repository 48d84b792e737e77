"""Naive Bayes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from training.convert.graph import kernels
from training.convert.graph.graph import Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.links import posteriors
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope


def _gaussian(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="priors var_smoothing")
    graph = scope.graph
    # Operation by operation as scikit-learn, so that classes tie on the same rows.
    rows = graph.node("Unsqueeze", matrix.tensor, graph.constant([1], np.int64))
    apart = graph.node("Sub", rows, graph.constant([estimator.theta_]))
    squares = graph.node("Mul", apart, apart)
    scaled = graph.node("Div", squares, graph.constant([estimator.var_]))
    # A product adds the columns one after another, as numpy does; ReduceSum adds them in parts.
    sums = graph.node("MatMul", scaled, graph.constant(np.ones(matrix.width)))
    widths = -0.5 * np.log(2.0 * np.pi * estimator.var_).sum(axis=1)
    halves = graph.node("Mul", sums, graph.constant(0.5))
    densities = graph.node("Sub", graph.constant([widths]), halves)
    joint = graph.node("Add", densities, graph.constant([np.log(estimator.class_prior_)]))
    return Outputs(posteriors(graph, matrix.numbers(joint, len(estimator.classes_))))


def _multinomial(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="alpha class_prior fit_prior force_alpha")
    return _discrete(matrix, scope, estimator.feature_log_prob_, estimator.class_log_prior_)


def _complement(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="alpha class_prior fit_prior force_alpha norm")
    if len(estimator.classes_) == 1:
        scope.refuse("ComplementNB was fitted on one class: fit it on rows of at least two classes")
    return _discrete(matrix, scope, estimator.feature_log_prob_, np.zeros(1))


def _bernoulli(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="alpha binarize class_prior fit_prior force_alpha")
    graph = scope.graph
    if estimator.binarize is not None:
        above = graph.node("Greater", matrix.tensor, graph.constant(float(estimator.binarize)))
        matrix = matrix.numbers(graph.double(above))
    present = estimator.feature_log_prob_
    with np.errstate(divide="ignore"):
        absent = np.log(1 - np.exp(present))
    constants = estimator.class_log_prior_ + absent.sum(axis=1)
    with np.errstate(invalid="ignore"):
        weights = present - absent
    return _discrete(matrix, scope, weights, constants)


def _categorical(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="alpha fit_prior class_prior min_categories force_alpha")
    graph = scope.graph
    joint = graph.constant(np.zeros((1, len(estimator.classes_))))
    tables = estimator.feature_log_prob_
    for column, table in zip(kernels.columns(graph, matrix), tables, strict=True):
        # What is no category scikit-learn refuses, and so does the signature.
        last = graph.constant(table.shape[1] - 1.0)
        known = graph.node("Max", graph.node("Min", column, last), graph.constant(0.0))
        flat = graph.node("Squeeze", known, graph.constant([1], np.int64))
        place = graph.node("Cast", flat, to=TensorProto.INT64)
        found = graph.node("Gather", graph.constant(table.T), place)
        joint = graph.node("Add", joint, found)
    joint = graph.node("Add", joint, graph.constant([estimator.class_log_prior_]))
    return Outputs(posteriors(graph, matrix.numbers(joint, len(estimator.classes_))))


def _discrete(
    matrix: Matrix, scope: Scope, weights: NDArray[np.float64], constants: NDArray[np.float64]
) -> Outputs:
    if not (np.isfinite(weights).all() and np.isfinite(constants).all()):
        scope.refuse("a probability of a feature or class is 0 or 1: fit with a greater alpha")
    joint = affine(scope.graph, matrix, weights, constants)
    return Outputs(posteriors(scope.graph, joint))


CONVERTERS: Final[dict[type, Convert]] = {
    BernoulliNB: _bernoulli,
    CategoricalNB: _categorical,
    ComplementNB: _complement,
    GaussianNB: _gaussian,
    MultinomialNB: _multinomial,
}
