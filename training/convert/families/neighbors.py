"""Nearest neighbours."""

from typing import Final

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.nearest import METRICS, KDTree, counts_of_nearest
from training.convert.graph.outputs import Outputs, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree = _tree(estimator, scope)
    if estimator.outputs_2d_:
        scope.refuse("KNeighborsClassifier gives several labels a row")
    labels = np.eye(len(estimator.classes_))[estimator._y][tree.order]
    return Outputs(_mean(estimator, matrix, scope.graph, tree, labels))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree = _tree(estimator, scope)
    values = np.reshape(estimator._y, (len(estimator._y), -1))[tree.order]
    return Outputs(value=_mean(estimator, matrix, scope.graph, tree, values))


SEARCHING: Final = "n_neighbors algorithm leaf_size metric p n_jobs "


def _tree(estimator: Estimator, scope: Scope) -> KDTree:
    scope.admit(
        estimator,
        free=SEARCHING,
        only={"weights": ("uniform", "distance"), "metric_params": (None,)},
    )
    return searched(estimator, scope)


def searched(estimator: Estimator, scope: Scope) -> KDTree:
    """Read the tree in which an estimator looks neighbours up; refuses any other way."""
    name = type(estimator).__name__
    if estimator._fit_method != "kd_tree":
        scope.refuse(
            f"{name} looks neighbours up by {estimator._fit_method!r}, whose choice among equal "
            "distances cannot be followed: fit it with algorithm='kd_tree', on dense columns"
        )
    if estimator.effective_metric_ not in METRICS:
        scope.refuse(
            f"{name}(metric={estimator.effective_metric_!r}): expected one of {', '.join(METRICS)}"
        )
    points, order, nodes, bounds = map(np.asarray, estimator._tree.get_arrays())
    if nodes["is_leaf"][: len(nodes) // 2].any():
        scope.refuse(f"{name} has a tree whose leaves are not on one level")
    return KDTree(
        estimator.effective_metric_,
        points[order],
        order,
        nodes["idx_start"],
        nodes["idx_end"],
        bounds,
    )


def _mean(
    estimator: Estimator, matrix: Matrix, graph: Graph, tree: KDTree, values: FloatMatrix
) -> Matrix:
    """Average `values` [M, T] over the nearest points and return [N, T]."""
    distances = tree.distances(graph, matrix)
    weights = counts_of_nearest(graph, tree, matrix, distances, estimator.n_neighbors)
    if estimator.weights == "distance":
        weights = _by_distance(graph, tree, weights, distances)
    sums = graph.node("MatMul", weights, graph.constant(values))
    whole = graph.node("ReduceSum", weights, graph.constant([1], np.int64), keepdims=1)
    return matrix.numbers(graph.node("Div", sums, whole), values.shape[1])


def _by_distance(graph: Graph, tree: KDTree, counts: str, distances: str) -> str:
    """Weigh the nearest by 1 / distance; where some are at distance 0, they alone count."""
    chosen = graph.node("Greater", counts, graph.constant(0.0))
    if tree.metric == "euclidean":
        distances = graph.node("Sqrt", distances)
    inverse = graph.node("Div", graph.constant(1.0), distances)
    zero = graph.constant(0.0)
    weights = graph.node("Where", chosen, inverse, zero)
    infinite = graph.double(graph.node("IsInf", weights))
    hit = graph.node("ReduceMax", infinite, graph.constant([1], np.int64), keepdims=1)
    return graph.node("Where", graph.node("Greater", hit, zero), infinite, weights)


def _centroid(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="shrink_threshold priors", only={"metric": ("euclidean",)})
    count = len(estimator.classes_)
    if not np.isclose(estimator.class_prior_, 1 / count).all():
        scope.refuse("NearestCentroid has classes of different priors")
    # The decision is of scaled columns, and the label is not.
    place = kernels.nearest(scope.graph, matrix, estimator.centroids_)
    return Outputs(label=one_hot(scope.graph, matrix.numbers(place, 1), count))


CONVERTERS: Final[dict[type, Convert]] = {
    KNeighborsClassifier: _classifier,
    KNeighborsRegressor: _regressor,
    NearestCentroid: _centroid,
}
