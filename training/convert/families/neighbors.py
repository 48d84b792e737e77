"""Nearest neighbours."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    NearestCentroid,
    RadiusNeighborsClassifier,
)

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import LEAN
from training.convert.graph.nearest import (
    SEARCHING,
    Listed,
    Points,
    counts_of_nearest,
    nearest_in_order,
    searched,
)
from training.convert.graph.outputs import Outputs, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope, shown
from training.convert.unconverted import qualified


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree, graph = _tree(estimator, scope), scope.graph
    several = estimator.outputs_2d_
    numbers = np.reshape(estimator._y, (len(tree.order), -1)).T
    targets = estimator.classes_ if several else [estimator.classes_]
    labels = [
        np.eye(len(classes))[number][tree.order]
        for classes, number in zip(targets, numbers, strict=True)
    ]
    if estimator.weights == "uniform":
        counts = _counts(estimator, matrix, graph, tree)
        found = [Outputs(_mean(matrix, graph, counts, each)) for each in labels]
    else:
        # Up to 7 numbers numpy adds one after another, in whatever order equal ones are.
        of_equals = estimator.n_neighbors >= kernels.UNROLLED
        weights, places = _by_distance(estimator, matrix, graph, tree, of_equals=of_equals)
        k = estimator.n_neighbors
        found = [_by_weight(graph, matrix, weights, places, each, k) for each in labels]
    if not several:
        return found[0]
    if min(map(len, targets)) < 2:
        scope.refuse(f"{qualified(estimator)} has a target of one class: leave the target out")
    pairs = zip(found, targets, strict=True)
    return Outputs(parts=tuple(replace(part, classes=classes) for part, classes in pairs))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    tree, graph = _tree(estimator, scope), scope.graph
    values = np.reshape(estimator._y, (len(estimator._y), -1))[tree.order]
    if estimator.weights == "uniform":
        counts = _counts(estimator, matrix, graph, tree)
        return Outputs(value=_mean(matrix, graph, counts, values))
    weights, places = _by_distance(estimator, matrix, graph, tree, of_equals=False)
    terms = _terms(graph, weights, places, values)
    sums = kernels.sums(graph, _last_axis(graph, terms), estimator.n_neighbors)
    whole = graph.node("ReduceSum", weights, graph.constant([1], np.int64), keepdims=1)
    return Outputs(value=matrix.numbers(graph.node("Div", sums, whole), values.shape[1]))


def _tree(estimator: Estimator, scope: Scope) -> Points:
    if callable(estimator.weights):
        scope.refuse(
            f"{qualified(estimator)}(weights={shown(estimator.weights)}) is computed by Python: "
            "use weights='uniform' or 'distance'"
        )
    scope.admit(estimator, free=f"{SEARCHING} weights", only={"metric_params": (None,)})
    points = searched(estimator, scope)
    if isinstance(points, Listed) and (estimator.weights, points.metric) == _NOISE:
        scope.refuse(
            f"{qualified(estimator)}(weights='distance') looks neighbours up by 'brute', where "
            "the distance of a training row to itself is what rounding leaves of it: fit it with "
            "algorithm='kd_tree'"
        )
    return points


_NOISE: Final = ("distance", "euclidean")


def _counts(estimator: Estimator, matrix: Matrix, graph: Graph, tree: Points) -> str:
    distances = tree.distances(graph, matrix)
    return counts_of_nearest(graph, tree, matrix, distances, estimator.n_neighbors)


def _mean(matrix: Matrix, graph: Graph, counts: str, values: FloatMatrix) -> Matrix:
    """Average `values` [M, T] over the nearest points, counted [N, M], and return [N, T]."""
    sums = graph.node("MatMul", counts, graph.constant(values))
    whole = graph.node("ReduceSum", counts, graph.constant([1], np.int64), keepdims=1)
    return matrix.numbers(graph.node("Div", sums, whole), values.shape[1])


def _by_distance(
    estimator: Estimator, matrix: Matrix, graph: Graph, tree: Points, *, of_equals: bool
) -> tuple[str, str]:
    """Return the weights of the nearest, 1 / distance, and their places, [N, k].

    Where some are at distance 0, they alone count.
    """
    found = tree.distances(graph, matrix)
    distances, places = nearest_in_order(
        graph, tree, matrix, found, estimator.n_neighbors, of_equals=of_equals
    )
    distances = tree.root(graph, distances)
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


def _within_radius(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    if estimator.weights != "uniform":
        scope.refuse(
            f"{qualified(estimator)}(weights={shown(estimator.weights)}) is no number for a row "
            "that is all but equal to one of training: use weights='uniform', or "
            "KNeighborsClassifier"
        )
    free = "radius weights algorithm leaf_size p metric outlier_label n_jobs"
    scope.admit(estimator, free=free, only={"metric_params": (None,)})
    places = np.flatnonzero(np.equal(estimator.classes_, _outlier(estimator, scope)))
    if not len(places):
        scope.refuse(
            f"{qualified(estimator)} has an outlier_label that is none of its classes: use one of "
            "them, or outlier_label='most_frequent'"
        )
    graph, points = scope.graph, searched(estimator, scope)
    labels = np.eye(len(estimator.classes_))
    distances = points.distances(graph, matrix)
    radius = graph.constant(estimator.radius**points.power)
    weights = graph.double(graph.node("LessOrEqual", distances, radius))
    sums = graph.node("MatMul", weights, graph.constant(labels[estimator._y][points.order]))
    whole = graph.node("ReduceSum", sums, graph.constant([1], np.int64), keepdims=1)
    alone = graph.node("Equal", whole, graph.constant(0.0))
    shares = graph.node("Div", sums, whole)
    found = graph.node("Where", alone, graph.constant(labels[places[:1]]), shares)
    return Outputs(matrix.numbers(found, len(labels)))


def _outlier(estimator: Estimator, scope: Scope) -> Any:
    if estimator.outputs_2d_:
        scope.refuse(
            f"{qualified(estimator)} has several targets: use one for each, in "
            "MultiOutputClassifier"
        )
    if estimator.outlier_label_ is None:
        scope.refuse(
            f"{qualified(estimator)}(outlier_label=None) refuses rows far from all others, which "
            "no limit of a feature says: use outlier_label='most_frequent', or KNeighborsClassifier"
        )
    return estimator.outlier_label_[0]


def _centroid(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="shrink_threshold priors", only={"metric": ("euclidean",)})
    count = len(estimator.classes_)
    if not np.isclose(estimator.class_prior_, 1 / count).all():
        scope.refuse("NearestCentroid has classes of different priors: use priors='uniform'")
    # The decision is of scaled columns, and the label is not.
    place = kernels.nearest(scope.graph, matrix, estimator.centroids_)
    return Outputs(label=one_hot(scope.graph, matrix.numbers(place, 1), count))


CONVERTERS: Final[dict[type, Convert]] = {
    KNeighborsClassifier: _classifier,
    KNeighborsRegressor: _regressor,
    NearestCentroid: _centroid,
    RadiusNeighborsClassifier: _within_radius,
}
