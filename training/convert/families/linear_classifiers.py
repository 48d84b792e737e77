"""Linear classifiers."""

from functools import partial
from typing import Final

from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.svm import LinearSVC

from training.convert.graph.affine import fitted
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import both, chances, lean, logistic, shares
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified

_LOGISTIC = (
    "penalty C l1_ratio dual tol fit_intercept intercept_scaling class_weight random_state solver "
    "max_iter verbose warm_start n_jobs"
)
_LOGISTIC_CV = (
    "Cs class_weight cv dual fit_intercept intercept_scaling l1_ratios max_iter n_jobs penalty "
    "random_state refit scoring solver tol use_legacy_attributes verbose"
)
_STOCHASTIC = (
    "C alpha average class_weight early_stopping epsilon eta0 fit_intercept l1_ratio "
    "learning_rate max_iter n_iter_no_change n_jobs penalty power_t random_state shuffle tol "
    "validation_fraction verbose warm_start"
)
_RIDGE = (
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
        estimator, free=_STOCHASTIC, only={"loss": ("log_loss", "modified_huber", *_LOSSES)}
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
    outputs = _decision_only(estimator, matrix, scope, free=_RIDGE)
    decision = outputs.decision
    if decision is None or not estimator._label_binarizer.y_type_.startswith("multilabel"):
        return outputs
    labels = (scope.graph.take(decision, [place]) for place in range(decision.width))
    return Outputs(parts=tuple(Outputs(decision=label) for label in labels))


CONVERTERS: Final[dict[type, Convert]] = {
    LinearSVC: partial(_decision_only, free=_SUPPORT),
    LogisticRegression: partial(_logistic_regression, free=_LOGISTIC),
    LogisticRegressionCV: partial(_logistic_regression, free=_LOGISTIC_CV),
    PassiveAggressiveClassifier: partial(_decision_only, free=f"{_STOCHASTIC} loss"),
    Perceptron: partial(_decision_only, free=_STOCHASTIC),
    RidgeClassifier: _ridge,
    RidgeClassifierCV: _ridge,
    SGDClassifier: _stochastic,
}
