"""Gradient boosting of scikit-learn's classic trees."""

from typing import Final

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from sklambda.arrays import FloatVector
from training.convert.families.forests import CONVERTERS as AVERAGED
from training.convert.families.forests import TREE_FITTING
from training.convert.families.linear_models import CONVERTERS as LINEAR
from training.convert.graph.graph import Matrix
from training.convert.graph.links import chances
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.single_precision import rounded
from training.convert.graph.trees import Ensemble, constant_leaf, grown
from training.convert.unconverted import qualified

_FITTING: Final = (
    TREE_FITTING + "init learning_rate loss n_estimators n_iter_no_change subsample tol "
    "validation_fraction verbose warm_start "
)
_ABOVE_ZERO: Final = 2.0**-1000
"""Added to raw scores, it changes 0 alone, at which scikit-learn decides for the second class."""

_DOUBLE: Final = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_CONSTANT: Final = frozenset({"constant", "mean", "median", "most_frequent", "prior", "quantile"})


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FITTING, only={"loss": ("log_loss", "exponential")})
    raw = _raw(estimator, matrix, scope)
    times = 2.0 if estimator.loss == "exponential" else 1.0
    return Outputs(chances(scope.graph, raw, times), raw)


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    losses = ("squared_error", "absolute_error", "huber", "quantile")
    scope.admit(estimator, free=_FITTING + "alpha", only={"loss": losses})
    return Outputs(value=_raw(estimator, matrix, scope))


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    ensemble = Ensemble(estimator.n_trees_per_iteration_)
    start = _constant_start(estimator)
    if start is not None:
        # As a tree before the others, it is added where scikit-learn adds it.
        for target, value in enumerate(start.tolist()):
            ensemble.add(constant_leaf(value), target)
    for iteration in estimator.estimators_:
        for target, tree in enumerate(iteration):
            added = estimator.learning_rate * tree.tree_.value[:, 0, 0]
            ensemble.add(grown(tree.tree_).adding(added), target)
    if start is not None:
        ensemble.add(constant_leaf(_ABOVE_ZERO), 0)
        return ensemble.node(scope.graph, matrix)
    trained, sums = _learnt_start(estimator, matrix, scope), ensemble.node(scope.graph, matrix)
    above = scope.graph.constant(_ABOVE_ZERO)
    return sums.alike(scope.graph.node("Sum", trained.tensor, sums.tensor, above))


def _constant_start(estimator: Estimator) -> FloatVector | None:
    """Return the initial raw scores, [trees an iteration]; None where they depend on the row."""
    first = estimator.init_
    if type(first) in (DummyClassifier, DummyRegressor):
        if first.strategy not in _CONSTANT:
            return None
    elif first != "zero":
        return None
    nothing = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    start: FloatVector = estimator._raw_predict_init(nothing)[0]
    return start


def _learnt_start(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    first = estimator.init_
    outputs = scope.predict("init", first, _single(first, matrix, scope))
    found = outputs.value if outputs.probabilities is None else outputs.probabilities
    if found is None:
        scope.refuse(
            f"init={type(first).__name__} has no scores: "
            "end the pipeline in a classifier or a regressor"
        )
    return found if outputs.probabilities is None else _link(estimator, found, scope)


def _single(first: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Round features to float32: so the first estimator is given them, also when it is fitted."""
    if type(first) in AVERAGED:  # trees round them themselves
        return matrix
    weights = np.asarray(getattr(first, "coef_", None))
    if not (type(first) in _DOUBLE or (type(first) in LINEAR and weights.dtype == np.float64)):
        scope.refuse(
            f"{qualified(first)} as init computes in float32, which no conversion equals "
            "to 1e-9: use init=None, init='zero', a tree or a forest, or StackingRegressor or "
            "StackingClassifier of the two"
        )
    return matrix.numbers(rounded(scope.graph, matrix.tensor))


def _link(estimator: Estimator, probability: Matrix, scope: Scope) -> Matrix:
    """Turn probabilities [N, C] into raw scores, clipped as scikit-learn clips them."""
    graph, least = scope.graph, np.finfo(np.float64).eps
    clipped = probability.alike(
        graph.node("Clip", probability.tensor, graph.constant(least), graph.constant(1 - least))
    )
    if probability.width > 2:
        logs = graph.node("Log", clipped.tensor)
        mean = graph.node("ReduceMean", logs, graph.constant([1], np.int64), keepdims=1)
        return clipped.alike(graph.node("Sub", logs, mean))
    second = graph.take(clipped, [1])
    first = graph.node("Sub", graph.constant(1.0), second.tensor)
    odds = graph.node("Log", graph.node("Div", second.tensor, first))
    if estimator.loss == "exponential":
        odds = graph.node("Mul", odds, graph.constant(0.5))
    return second.alike(odds)


CONVERTERS: Final[dict[type, Convert]] = {
    GradientBoostingClassifier: _classifier,
    GradientBoostingRegressor: _regressor,
}
