"""Bagging: predictors averaged, each on columns of its own."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.pipeline import Pipeline
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sklambda.arrays import FloatMatrix
from training.convert.families.compose import predicting
from training.convert.families.forests import average, mean_probabilities
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import position, require_two_classes
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Grown, grown

BAGGING: Final = (
    "bootstrap bootstrap_features estimator max_features max_samples n_estimators n_jobs oob_score "
    "random_state verbose warm_start "
)
_TREES: Final = frozenset(
    {DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor}
)


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=BAGGING)
    return bagged(estimator, matrix, scope)


def bagged(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Average fitted classifiers; their parameters are those of the caller to admit."""
    require_two_classes(estimator, scope)
    if _of_trees(estimator):
        tables = [
            _spread(tree.tree_.value[:, 0, :], tree.classes_, estimator.n_classes_)
            for tree in _members(estimator)
        ]
        return Outputs(mean_probabilities(scope.graph, matrix, _grown(estimator, tables)))
    parts = [
        _vote(inner, part, estimator.n_classes_, scope)
        for inner, part in _each(estimator, matrix, scope)
    ]
    return Outputs(_mean(parts, scope))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=BAGGING)
    if _of_trees(estimator):
        tables = [tree.tree_.value[:, :, 0] for tree in estimator.estimators_]
        return Outputs(value=average(scope.graph, matrix, _grown(estimator, tables)))
    values = []
    for inner, outputs in _each(estimator, matrix, scope):
        if outputs.value is None:
            scope.refuse(
                f"{type(inner).__name__} is not a regressor: use a regressor as its estimator"
            )
        values.append(outputs.value)
    return Outputs(value=_mean(values, scope))


def _of_trees(estimator: Estimator) -> bool:
    return all(type(inner) in _TREES for inner in _members(estimator))


def _members(estimator: Estimator) -> list[Estimator]:
    """Return the fitted predictors, each without the sampler that drew its rows."""
    return [
        inner.steps[-1][1] if isinstance(inner, Pipeline) and not predicting(inner)[:-1] else inner
        for inner in estimator.estimators_
    ]


def _grown(estimator: Estimator, tables: Sequence[FloatMatrix]) -> Grown:
    return [
        (grown(tree.tree_, np.asarray(columns, dtype=np.int64)), table)
        for tree, columns, table in zip(
            _members(estimator), estimator.estimators_features_, tables, strict=True
        )
    ]


def _spread(table: FloatMatrix, classes: Estimator, count: int) -> FloatMatrix:
    """Spread the columns of the classes that one tree has seen over those of all classes."""
    spread = np.zeros((len(table), count))
    spread[:, np.asarray(classes, dtype=np.int64)] = table
    return spread


def _each(estimator: Estimator, matrix: Matrix, scope: Scope) -> list[tuple[Estimator, Outputs]]:
    pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    return [
        (inner, scope.predict(str(place), inner, scope.graph.take(matrix, list(map(int, columns)))))
        for place, (inner, columns) in enumerate(pairs)
    ]


def _vote(inner: Estimator, outputs: Outputs, count: int, scope: Scope) -> Matrix:
    """Return one classifier's term of the sum, [N, count]: probabilities, else its class."""
    graph, classes = scope.graph, np.asarray(inner.classes_, dtype=np.int64)
    if hasattr(inner, "predict_proba"):
        if outputs.probabilities is None:
            scope.refuse(
                f"{type(inner).__name__} has probabilities that have no exact conversion: "
                "use an estimator with predict_proba of its own"
            )
        if len(classes) == count:
            return outputs.probabilities
        spread = _spread(np.eye(len(classes)), classes, count)
        found = graph.node("MatMul", outputs.probabilities.tensor, graph.constant(spread))
        return outputs.probabilities.numbers(found, count)
    place = position(outputs, inner, scope)
    known = np.full(count, -1.0)
    known[classes] = np.arange(len(classes))
    voted = graph.node("Equal", place.tensor, graph.constant([known]))
    return place.numbers(graph.double(voted), count)


def _mean(parts: Sequence[Matrix], scope: Scope) -> Matrix:
    graph = scope.graph
    total = parts[0].tensor
    for part in parts[1:]:
        total = graph.node("Add", total, part.tensor)
    return parts[0].alike(graph.node("Div", total, graph.constant(float(len(parts)))))


CONVERTERS: Final[dict[type, Convert]] = {
    BaggingClassifier: _classifier,
    BaggingRegressor: _regressor,
}
