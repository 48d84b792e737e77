"""Clusters: the nearest centre of a row, and the distances to all of them."""

from typing import Final

import numpy as np
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.utils.extmath import row_norms

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.outputs import Outputs, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope

_FREE: Final = (
    "n_clusters init n_init max_iter tol verbose random_state copy_x algorithm "
    "batch_size compute_labels max_no_improvement init_size reassignment_ratio "
    "bisecting_strategy"
)


def _means(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FREE)
    graph, centres = scope.graph, estimator.cluster_centers_
    # From afar all distances are the same number, and scikit-learn's label is not by them.
    first = kernels.first_least(graph, _apart(graph, matrix, centres))
    return Outputs(
        label=one_hot(graph, matrix.numbers(first, 1), len(centres)),
        transformed=kernels.euclidean_distances(graph, matrix, centres),
    )


def _bisecting(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free=_FREE)
    graph, centres = scope.graph, estimator.cluster_centers_
    root = estimator._bisecting_tree
    if root.left is None:
        return _means(estimator, matrix, scope)
    leaves = dict(_leaves(estimator, matrix, graph, root, graph.constant([[True]], np.bool_)))
    inside = [matrix.numbers(graph.double(leaves[label]), 1) for label in range(len(centres))]
    return Outputs(
        label=graph.join(inside),
        transformed=kernels.euclidean_distances(graph, matrix, centres),
    )


def _leaves(
    estimator: Estimator, matrix: Matrix, graph: Graph, node: Estimator, inside: str
) -> list[tuple[int, str]]:
    """Return the label of each leaf of the hierarchy, with the rows that end there."""
    if node.left is None:
        return [(node.label, inside)]
    centres = np.vstack([node.left.center, node.right.center])
    if hasattr(estimator, "_X_mean"):
        centres += estimator._X_mean
    sides = matrix.numbers(_apart(graph, matrix, centres), 2)
    left, right = kernels.columns(graph, sides)
    nearer = graph.node("Less", right, left)
    ways = (node.left, graph.node("Not", nearer)), (node.right, nearer)
    return [
        leaf
        for child, way in ways
        for leaf in _leaves(estimator, matrix, graph, child, graph.node("And", inside, way))
    ]


def _apart(graph: Graph, matrix: Matrix, centres: FloatMatrix) -> str:
    """Return |c|² - 2xc, [N, M], rounded as by scikit-learn's k-means; the least is the nearest."""
    doubled = graph.node("Mul", kernels.dot(graph, matrix, centres), graph.constant(-2.0))
    return graph.node("Add", doubled, graph.constant([row_norms(centres, squared=True)]))


def _shifted(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="bandwidth seeds bin_seeding min_bin_freq cluster_all n_jobs max_iter",
    )
    return _nearest(estimator.cluster_centers_, matrix, scope.graph)


def _propagated(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="damping max_iter convergence_iter copy preference verbose random_state",
        only={"affinity": ("euclidean",)},
    )
    if not len(estimator.cluster_centers_):
        scope.refuse(
            "AffinityPropagation has not converged and has no clusters: "
            "fit it with a greater max_iter or another damping"
        )
    return _nearest(estimator.cluster_centers_, matrix, scope.graph)


def _nearest(centres: FloatMatrix, matrix: Matrix, graph: Graph) -> Outputs:
    place = matrix.numbers(kernels.nearest(graph, matrix, centres), 1)
    return Outputs(label=one_hot(graph, place, len(centres)))


def _birch(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="threshold branching_factor n_clusters compute_labels")
    graph, labels = scope.graph, np.asarray(estimator.subcluster_labels_)
    count = int(labels.max()) + 1
    if set(labels.tolist()) != set(range(count)):
        scope.refuse(
            "Birch has clusters that are not numbered from 0: fit it with n_clusters as a number"
        )
    centres = estimator.subcluster_centers_
    nearest = kernels.nearest(graph, matrix, centres)
    own = one_hot(graph, matrix.numbers(nearest, 1), len(centres))
    return Outputs(
        label=affine(graph, own, np.eye(count)[labels].T, 0.0),
        transformed=kernels.euclidean_distances(graph, matrix, centres),
    )


CONVERTERS: Final[dict[type, Convert]] = {
    AffinityPropagation: _propagated,
    Birch: _birch,
    BisectingKMeans: _bisecting,
    KMeans: _means,
    MeanShift: _shifted,
    MiniBatchKMeans: _means,
}
