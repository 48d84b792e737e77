"""Nearest neighbours."""

from typing import Final

import numpy as np
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import LEAN
from training.convert.graph.nearest import METRICS, KDTree, counts_of_nearest, nearest_in_order
from training.convert.graph.outputs import Outputs, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree = _tree(estimator, scope)
    if estimator.outputs_2d_:
        scope.refuse("KNeighborsClassifier gives several labels a row")
    labels = np.eye(len(estimator.classes_))[estimator._y][tree.order]
    if estimator.weights == "uniform":
        return Outputs(_mean(estimator, matrix, scope.graph, tree, labels))
    # Up to 7 numbers numpy adds one after another, in whatever order equal ones are.
    of_equals = estimator.n_neighbors >= kernels.UNROLLED
    weights, places = _by_distance(estimator, matrix, scope.graph, tree, of_equals=of_equals)
    return _by_weight(scope.graph, matrix, weights, places, labels, estimator.n_neighbors)


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree, graph = _tree(estimator, scope), scope.graph
    values = np.reshape(estimator._y, (len(estimator._y), -1))[tree.order]
    if estimator.weights == "uniform":
        return Outputs(value=_mean(estimator, matrix, graph, tree, values))
    weights, places = _by_distance(estimator, matrix, graph, tree, of_equals=False)
    terms = _terms(graph, weights, places, values)
    sums = kernels.sums(graph, _last_axis(graph, terms), estimator.n_neighbors)
    whole = graph.node("ReduceSum", weights, graph.constant([1], np.int64), keepdims=1)
    return Outputs(value=matrix.numbers(graph.node("Div", sums, whole), values.shape[1]))


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
    counts = counts_of_nearest(graph, tree, matrix, distances, estimator.n_neighbors)
    sums = graph.node("MatMul", counts, graph.constant(values))
    whole = graph.node("ReduceSum", counts, graph.constant([1], np.int64), keepdims=1)
    return matrix.numbers(graph.node("Div", sums, whole), values.shape[1])


def _by_distance(
    estimator: Estimator, matrix: Matrix, graph: Graph, tree: KDTree, *, of_equals: bool
) -> tuple[str, str]:
    """Return the weights of the nearest, 1 / distance, and their places, [N, k].

    Where some are at distance 0, they alone count.
    """
    found = tree.distances(graph, matrix)
    distances, places = nearest_in_order(
        graph, tree, matrix, found, estimator.n_neighbors, of_equals=of_equals
    )
    if tree.metric == "euclidean":
        distances = graph.node("Sqrt", distances)
    inverse = graph.node("Div", graph.constant(1.0), distances)
    infinite = graph.double(graph.node("IsInf", inverse))
    hit = graph.node("ReduceMax", infinite, graph.constant([1], np.int64), keepdims=1)
    at_zero = graph.node("Greater", hit, graph.constant(0.0))
    return graph.node("Where", at_zero, infinite, inverse), places


def _by_weight(
    graph: Graph, matrix: Matrix, weights: str, places: str, labels: FloatMatrix, k: int
) -> Outputs:
    """Weigh the `labels`, [M, C] one-hot, of the nearest.

    scikit-learn adds the weights one after another for the probabilities, and for the label as
    numpy's ``sum``; on whole numbers classes tie but for the rounding.
    """
    terms, count = _terms(graph, weights, places, labels), labels.shape[1]
    running = graph.node("CumSum", terms, graph.constant(1, np.int64))
    sums = graph.node("Gather", running, graph.constant(k - 1, np.int64), axis=1)
    whole = graph.node("ReduceSum", sums, graph.constant([1], np.int64), keepdims=1)
    shares = matrix.numbers(graph.node("Div", sums, whole), count)
    if count == 1:
        return Outputs(shares)
    if k >= kernels.UNROLLED:
        sums = kernels.sums(graph, _last_axis(graph, terms), k)
    return Outputs(shares.alike(_greatest_at(graph, shares.tensor, sums, count)))


def _greatest_at(graph: Graph, shares: str, sums: str, count: int) -> str:
    """Lower the shares, [N, C], that would be the label instead of the class of the first greatest
    sum: to its share, and those before it to a bit less.

    Unlike other links this one need not grow with the sums, which are added in another order.
    """
    place = graph.node("ArgMax", sums, axis=1, keepdims=1)
    own = graph.node("GatherElements", shares, place, axis=1)
    less = graph.node("Mul", own, graph.constant(1.0 - LEAN))
    before = graph.node("Greater", place, graph.constant([np.arange(count)], np.int64))
    return graph.node("Min", shares, graph.node("Where", before, less, own))


def _terms(graph: Graph, weights: str, places: str, values: FloatMatrix) -> str:
    """Multiply the weights [N, k] with the values [M, T] of the nearest and return [N, k, T]."""
    taken = graph.node("Gather", graph.constant(values), places, axis=0)
    spread = graph.node("Unsqueeze", weights, graph.constant([2], np.int64))
    return graph.node("Mul", spread, taken)


def _last_axis(graph: Graph, terms: str) -> str:
    """Move the neighbours of [N, k, T] last: [N, T, k]."""
    return graph.node("Transpose", terms, perm=[0, 2, 1])


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
