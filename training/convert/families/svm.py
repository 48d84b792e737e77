"""Support vector machines."""

from itertools import combinations
from typing import Final

import numpy as np
import onnx
from scipy import sparse
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from sklambda.arrays import FloatMatrix, FloatVector
from sklambda.decision import TOLERANCE, scales
from sklambda.signature import Scores
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.links import logistic
from training.convert.graph.nearest import Body
from training.convert.graph.outputs import Outputs, class_position, one_hot
from training.convert.graph.scope import Convert, Estimator, Scope, shown
from training.convert.unconverted import qualified

_KERNELS: Final = {"kernel": kernels.KERNELS}
_SAMPLE: Final = 500
"""The number of support vectors whose own decisions are computed both ways."""

_SAFETY: Final = 100.0
"""How many times more exact than the tolerance they have to be."""

_FREE: Final = "C nu epsilon degree gamma coef0 tol shrinking cache_size max_iter verbose"


def _require_named_kernel(estimator: Estimator, scope: Scope) -> None:
    if estimator.kernel not in kernels.KERNELS:
        scope.refuse(
            f"{qualified(estimator)}(kernel={shown(estimator.kernel)}) is computed outside of "
            f"scikit-learn: use one of {', '.join(map(repr, kernels.KERNELS))}, or Nystroem or "
            "RBFSampler before LinearSVC"
        )


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    _require_named_kernel(estimator, scope)
    scope.admit(estimator, free=_FREE, only=_KERNELS)
    weights = _dense(estimator.dual_coef_).T
    return Outputs(value=_sums(estimator, matrix, scope.graph, weights))


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
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
    _require_decided(estimator, scope)
    graph = scope.graph
    if not several:
        decision = _sums(estimator, matrix, graph, _dense(estimator.dual_coef_).T)
        # scikit-learn turns the sign of libsvm's own.
        own = decision.alike(graph.node("Neg", decision.tensor))
        return Outputs(_chances(estimator, own, graph), decision, label_by="decision")
    pairs = _sums(estimator, matrix, graph, _of_pairs(estimator))
    decision = _votes(graph, pairs, len(estimator.classes_))
    if estimator.decision_function_shape == "ovo":
        # The decisions of its pairs are no scores of the classes.
        votes = decision.alike(graph.node("Round", decision.tensor))
        place = class_position(graph, votes)
        return Outputs(label=one_hot(graph, place, len(estimator.classes_)))
    # Unless ties are broken, libsvm takes the first of the classes with the most votes.
    by: Scores = "decision" if estimator.break_ties else "votes"
    return Outputs(_chances(estimator, pairs, graph), decision, label_by=by)


def _require_decided(estimator: Estimator, scope: Scope) -> None:
    """Refuse a classifier whose label is not that of its decisions."""
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


_LEAST: Final = 1e-7
"""libsvm's least probability of a pair."""

_ENOUGH: Final = 0.005
"""The error at which it stops, of as many classes."""


def _chances(estimator: Estimator, pairs: Matrix, graph: Graph) -> Matrix | None:
    """Return the probabilities of the decisions of all pairs, [N, P], where there are any.

    They are Platt's for each pair, coupled as libsvm's ``multiclass_probability`` does it (Wu, Lin
    and Weng, 2004, method 2), of two classes too. The label follows the decisions, and may be
    another class than the most probable one.
    """
    if not len(estimator._probA):
        return None
    scaled = graph.node("Mul", pairs.tensor, graph.constant([-estimator._probA]))
    platt = graph.node("Sub", scaled, graph.constant([estimator._probB]))
    first = logistic(graph, pairs.alike(platt))
    least, most = graph.constant(_LEAST), graph.constant(1 - _LEAST)
    won = first.alike(graph.node("Clip", first.tensor, least, most))
    lost = won.alike(graph.node("Sub", graph.constant(1.0), won.tensor))
    count = len(estimator.classes_)
    state = graph.join([_even(graph, won, count), _couplings(graph, won, lost, count)])
    found = graph.node(
        "Loop",
        graph.constant(max(100, count), np.int64),
        graph.constant(True, np.bool_),
        state.tensor,
        body=_coupling(count),
    )
    return graph.take(state.alike(found), range(count))


