"""Trees alone and averaged."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sklambda.arrays import FloatMatrix
from training.convert.answer import Answer
from training.convert.graph import Graph, Matrix
from training.convert.scope import Convert, Estimator, Scope
from training.convert.trees import Ensemble, Grown, Tree, as_sklearn_compares, gathered, grown

TREE_FITTING: Final = (
    "ccp_alpha criterion max_depth max_features max_leaf_nodes min_impurity_decrease "
    "min_samples_leaf min_samples_split min_weight_fraction_leaf monotonic_cst random_state "
)
_FOREST_FITTING: Final = (
    TREE_FITTING + "bootstrap max_samples n_estimators n_jobs oob_score verbose warm_start "
)


def _tree_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free=TREE_FITTING + "splitter class_weight")
    return _classified(estimator, [estimator], matrix, scope)


def _tree_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free=TREE_FITTING + "splitter")
    return _valued([estimator], matrix, scope)


def _forest_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free=_FOREST_FITTING + "class_weight")
    return _classified(estimator, estimator.estimators_, matrix, scope)


def _forest_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    scope.admit(estimator, free=_FOREST_FITTING)
    return _valued(estimator.estimators_, matrix, scope)


def _classified(
    estimator: Estimator, trees: Sequence[Estimator], matrix: Matrix, scope: Scope
) -> Answer:
    if estimator.n_outputs_ > 1:
        scope.refuse(f"{type(estimator).__name__} has several targets")
    if len(estimator.classes_) < 2:
        scope.refuse(f"{type(estimator).__name__} has seen one class only")
    pairs = [(grown(tree.tree_), tree.tree_.value[:, 0, :]) for tree in trees]
    return Answer(mean_probabilities(scope.graph, matrix, pairs))


def mean_probabilities(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Average the class probabilities of trees; each table is [nodes, C]."""
    if trees[0][1].shape[1] > 2 or not all(_sure(tree, table) for tree, table in trees):
        return average(graph, matrix, trees)
    compared = as_sklearn_compares(graph, matrix)
    second = summed(graph, compared, [(tree, table[:, 1:]) for tree, table in trees])
    first = graph.node("Sub", graph.constant(float(len(trees))), second.tensor)
    return _divided(graph, graph.join([second.alike(first), second]), len(trees))


def _sure(tree: Tree, table: FloatMatrix) -> bool:
    """Tell whether each leaf is of one class, so that the sums are votes and exact."""
    return bool(np.isin(table[tree.leaf], (0.0, 1.0)).all())


def average(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Sum the leaves of trees, then divide by their number; each table is [nodes, width]."""
    compared, width = as_sklearn_compares(graph, matrix), trees[0][1].shape[1]
    add = summed if width == 1 else gathered
    return _divided(graph, add(graph, compared, trees), len(trees))


def _divided(graph: Graph, sums: Matrix, count: int) -> Matrix:
    if count == 1:
        return sums
    return sums.alike(graph.node("Div", sums.tensor, graph.constant(float(count))))


def summed(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Sum the leaves of trees; each table is [nodes, 1]."""
    ensemble = Ensemble(1)
    for tree, table in trees:
        ensemble.add(tree.adding(table[:, 0]), 0)
    return ensemble.node(graph, matrix)


def _valued(trees: Sequence[Estimator], matrix: Matrix, scope: Scope) -> Answer:
    pairs = [(grown(tree.tree_), tree.tree_.value[:, :, 0]) for tree in trees]
    return Answer(value=average(scope.graph, matrix, pairs))


CONVERTERS: Final[dict[type, Convert]] = {
    DecisionTreeClassifier: _tree_classifier,
    DecisionTreeRegressor: _tree_regressor,
    ExtraTreeClassifier: _tree_classifier,
    ExtraTreeRegressor: _tree_regressor,
    ExtraTreesClassifier: _forest_classifier,
    ExtraTreesRegressor: _forest_regressor,
    RandomForestClassifier: _forest_classifier,
    RandomForestRegressor: _forest_regressor,
}
