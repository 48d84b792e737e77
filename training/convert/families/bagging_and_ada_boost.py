"""Ensembles of any estimator: bagging, each on columns of its own, and AdaBoost."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from onnx import TensorProto
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.families.compose import predicting
from training.convert.families.forests import average, mean_probabilities
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import lean
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import position, require_two_classes
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble, Grown, gathered, grown

BAGGING: Final = (
    "bootstrap bootstrap_features estimator max_features max_samples n_estimators n_jobs oob_score "
    "random_state verbose warm_start "
)
_TREES: Final = frozenset(
    {DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor}
)
_CLASSIFICATION_TREES: Final = frozenset({DecisionTreeClassifier, ExtraTreeClassifier})

BOOSTING: Final = "estimator learning_rate n_estimators random_state "

_BLOCK: Final = 8
"""How many values are compared with all others at once: more is faster and takes more memory."""


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


def _boosted_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=BOOSTING)
    return boosted(estimator, matrix, scope)


def boosted(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Add up the votes of fitted classifiers; their parameters are those of the caller to admit."""
    require_two_classes(estimator, scope)
    graph = scope.graph
    trees = all(type(inner) in _CLASSIFICATION_TREES for inner in estimator.estimators_)
    votes = (_votes_of_trees if trees else _votes_of_any)(estimator, matrix, scope)
    weight = graph.constant(estimator.estimator_weights_.sum())
    decision = votes.alike(graph.node("Div", votes.tensor, weight))
    count = float(estimator.n_classes_ - 1)
    if estimator.n_classes_ > 2:
        odds = graph.node("Div", decision.tensor, graph.constant(count))
    else:
        signed = graph.node("Mul", decision.tensor, graph.constant([[-1.0, 1.0]]))
        both = graph.node("ReduceSum", signed, graph.constant([1], np.int64), keepdims=1)
        odds = graph.node("Mul", both, graph.constant([[-0.5, 0.5]]))
        decision = votes.numbers(both, 1)
    softmax = votes.alike(graph.node("Softmax", odds, axis=1))
    return Outputs(lean(graph, softmax, decision), decision)


def _votes_of_trees(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    pairs = []
    for tree, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        places = tree.tree_.value[:, 0, :].argmax(axis=1)
        pairs.append((grown(tree.tree_), _rewards(estimator, tree, weight)[places]))
    return gathered(scope.graph, matrix, pairs)


def _votes_of_any(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    graph, total = scope.graph, ""
    pairs = zip(estimator.estimators_, estimator.estimator_weights_, strict=False)
    for number, (inner, weight) in enumerate(pairs):
        outputs = scope.predict(str(number), inner, matrix)
        place = position(outputs, inner, scope).tensor
        row = graph.node("Cast", place, to=TensorProto.INT64)
        row = graph.node("Squeeze", row, graph.constant([1], np.int64))
        rewards = graph.constant(_rewards(estimator, inner, weight))
        added = graph.node("Gather", rewards, row, axis=0)
        total = graph.node("Add", total, added) if total else added
    return matrix.numbers(total, estimator.n_classes_)


def _rewards(estimator: Estimator, inner: Estimator, weight: float) -> FloatMatrix:
    """Return the votes that each class of one classifier adds, [its classes, C]."""
    same = np.asarray(inner.classes_)[:, None] == np.asarray(estimator.classes_)[None, :]
    against = -1 / (estimator.n_classes_ - 1) * weight
    rewards: FloatMatrix = np.where(same, weight, against)
    return rewards


def _boosted_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="estimator learning_rate loss n_estimators random_state")
    values = _values_of_trees(estimator, matrix, scope)
    return Outputs(value=_weighted_median(estimator.estimator_weights_, values, scope.graph))


def _values_of_trees(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Return the prediction of each estimator, a column for each."""
    ensemble = Ensemble(len(estimator.estimators_))
    for target, tree in enumerate(estimator.estimators_):
        if type(tree) not in (DecisionTreeRegressor, ExtraTreeRegressor):
            scope.refuse(
                f"AdaBoostRegressor of {type(tree).__name__} has no exact conversion: "
                "use a DecisionTreeRegressor as its estimator"
            )
        ensemble.add(grown(tree.tree_).adding(tree.tree_.value[:, 0, 0]), target)
    return ensemble.node(scope.graph, matrix)


def _weighted_median(weights: FloatVector, values: Matrix, graph: Graph) -> Matrix:
    """Return the least value whose weight, with that of all values below it, is half or more."""
    column, reached = graph.constant(weights[: values.width, None]), []
    rows = graph.node("Unsqueeze", values.tensor, graph.constant([1], np.int64))
    last = graph.constant([2], np.int64)
    for start in range(0, values.width, _BLOCK):
        own = graph.take(values, range(start, min(start + _BLOCK, values.width)))
        limits = graph.node("Unsqueeze", own.tensor, last)
        below = graph.double(graph.node("LessOrEqual", rows, limits))
        weight = graph.node("MatMul", below, column)
        reached.append(own.alike(graph.node("Squeeze", weight, last)))
    half = graph.constant(0.5 * np.cumsum(weights[: values.width])[-1])
    enough = graph.node("GreaterOrEqual", graph.join(reached).tensor, half)
    kept = graph.node("Where", enough, values.tensor, graph.constant(np.inf))
    least = graph.node("ReduceMin", kept, graph.constant([1], np.int64), keepdims=1)
    return values.numbers(least, 1)


CONVERTERS: Final[dict[type, Convert]] = {
    AdaBoostClassifier: _boosted_classifier,
    AdaBoostRegressor: _boosted_regressor,
    BaggingClassifier: _classifier,
    BaggingRegressor: _regressor,
}
