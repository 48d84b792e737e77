"""Support vector machines."""

from itertools import combinations
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.decision import TOLERANCE, scales
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs, class_position, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified

_KERNELS: Final = {"kernel": kernels.KERNELS}
_SAMPLE: Final = 500
"""The number of support vectors whose own decisions are computed both ways."""

_SAFETY: Final = 100.0
"""How many times more exact than the tolerance they have to be."""

_FREE: Final = "C nu epsilon degree gamma coef0 tol shrinking cache_size max_iter verbose"


def _require_named_kernel(estimator: Estimator, scope: Scope) -> None:
    if estimator.kernel not in kernels.KERNELS:
        own = getattr(estimator.kernel, "__name__", repr(estimator.kernel))
        scope.refuse(
            f"{qualified(estimator)}(kernel={own}) is computed outside of scikit-learn: use one of "
            f"{', '.join(map(repr, kernels.KERNELS))}, or Nystroem or RBFSampler before LinearSVC"
        )


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    _require_named_kernel(estimator, scope)
    scope.admit(estimator, free=_FREE, only=_KERNELS)
    weights = _dense(estimator.dual_coef_).T
    return Outputs(value=_sums(estimator, matrix, scope.graph, weights))


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    # Of probabilities nothing is said: predict goes by the decision, and they may differ.
    _require_named_kernel(estimator, scope)
    several = len(estimator.classes_) > 2
    scope.admit(
        estimator,
        free=f"{_FREE} class_weight probability random_state",
        only={
            **_KERNELS,
            "break_ties": (False, True),
            "decision_function_shape": ("ovr", "ovo"),
        },
    )
    if estimator.break_ties and estimator.decision_function_shape == "ovo":
        scope.refuse(
            f"{type(estimator).__name__} itself refuses break_ties with 'ovo': "
            "use decision_function_shape='ovr'"
        )
    if estimator.dual_coef_.shape[0] != len(estimator.classes_) - 1:
        scope.refuse(
            f"{type(estimator).__name__} has a class whose rows all weigh nothing: "
            "leave that class out, or weigh it"
        )
    if not np.all(estimator.intercept_):
        # Where all kernels are 0 so is the decision, and there libsvm takes the second class.
        scope.refuse(
            f"{type(estimator).__name__} has an intercept of exactly 0: "
            "fit it on scaled data, by StandardScaler before it"
        )
    if not several:
        weights = _dense(estimator.dual_coef_).T
        return Outputs(decision=_sums(estimator, matrix, scope.graph, weights))
    pairs = _sums(estimator, matrix, scope.graph, _of_pairs(estimator))
    decision = _votes(scope.graph, pairs, len(estimator.classes_))
    if estimator.decision_function_shape == "ovo":
        # The decisions of its pairs are no scores of the classes.
        votes = decision.alike(scope.graph.node("Round", decision.tensor))
        place = class_position(scope.graph, votes)
        return Outputs(label=one_hot(scope.graph, place, len(estimator.classes_)))
    # Unless ties are broken, libsvm takes the first of the classes with the most votes.
    return Outputs(decision=decision, label_by="decision" if estimator.break_ties else "votes")


def _sums(estimator: Estimator, matrix: Matrix, graph: Graph, weights: FloatMatrix) -> Matrix:
    """Weigh the kernels, `weights` [M, P] and return [N, P]."""
    vectors = _dense(estimator.support_vectors_)
    if estimator.kernel == "linear" and _adds_up(vectors, weights, estimator.intercept_):
        products = graph.node("MatMul", matrix.tensor, graph.constant(vectors.T @ weights))
    else:
        kernel = _kernel(estimator, matrix, graph, vectors)
        products = graph.node("MatMul", kernel, graph.constant(weights))
    sums = graph.node("Add", products, graph.constant([estimator.intercept_]))
    return matrix.numbers(sums, weights.shape[1])


def _adds_up(vectors: FloatMatrix, weights: FloatMatrix, constants: FloatVector) -> bool:
    """Return whether the support vectors can be added up before a row is known.

    Where their terms cancel to what rounding leaves of them, the graph has to round as libsvm does:
    row by row.
    """
    sums, sizes = vectors.T @ weights, np.abs(vectors.T) @ np.abs(weights)
    columns = np.finfo(np.float64).eps * sizes <= TOLERANCE * np.abs(sums)
    some = vectors[:_SAMPLE]
    ahead, by_row = some @ sums, (some @ vectors.T) @ weights
    rows = np.abs(ahead - by_row) <= TOLERANCE / _SAFETY * scales(ahead + constants)
    return bool(columns.all() and rows.all())


def _kernel(estimator: Estimator, matrix: Matrix, graph: Graph, vectors: FloatMatrix) -> str:
    gamma, shift = estimator._gamma, estimator.coef0
    if estimator.kernel == "linear":
        return kernels.dot(graph, matrix, vectors)
    if estimator.kernel == "rbf":
        squares = kernels.squared_distances(graph, matrix, vectors)
        return kernels.exponential(graph, squares, gamma)
    base = kernels.affine(graph, kernels.dot(graph, matrix, vectors), gamma, shift)
    if estimator.kernel == "sigmoid":
        return graph.node("Tanh", base)
    return kernels.power(graph, base, estimator.degree)


def _of_pairs(estimator: Estimator) -> FloatMatrix:
    """Spread libsvm's compact coefficients, [C - 1, M], to the pairs of classes, [M, P]."""
    compact = _dense(estimator.dual_coef_)
    ends = np.cumsum(estimator.n_support_)
    own = [slice(end - count, end) for end, count in zip(ends, estimator.n_support_, strict=True)]
    pairs = list(combinations(range(len(own)), 2))
    weights = np.zeros((compact.shape[1], len(pairs)))
    for place, (one, other) in enumerate(pairs):
        weights[own[one], place] = compact[other - 1, own[one]]
        weights[own[other], place] = compact[one, own[other]]
    return weights


def _votes(graph: Graph, pairs: Matrix, classes: int) -> Matrix:
    """Count the votes of all pairs, and break ties by how sure they are."""
    ends = np.array(list(combinations(range(classes), 2)))
    first, second = np.eye(classes)[ends[:, 0]], np.eye(classes)[ends[:, 1]]
    lost = graph.double(graph.node("Less", pairs.tensor, graph.constant(0.0)))
    moved = graph.node("MatMul", lost, graph.constant(second - first))
    votes = graph.node("Add", moved, graph.constant(first.sum(axis=0)[None, :]))
    sure = graph.node("MatMul", pairs.tensor, graph.constant(first - second))
    scale = kernels.affine(graph, graph.node("Abs", sure), 1.0, 1.0)
    scale = graph.node("Mul", scale, graph.constant(3.0))
    share = graph.node("Div", sure, scale)
    return pairs.numbers(graph.node("Add", votes, share), classes)


def _dense(values: Estimator) -> FloatMatrix:
    dense: FloatMatrix = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return dense


CONVERTERS: Final[dict[type, Convert]] = {
    SVC: _classifier,
    NuSVC: _classifier,
    SVR: _regressor,
    NuSVR: _regressor,
}
