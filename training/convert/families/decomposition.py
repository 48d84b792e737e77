"""Columns projected onto fewer."""

from typing import Final

import numpy as np
from scipy import linalg
from sklearn.cluster import FeatureAgglomeration
from sklearn.decomposition import (
    PCA,
    DictionaryLearning,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchDictionaryLearning,
    SparseCoder,
    TruncatedSVD,
)
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from sklambda.arrays import FloatMatrix
from training.convert.graph.graph import Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified


def _project(scope: Scope, matrix: Matrix, directions: FloatMatrix) -> Matrix:
    """Multiply by the transpose of `directions`, [components, features]."""
    return affine(scope.graph, matrix, directions, 0.0)


def _centred(scope: Scope, matrix: Matrix, mean: FloatMatrix) -> Matrix:
    return matrix.numbers(scope.graph.node("Sub", matrix.tensor, scope.graph.constant([mean])))


def _principal_components(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components copy whiten svd_solver tol iterated_power n_oversamples "
        "power_iteration_normalizer random_state batch_size",
    )
    graph, directions = scope.graph, estimator.components_
    # scikit-learn centres after the projection, and so do we: with large values that shows.
    centre = estimator.mean_.reshape(1, -1) @ directions.T
    projected = _project(scope, matrix, directions)
    result = graph.node("Sub", projected.tensor, graph.constant(centre))
    if estimator.whiten:
        scale = np.maximum(np.sqrt(estimator.explained_variance_), np.finfo(np.float64).eps)
        result = graph.node("Div", result, graph.constant([scale]))
    return projected.alike(result)


def _truncated_svd(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components algorithm n_iter n_oversamples power_iteration_normalizer "
        "random_state tol",
    )
    return _project(scope, matrix, estimator.components_)


def _neighborhood_components(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components init warm_start max_iter tol callback verbose random_state",
    )
    return _project(scope, matrix, estimator.components_)


def _thresholded(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="dictionary n_components alpha max_iter tol fit_algorithm transform_algorithm "
        "transform_n_nonzero_coefs transform_alpha n_jobs code_init dict_init callback verbose "
        "split_sign random_state positive_code positive_dict transform_max_iter batch_size shuffle "
        "max_no_improvement",
    )
    if estimator.transform_algorithm != "threshold":
        scope.refuse(
            f"{qualified(estimator)}(transform_algorithm={estimator.transform_algorithm!r}) solves "
            "an optimisation for each row, whose steps rounding decides: use "
            "transform_algorithm='threshold', or PCA"
        )
    graph = scope.graph
    given = getattr(estimator, "alpha", 1.0)
    alpha = given if estimator.transform_alpha is None else estimator.transform_alpha
    rows = getattr(estimator, "components_", None)
    found = _project(scope, matrix, estimator.dictionary if rows is None else rows)
    size = graph.node("Sub", graph.node("Abs", found.tensor), graph.constant(float(alpha)))
    code = graph.node(
        "Mul", graph.node("Sign", found.tensor), graph.node("Max", size, graph.constant(0.0))
    )
    zero = graph.constant(0.0)
    if estimator.positive_code:
        code = graph.node("Max", code, zero)
    if not estimator.split_sign:
        return found.alike(code)
    above, below = graph.node("Max", code, zero), graph.node("Neg", graph.node("Min", code, zero))
    return graph.join([found.alike(above), found.alike(below)])


def _hidden_units(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="n_components learning_rate batch_size n_iter verbose random_state")
    units = affine(scope.graph, matrix, estimator.components_, estimator.intercept_hidden_)
    return units.alike(scope.graph.node("Sigmoid", units.tensor))


def _factor_analysis(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components tol copy max_iter noise_variance_init svd_method iterated_power "
        "rotation random_state",
    )
    loadings = estimator.components_
    weighted = loadings / estimator.noise_variance_
    covariance = linalg.inv(np.eye(len(loadings)) + weighted @ loadings.T)
    projected = _project(scope, _centred(scope, matrix, estimator.mean_), weighted)
    return _project(scope, projected, covariance.T)


def _fast_ica(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components algorithm whiten fun fun_args max_iter tol w_init whiten_solver "
        "random_state",
    )
    if estimator.whiten:
        matrix = _centred(scope, matrix, estimator.mean_)
    return _project(scope, matrix, estimator.components_)


def _random_projection(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components density eps dense_output compute_inverse_components random_state",
    )
    directions = estimator.components_
    return _project(
        scope, matrix, directions if isinstance(directions, np.ndarray) else directions.toarray()
    )


def _agglomeration(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_clusters metric memory connectivity compute_full_tree linkage distance_threshold "
        "compute_distances",
        only={"pooling_func": (np.mean,)},
    )
    groups = np.eye(estimator.n_clusters_)[estimator.labels_].T
    sums = _project(scope, matrix, groups)
    sizes = scope.graph.constant([groups.sum(axis=1)])
    return sums.alike(scope.graph.node("Div", sums.tensor, sizes))


CONVERTERS: Final[dict[type, Convert]] = {
    BernoulliRBM: _hidden_units,
    DictionaryLearning: _thresholded,
    FactorAnalysis: _factor_analysis,
    FastICA: _fast_ica,
    FeatureAgglomeration: _agglomeration,
    MiniBatchDictionaryLearning: _thresholded,
    SparseCoder: _thresholded,
    GaussianRandomProjection: _random_projection,
    IncrementalPCA: _principal_components,
    NeighborhoodComponentsAnalysis: _neighborhood_components,
    PCA: _principal_components,
    SparseRandomProjection: _random_projection,
    TruncatedSVD: _truncated_svd,
}
