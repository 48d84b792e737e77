"""Anomalies: rows whose decision is below 0."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from sklambda.arrays import FloatVector
from training.convert.graph import kernels
from training.convert.graph.float_order import rank, unrank
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.nearest import SEARCHING, Points, counts_of_nearest, searched
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Tree, gathered, grown


def _forest(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="n_estimators max_samples contamination max_features bootstrap n_jobs random_state "
        "verbose warm_start",
    )
    if estimator._max_samples < 2:
        scope.refuse(
            "IsolationForest has trees of one row, which isolate nothing: "
            "fit it with a greater max_samples"
        )
    graph = scope.graph
    depths = zip(
        estimator._decision_path_lengths, estimator._average_path_length_per_tree, strict=True
    )
    tables = [(paths + rest - 1.0)[:, np.newaxis] for paths, rest in depths]
    pairs = list(zip(_isolating(estimator, matrix), tables, strict=True))
    depth = gathered(graph, matrix, pairs)
    usual = len(pairs) * _average_path_length([estimator._max_samples])
    share = graph.node("Div", depth.tensor, graph.constant(usual))
    decision = matrix.numbers(_isolation(graph, share, float(estimator.offset_)), 1)
    return Outputs(decision=decision, threshold=0.0)


def _isolating(estimator: Estimator, matrix: Matrix) -> list[Tree]:
    trees = [tree.tree_ for tree in estimator.estimators_]
    if estimator._max_features == matrix.width:
        return [grown(tree) for tree in trees]
    return [
        grown(tree, np.asarray(columns, dtype=np.int64))
        for tree, columns in zip(trees, estimator.estimators_features_, strict=True)
    ]


def _isolation(graph: Graph, share: str, offset: float) -> str:
    """Return the decision from depths as shares of the usual one, [N, 1]."""
    powers = graph.node("Pow", graph.constant(2.0), graph.node("Neg", share))
    score = graph.node("Sub", graph.node("Neg", powers), graph.constant(offset))
    # The offset may be the score of a training row, and numpy's powers differ in the last bit.
    above = graph.node("GreaterOrEqual", share, graph.constant(_least_share(offset)))
    inlier = graph.node("Max", score, graph.constant(0.0))
    outlier = graph.node("Min", score, graph.constant(-(2.0**-60)))
    return graph.node("Where", above, inlier, outlier)


def _least_share(offset: float) -> float:
    """Find the least share that scikit-learn's formula takes for an inlier, by bisection."""
    below, above = map(int, rank(np.array([0.0, 1e3])))
    while above > below + 1:
        middle = (below + above) // 2
        share = unrank(np.array([middle]))
        inlier = (-(2 ** (-share)) - offset >= 0).all()
        below, above = (below, middle) if inlier else (middle, above)
    return float(unrank(np.array([above]))[0])


def _kernels(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="degree gamma coef0 tol nu shrinking cache_size verbose max_iter",
        only={"kernel": kernels.KERNELS},
    )
    graph = scope.graph
    weights = graph.constant(kernels.dense(estimator.dual_coef_))
    weighed = graph.node("Mul", _kernel(estimator, matrix, graph), weights)
    # The terms cancel, so they are added in libsvm's order: over the first axis, row by row.
    turned = graph.node("Transpose", weighed, perm=[1, 0])
    total = graph.node("ReduceSum", turned, graph.constant([0], np.int64), keepdims=0)
    moved = graph.node("Add", total, graph.constant(estimator.intercept_))
    decision = graph.node("Unsqueeze", moved, graph.constant([1], np.int64))
    return Outputs(decision=matrix.numbers(decision, 1))


def _kernel(estimator: Estimator, matrix: Matrix, graph: Graph) -> str:
    """Return the kernels with all support vectors, [N, M]."""
    vectors, gamma = kernels.dense(estimator.support_vectors_), estimator._gamma
    if estimator.kernel == "rbf":
        squares = kernels.squared_distances(graph, matrix, vectors)
        return kernels.exponential(graph, squares, gamma)
    products = kernels.products(graph, matrix, vectors)
    if estimator.kernel == "linear":
        return products
    base = kernels.scaled(graph, products, gamma, estimator.coef0)
    if estimator.kernel == "sigmoid":
        return graph.node("Tanh", base)
    return kernels.power(graph, base, estimator.degree)