def _even(graph: Graph, alike: Matrix, count: int) -> Matrix:
    rows = graph.node("Shape", alike.tensor, end=1)
    shape = graph.node("Concat", rows, graph.constant([count], np.int64), axis=0)
    return alike.numbers(graph.node("Expand", graph.constant([[1.0 / count]]), shape), count)


def _couplings(graph: Graph, won: Matrix, lost: Matrix, count: int) -> Matrix:
    """Return the matrix Q of each row, flat, [N, C * C]."""
    places = {pair: place for place, pair in enumerate(combinations(range(count), 2))}

    def chance(of: int, against: int) -> Matrix:
        pair = (min(of, against), max(of, against))
        return graph.take(won if of < against else lost, [places[pair]])

    cells = []
    for one in range(count):
        squares = [chance(other, one).tensor for other in range(count) if other != one]
        squares = [graph.node("Mul", each, each) for each in squares]
        for other in range(count):
            if other == one:
                cells.append(won.numbers(kernels.one_by_one(graph, squares), 1))
                continue
            product = graph.node("Mul", chance(other, one).tensor, chance(one, other).tensor)
            cells.append(won.numbers(graph.node("Neg", product), 1))
    return graph.join(cells)


def _coupling(count: int) -> onnx.GraphProto:
    """Improve the probabilities of all rows that are not exact enough yet, one class at a time.

    The state is [N, C + C * C]: the probabilities, then the matrix Q.
    """
    body = Body()
    chances, couplings = body.node(
        "Split", "state", body.constant([count, count * count], np.int64), outputs=2, axis=1
    )
    rows = body.node(
        "Split", couplings, body.constant([count] * count, np.int64), outputs=count, axis=1
    )
    axis, last = body.constant([1], np.int64), body.constant([2], np.int64)
    square = body.node("Reshape", couplings, body.constant([-1, count, count], np.int64))
    column = body.node("Unsqueeze", chances, last)
    products = body.node("Squeeze", body.node("MatMul", square, column), last)
    norm = body.node("ReduceSum", body.node("Mul", chances, products), axis, keepdims=1)
    errors = body.node("Abs", body.node("Sub", products, norm))
    error = body.node("ReduceMax", errors, axis, keepdims=1)
    again = body.node("GreaterOrEqual", error, body.constant(_ENOUGH / count))
    improved = chances
    for place in range(count):
        unit = body.constant(np.eye(count)[[place]])
        improved, products, norm = _improved(
            body, place, unit, rows[place], improved, products, norm
        )
    kept = body.where(again, improved, chances)
    return body.loop([kept, couplings], again)


def _improved(
    body: Body, place: int, unit: str, row: str, chances: str, products: str, norm: str
) -> tuple[str, str, str]:
    """Move the probability of one class, then divide by the sum."""
    at, one, two = body.constant([place], np.int64), body.constant(1.0), body.constant(2.0)
    own = body.node("Gather", row, at, axis=1)
    product = body.node("Gather", products, at, axis=1)
    step = body.node("Div", body.node("Sub", norm, product), own)
    whole = body.node("Add", one, step)
    grown = body.node("Add", body.node("Mul", step, own), body.node("Mul", two, product))
    norm = body.node("Add", norm, body.node("Mul", step, grown))
    norm = body.node("Div", body.node("Div", norm, whole), whole)
    products = body.node("Add", products, body.node("Mul", step, row))
    moved = body.node("Add", chances, body.node("Mul", step, unit))
    return body.node("Div", moved, whole), body.node("Div", products, whole), norm


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
    base = kernels.scaled(graph, kernels.dot(graph, matrix, vectors), gamma, shift)
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
    scale = kernels.scaled(graph, graph.node("Abs", sure), 1.0, 1.0)
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
