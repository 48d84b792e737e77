"""Linear regressors and classifiers."""

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
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.svm import LinearSVC, LinearSVR

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine, fitted
from training.convert.graph.links import both, chances, lean, logistic, shares
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified

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
_LOGISTIC = (
    "penalty C l1_ratio dual tol fit_intercept intercept_scaling class_weight random_state solver "
    "max_iter verbose warm_start n_jobs"
)
_LOGISTIC_CV = (
    "Cs class_weight cv dual fit_intercept intercept_scaling l1_ratios max_iter n_jobs penalty "
    "random_state refit scoring solver tol use_legacy_attributes verbose"
)
_STOCHASTIC_CLASSIFIER = (
    "C alpha average class_weight early_stopping epsilon eta0 fit_intercept l1_ratio "
    "learning_rate max_iter n_iter_no_change n_jobs penalty power_t random_state shuffle tol "
    "validation_fraction verbose warm_start"
)
_RIDGE_CLASSIFIER = (
    "alpha class_weight copy_X fit_intercept max_iter positive random_state solver tol alphas cv "
    "scoring store_cv_results"
)
_SUPPORT = (
    "C class_weight dual fit_intercept intercept_scaling loss max_iter multi_class penalty "
    "random_state tol verbose"
)
_LOSSES: Final = (
    "hinge",
    "perceptron",
    "squared_hinge",
    "squared_error",
    "huber",
    "epsilon_insensitive",
    "squared_epsilon_insensitive",
)


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


def _logistic_regression(
    estimator: Estimator, matrix: Matrix, scope: Scope, *, free: str
) -> Outputs:
    scope.admit(estimator, free=free)
    decision = fitted(scope.graph, matrix, estimator)
    if decision.width > 1 and estimator.solver == "liblinear":  # to scikit-learn 1.7
        scope.refuse(
            f"{qualified(estimator)}(solver='liblinear') of several classes has no exact "
            "conversion: use OneVsRestClassifier(LogisticRegression(solver='liblinear'))"
        )
    return Outputs(chances(scope.graph, decision), decision)


def _stochastic(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free=_STOCHASTIC_CLASSIFIER,
        only={"loss": ("log_loss", "modified_huber", *_LOSSES)},
    )
    graph, decision = scope.graph, fitted(scope.graph, matrix, estimator)
    if estimator.loss in _LOSSES:
        return Outputs(decision=decision)
    link = logistic if estimator.loss == "log_loss" else _clipped
    each = link(graph, decision)
    found = both(graph, each) if each.width == 1 else shares(graph, each)
    return Outputs(lean(graph, found, decision), decision)


def _clipped(graph: Graph, decision: Matrix) -> Matrix:
    """Return ``(clip(d, -1, 1) + 1) / 2``, as the loss modified_huber has it."""
    one = graph.constant(1.0)
    clipped = graph.node("Clip", decision.tensor, graph.constant(-1.0), one)
    raised = graph.node("Add", clipped, one)
    return decision.alike(graph.node("Div", raised, graph.constant(2.0)))


def _decision_only(estimator: Estimator, matrix: Matrix, scope: Scope, *, free: str) -> Outputs:
    scope.admit(estimator, free=free)
    return Outputs(decision=fitted(scope.graph, matrix, estimator))


def _ridge(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    outputs = _decision_only(estimator, matrix, scope, free=_RIDGE_CLASSIFIER)
    decision = outputs.decision
    if decision is None or not estimator._label_binarizer.y_type_.startswith("multilabel"):
        return outputs
    labels = (scope.graph.take(decision, [place]) for place in range(decision.width))
    return Outputs(parts=tuple(Outputs(decision=label) for label in labels))


CONVERTERS: Final[dict[type, Convert]] = {
    **{estimator: partial(_linear, free=free) for estimator, free in _FREE.items()},
    CCA: _latent,
    GammaRegressor: _generalised,
    LinearSVC: partial(_decision_only, free=_SUPPORT),
    LogisticRegression: partial(_logistic_regression, free=_LOGISTIC),
    LogisticRegressionCV: partial(_logistic_regression, free=_LOGISTIC_CV),
    PLSCanonical: _latent,
    PLSRegression: _latent,
    PassiveAggressiveClassifier: partial(_decision_only, free=f"{_STOCHASTIC_CLASSIFIER} loss"),
    Perceptron: partial(_decision_only, free=_STOCHASTIC_CLASSIFIER),
    PoissonRegressor: _generalised,
    RANSACRegressor: _ransac,
    RidgeClassifier: _ridge,
    RidgeClassifierCV: _ridge,
    SGDClassifier: _stochastic,
    TweedieRegressor: _generalised,
}
