"""AdaBoost."""

from typing import Final

import numpy as np
from onnx import TensorProto
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import lean
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import position, require_two_classes
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble, gathered, grown

_TREES: Final = frozenset({DecisionTreeClassifier, ExtraTreeClassifier})

BOOSTING: Final = "estimator learning_rate n_estimators random_state "

_BLOCK: Final = 8
"""How many values are compared with all others at once: more is faster and takes more memory."""


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=BOOSTING)
    return boosted(estimator, matrix, scope)


def boosted(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Add up the votes of fitted classifiers; their parameters are those of the caller to admit."""
    require_two_classes(estimator, scope)
    graph = scope.graph
    trees = all(type(inner) in _TREES for inner in estimator.estimators_)
    votes = (_of_trees if trees else _of_any)(estimator, matrix, scope)
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


def _of_trees(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    pairs = []
    for tree, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        places = tree.tree_.value[:, 0, :].argmax(axis=1)
        pairs.append((grown(tree.tree_), _rewards(estimator, tree, weight)[places]))
    return gathered(scope.graph, matrix, pairs)


def _of_any(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
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


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
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
    AdaBoostClassifier: _classifier,
    AdaBoostRegressor: _regressor,
}
