"""Linear regressors."""

from functools import partial
from typing import Final

import numpy as np
from sklearn._loss.link import IdentityLink, LogLink
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lars,
    LarsCV,
    Lasso,
    LassoCV,
    LassoLars,
    LassoLarsCV,
    LassoLarsIC,
    LinearRegression,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    PassiveAggressiveRegressor,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    RidgeCV,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.svm import LinearSVR

from training.convert.graph.affine import affine, fitted
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

_SQUARES = "copy_X fit_intercept n_jobs positive tol"
_RIDGE = (
    "alpha copy_X fit_intercept max_iter positive random_state solver tol alphas alpha_per_target "
    "cv gcv_mode scoring store_cv_results"
)
_DESCENT = (
    "alpha alphas copy_X cv eps fit_intercept l1_ratio max_iter n_jobs positive precompute "
    "random_state selection tol verbose warm_start"
)
_ANGLES = (
    "alpha copy_X criterion cv eps fit_intercept fit_path jitter max_iter max_n_alphas n_jobs "
    "n_nonzero_coefs noise_variance positive precompute random_state verbose"
)
_PURSUIT = "copy cv fit_intercept max_iter n_jobs n_nonzero_coefs precompute tol verbose"
_BAYES = (
    "alpha_1 alpha_2 alpha_init compute_score copy_X fit_intercept lambda_1 lambda_2 lambda_init "
    "max_iter threshold_lambda tol verbose"
)
_STOCHASTIC = (
    "C alpha average early_stopping epsilon eta0 fit_intercept l1_ratio learning_rate loss "
    "max_iter n_iter_no_change penalty power_t random_state shuffle tol validation_fraction "
    "verbose warm_start"
)
_FREE: Final[dict[type, str]] = {
    ARDRegression: _BAYES,
    BayesianRidge: _BAYES,
    ElasticNet: _DESCENT,
    ElasticNetCV: _DESCENT,
    HuberRegressor: "alpha epsilon fit_intercept max_iter tol warm_start",
    Lars: _ANGLES,
    LarsCV: _ANGLES,
    Lasso: _DESCENT,
    LassoCV: _DESCENT,
    LassoLars: _ANGLES,
    LassoLarsCV: _ANGLES,
    LassoLarsIC: _ANGLES,
    LinearRegression: _SQUARES,
    LinearSVR: "C dual epsilon fit_intercept intercept_scaling loss max_iter random_state tol "
    "verbose",
    MultiTaskElasticNet: _DESCENT,
    MultiTaskElasticNetCV: _DESCENT,
    MultiTaskLasso: _DESCENT,
    MultiTaskLassoCV: _DESCENT,
    OrthogonalMatchingPursuit: _PURSUIT,
    OrthogonalMatchingPursuitCV: _PURSUIT,
    PassiveAggressiveRegressor: _STOCHASTIC,
    QuantileRegressor: "alpha fit_intercept quantile solver solver_options",
    Ridge: _RIDGE,
    RidgeCV: _RIDGE,
    SGDRegressor: _STOCHASTIC,
    TheilSenRegressor: "fit_intercept max_iter max_subpopulation n_jobs n_subsamples random_state "
    "tol verbose",
}


def _linear(estimator: Estimator, matrix: Matrix, scope: Scope, *, free: str) -> Outputs:
    scope.admit(estimator, free=free)
    return Outputs(value=fitted(scope.graph, matrix, estimator))


def _generalised(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator, free="alpha fit_intercept link max_iter power solver tol verbose warm_start"
    )
    raw = fitted(scope.graph, matrix, estimator)
    link = estimator._base_loss.link
    if isinstance(link, IdentityLink):
        return Outputs(value=raw)
    if not isinstance(link, LogLink):
        scope.refuse(
            f"{type(estimator).__name__} has a link {type(link).__name__}: "
            "use link='identity' or 'log'"
        )
    return Outputs(value=raw.alike(scope.graph.node("Exp", raw.tensor)))


def _latent(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="algorithm copy max_iter n_components scale tol")
    graph = scope.graph
    centred = matrix.numbers(graph.node("Sub", matrix.tensor, graph.constant([estimator._x_mean])))
    scaled = centred.alike(graph.node("Div", centred.tensor, graph.constant([estimator._x_std])))
    return Outputs(
        value=fitted(graph, centred, estimator),
        transformed=affine(graph, scaled, np.transpose(estimator.x_rotations_), 0.0),
    )


def _ransac(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="estimator is_data_valid is_model_valid loss max_skips max_trials min_samples "
        "random_state residual_threshold stop_n_inliers stop_probability stop_score",
    )
    return scope.predict("estimator", estimator.estimator_, matrix)


CONVERTERS: Final[dict[type, Convert]] = {
    **{estimator: partial(_linear, free=free) for estimator, free in _FREE.items()},
    CCA: _latent,
    GammaRegressor: _generalised,
    PLSCanonical: _latent,
    PLSRegression: _latent,
    PoissonRegressor: _generalised,
    RANSACRegressor: _ransac,
    TweedieRegressor: _generalised,
}