def _stochastic(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="nu fit_intercept max_iter tol shuffle verbose random_state learning_rate eta0 "
        "power_t warm_start average",
    )
    decision = affine(scope.graph, matrix, estimator.coef_, -estimator.offset_)
    return Outputs(decision=decision, threshold=0.0)


def _envelope(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="store_precision assume_centered support_fraction contamination random_state",
    )
    graph = scope.graph
    centred = graph.node("Sub", matrix.tensor, graph.constant([estimator.location_]))
    # In scipy's order, since the offset may be the score of a training row.
    parts = kernels.columns(graph, matrix.alike(centred))
    weighed = [
        graph.node("Mul", part, graph.constant([weights]))
        for part, weights in zip(parts, estimator.get_precision().T, strict=True)
    ]
    along = graph.node("Mul", centred, _in_two_lanes(graph, weighed))
    terms = kernels.columns(graph, matrix.numbers(along))
    distance = graph.node("Sqrt", _in_two_lanes(graph, terms))
    score = graph.node("Neg", graph.node("Mul", distance, distance))
    decision = graph.node("Sub", score, graph.constant(float(estimator.offset_)))
    return Outputs(decision=matrix.numbers(decision, 1), threshold=0.0)


def _in_two_lanes(graph: Graph, parts: Sequence[str]) -> str:
    """Add the even and the odd ones apart, as compilers do for two numbers a register."""
    even = len(parts) // 2 * 2
    if not even:
        return parts[0]
    lanes = [kernels.one_by_one(graph, parts[lane:even:2]) for lane in (0, 1)]
    return kernels.one_by_one(graph, [graph.node("Add", *lanes), *parts[even:]])


def _local(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free=f"{SEARCHING} contamination",
        only={"novelty": (True,), "metric_params": (None,)},
    )
    graph, tree, k = scope.graph, searched(estimator, scope), estimator.n_neighbors_
    distances = tree.distances(graph, matrix)
    counts = counts_of_nearest(graph, tree, matrix, distances, k)
    reach = _reach(graph, tree, distances, estimator._distances_fit_X_[tree.order, k - 1])
    density = _inverse(graph, _mean(graph, counts, reach, k))
    ratios = graph.node("Div", graph.constant([estimator._lrd[tree.order]]), density)
    score = graph.node("Neg", _mean(graph, counts, ratios, k))
    decision = graph.node("Sub", score, graph.constant(float(estimator.offset_)))
    return Outputs(decision=matrix.numbers(decision, 1), threshold=0.0)


def _reach(graph: Graph, tree: Points, distances: str, least: FloatVector) -> str:
    """Return the distances to all points, [N, M], but no less than a point's own neighbourhood."""
    return graph.node("Max", tree.root(graph, distances), graph.constant([least]))


def _inverse(graph: Graph, reach: str) -> str:
    moved = graph.node("Add", reach, graph.constant(1e-10))
    return graph.node("Div", graph.constant(1.0), moved)


def _mean(graph: Graph, counts: str, values: str, k: int) -> str:
    """Average over the k nearest points, [N, 1]; what is not near may be infinite."""
    zero = graph.constant(0.0)
    near = graph.node("Greater", counts, zero)
    terms = graph.node("Where", near, graph.node("Mul", counts, values), zero)
    total = graph.node("ReduceSum", terms, graph.constant([1], np.int64), keepdims=1)
    return graph.node("Div", total, graph.constant(float(k)))


CONVERTERS: Final[dict[type, Convert]] = {
    EllipticEnvelope: _envelope,
    IsolationForest: _forest,
    LocalOutlierFactor: _local,
    OneClassSVM: _kernels,
    SGDOneClassSVM: _stochastic,
}
