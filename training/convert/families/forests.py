"""Trees alone and averaged."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from sklambda.arrays import FloatMatrix
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import require_two_classes
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import indicators
from training.convert.graph.trees import (
    Each,
    Grown,
    Tree,
    gathered,
    grown,
    in_order,
    look_up,
    totals,
)

TREE_FITTING: Final = (
    "ccp_alpha criterion max_depth max_features max_leaf_nodes min_impurity_decrease "
    "min_samples_leaf min_samples_split min_weight_fraction_leaf monotonic_cst random_state "
)
FOREST_FITTING: Final = (
    TREE_FITTING + "bootstrap max_samples n_estimators n_jobs oob_score verbose warm_start "
)

_NEGLIGIBLE: Final = 1e-11


def _tree_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=TREE_FITTING + "splitter class_weight")
    return classified(estimator, [estimator], matrix, scope)


def _tree_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=TREE_FITTING + "splitter")
    return _valued([estimator], matrix, scope)


def _forest_classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=FOREST_FITTING + "class_weight")
    return classified(estimator, estimator.estimators_, matrix, scope)


def _forest_regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=FOREST_FITTING)
    return _valued(estimator.estimators_, matrix, scope)


def classified(
    estimator: Estimator, trees: Sequence[Estimator], matrix: Matrix, scope: Scope
) -> Outputs:
    """Average the probabilities of fitted trees; their parameters are the caller's to admit."""
    require_two_classes(estimator, scope)
    if estimator.n_outputs_ > 1:
        return _several(estimator, trees, matrix, scope.graph)
    pairs = Each(trees, lambda tree: (grown(tree.tree_), tree.tree_.value[:, 0, :]))
    return Outputs(mean_probabilities(scope.graph, matrix, pairs))


def _several(
    estimator: Estimator, trees: Sequence[Estimator], matrix: Matrix, graph: Graph
) -> Outputs:
    """Sum the leaves once for all targets, whose tables stand side by side."""
    counts = estimator.n_classes_
    pairs = [
        (
            grown(tree.tree_),
            np.hstack([tree.tree_.value[:, place, :count] for place, count in enumerate(counts)]),
        )
        for tree in trees
    ]
    whole = average(graph, matrix, pairs)
    starts = np.cumsum([0, *counts])
    return Outputs(
        parts=tuple(
            Outputs(graph.take(whole, range(start, start + count)), classes=classes)
            for start, count, classes in zip(starts, counts, estimator.classes_, strict=False)
        )
    )


def mean_probabilities(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Average the class probabilities of trees; each table is [nodes, C]."""
    if not all(_sure(tree, table) for tree, table in trees):
        return average(graph, matrix, trees)
    votes = _votes(graph, matrix, trees, trees[0][1].shape[1])
    return _divided(graph, votes, len(trees))


def _votes(graph: Graph, matrix: Matrix, trees: Grown, classes: int) -> Matrix:
    if classes == 2:
        second = totals(graph, matrix, ((tree.adding(table[:, 1]), 0) for tree, table in trees), 1)
        return affine(graph, second, [[-1.0], [1.0]], [len(trees), 0.0])
    counted = ((tree.adding(np.ones(len(table))), table.argmax(axis=1)) for tree, table in trees)
    return totals(graph, matrix, counted, classes)


def _sure(tree: Tree, table: FloatMatrix) -> bool:
    """Return whether each leaf is of one class, so that the sums are votes and exact."""
    return bool(np.isin(table[tree.leaf], (0.0, 1.0)).all())


def average(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Sum the leaves of trees, then divide by their number; each table is [nodes, width]."""
    add = summed if trees[0][1].shape[1] == 1 else gathered
    return _divided(graph, add(graph, matrix, trees), len(trees))


def _divided(graph: Graph, sums: Matrix, count: int) -> Matrix:
    if count == 1:
        return sums
    return sums.alike(graph.node("Div", sums.tensor, graph.constant(float(count))))


def summed(graph: Graph, matrix: Matrix, trees: Grown) -> Matrix:
    """Sum the leaves of trees; each table is [nodes, 1]."""
    add = totals if _in_any_order([table[tree.leaf] for tree, table in trees]) else in_order
    return add(graph, matrix, ((tree.adding(table[:, 0]), 0) for tree, table in trees), 1)


def _in_any_order(leaves: Sequence[FloatMatrix]) -> bool:
    """Return whether the mean over trees is the same, to far below the tolerance, in any order.

    It is unless large values of both signs cancel. In two orders the rounding of a sum of T values
    differs by at most 2 T eps times the sum of their magnitudes.
    """
    least, greatest = min(map(np.min, leaves)), max(map(np.max, leaves))
    magnitudes = sum(float(np.abs(values).max()) for values in leaves)
    one_sign = least >= 0 or greatest <= 0
    return bool(one_sign or magnitudes * np.finfo(np.float64).eps < _NEGLIGIBLE)


def _valued(trees: Sequence[Estimator], matrix: Matrix, scope: Scope) -> Outputs:
    pairs = Each(trees, lambda tree: (grown(tree.tree_), tree.tree_.value[:, :, 0]))
    return Outputs(value=average(scope.graph, matrix, pairs))


def _embedding(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_estimators max_depth min_samples_split min_samples_leaf min_weight_fraction_leaf "
        "max_leaf_nodes min_impurity_decrease sparse_output n_jobs random_state verbose warm_start",
    )
    seen = estimator.one_hot_encoder_.categories_
    trees = []
    for tree, leaves in zip(estimator.estimators_, seen, strict=True):
        fitted = grown(tree.tree_)
        places = np.searchsorted(leaves, np.arange(len(fitted.leaf))).astype(np.float64)
        trees.append(fitted.adding(places))
    reached = look_up(scope.graph, matrix, trees)
    return indicators(scope.graph, reached, [len(leaves) for leaves in seen])


CONVERTERS: Final[dict[type, Convert]] = {
    RandomTreesEmbedding: _embedding,
    DecisionTreeClassifier: _tree_classifier,
    DecisionTreeRegressor: _tree_regressor,
    ExtraTreeClassifier: _tree_classifier,
    ExtraTreeRegressor: _tree_regressor,
    ExtraTreesClassifier: _forest_classifier,
    ExtraTreesRegressor: _forest_regressor,
    RandomForestClassifier: _forest_classifier,
    RandomForestRegressor: _forest_regressor,
}
