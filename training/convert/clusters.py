"""Clusters, as steps of a pipeline: the distances to their centres."""

from typing import Final

from sklearn.cluster import BisectingKMeans, KMeans, MiniBatchKMeans

from training.convert.graph import Matrix
from training.convert.kernels import euclidean_distances
from training.convert.scope import Convert, Estimator, Scope


def _means(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_clusters init n_init max_iter tol verbose random_state copy_x algorithm "
        "batch_size compute_labels max_no_improvement init_size reassignment_ratio "
        "bisecting_strategy",
    )
    return euclidean_distances(scope.graph, matrix, estimator.cluster_centers_)


CONVERTERS: Final[dict[type, Convert]] = {
    BisectingKMeans: _means,
    KMeans: _means,
    MiniBatchKMeans: _means,
}
