"""The k nearest training points, chosen as scikit-learn chooses them.

Points at the same distance are common: duplicates, whole numbers, and all points seen from very
far. Which of them are among the k nearest depends on the order in which they are met, that of a
walk through a k-d tree or of the training rows, and on how a heap of k drops the farthest. For rows
without such a tie a threshold is enough; order and heap are repeated for the others only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from onnx import GraphProto, TensorProto, helper, numpy_helper
from scipy.sparse import issparse

from sklambda.arrays import FloatMatrix, IntVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import columns, one_by_one, short_squared_distances
from training.convert.graph.scope import Estimator, Scope, shown
from training.convert.unconverted import qualified

METRICS: Final = ("chebyshev", "euclidean", "manhattan", "minkowski")

SEARCHING: Final = "n_neighbors algorithm leaf_size metric p n_jobs "
"""Parameters of a search that `searched` has read."""

_OTHER_METRIC: Final = ("has no exact conversion", f"use one of {', '.join(METRICS)}")
_OTHER_METRICS: Final = {
    "cosine": (
        "chooses among equal distances as numpy does, otherwise on each processor",
        "set Normalizer() before it and use metric='euclidean', algorithm='kd_tree', whose order "
        "is that of the cosine",
    ),
}


@dataclass(frozen=True, slots=True)
class Points:
    """The training points of a search for the nearest.

    Attributes
    ----------
    metric : {"chebyshev", "euclidean", "manhattan", "minkowski"}
        The distance.
    power : float
        The power to which the differences are raised before they are added.
    points : FloatMatrix
        Shape [M, K].
    order : IntVector
        Shape [M]: the place of each point among the training rows.
    """

    metric: str
    power: float
    points: FloatMatrix
    order: IntVector

    def distances(self, graph: Graph, matrix: Matrix) -> str:
        """Return the distances to all points, [N, M], to the power, rounded as by scikit-learn."""
        parts = []
        for place, column in enumerate(columns(graph, matrix)):
            point = graph.constant(self.points[None, :, place])
            parts.append(graph.node("Abs", graph.node("Sub", column, point)))
        if self.metric == "euclidean":
            parts = [graph.node("Mul", part, part) for part in parts]
        elif self.metric == "minkowski":
            parts = self._raised(graph, parts, len(self.points))
        return self._sum(graph, parts)

    def root(self, graph: Graph, distances: str) -> str:
        """Return the distances themselves."""
        if self.metric == "euclidean":
            return graph.node("Sqrt", distances)
        if self.metric == "minkowski":
            return graph.node("Pow", distances, graph.constant(1.0 / self.power))
        return distances

    def visits(self, graph: Graph, matrix: Matrix) -> str:
        """Return the turn of each point, [N, M] or [1, M]."""
        raise NotImplementedError

    def _raised(self, graph: Graph, parts: list[str], width: int) -> list[str]:
        # The C library's pow, as scikit-learn; of a lone exponent onnxruntime makes a product,
        # which rounds halves otherwise.
        powers = graph.constant(np.full((1, width), self.power))
        return [graph.node("Pow", part, powers) for part in parts]

    def _sum(self, graph: Graph, parts: list[str]) -> str:
        return one_by_one(graph, parts, "Max" if self.metric == "chebyshev" else "Add")


@dataclass(frozen=True, slots=True)
class Listed(Points):
    """Points that scikit-learn goes through one after another: "brute"."""

    def distances(self, graph: Graph, matrix: Matrix) -> str:
        """Return the distances to all points, [N, M], to the power, rounded as by scikit-learn."""
        if self.metric == "euclidean":
            return short_squared_distances(graph, matrix, self.points)
        return Points.distances(self, graph, matrix)

    def root(self, graph: Graph, distances: str) -> str:
        """Return the distances themselves: of those that overflow, that of the greatest number."""
        greatest = graph.constant(np.finfo(np.float64).max)
        return Points.root(self, graph, graph.node("Min", distances, greatest))

    def visits(self, graph: Graph, matrix: Matrix) -> str:
        """Return the turn of each point, [1, M]."""
        return graph.constant(np.arange(len(self.points), dtype=np.float64)[None, :])


@dataclass(frozen=True, slots=True)
class KDTree(Points):
    """A fitted k-d tree, its points in the order of its leaves.

    Attributes
    ----------
    starts, ends : IntVector
        Shape [B], B = 2^L - 1 nodes: the points of each node; the leaves are the last 2^(L-1).
    bounds : FloatMatrix
        Shape [2, B, K]: the least and the greatest value in each node.
    """

    starts: IntVector
    ends: IntVector
    bounds: FloatMatrix

    def _least(self, graph: Graph, matrix: Matrix) -> str:
        """Return the distances to the boxes of all nodes, [N, B]."""
        zero = graph.constant(0.0)
        parts = []
        for place, column in enumerate(columns(graph, matrix)):
            low, high = (graph.constant(bound[None, :, place]) for bound in self.bounds)
            below = graph.node("Max", graph.node("Sub", low, column), zero)
            above = graph.node("Max", graph.node("Sub", column, high), zero)
            parts.append(graph.node("Add", below, above))
        if self.metric in ("euclidean", "minkowski"):
            parts = self._raised(graph, parts, len(self.starts))
        return self._sum(graph, parts)

    def visits(self, graph: Graph, matrix: Matrix) -> str:
        """Return the turn of each point when the nearer child is always walked first, [N, M]."""
        least = self._least(graph, matrix)
        turns = graph.constant([[0.0]])
        nodes = 1
        while nodes * 2 <= len(self.starts):
            turns = self._split(graph, least, turns, nodes)
            nodes *= 2
        leaves = slice(len(self.starts) - nodes, None)
        counts = self.ends[leaves] - self.starts[leaves]
        of_points = graph.constant(np.repeat(np.arange(nodes), counts), np.int64)
        within = np.concatenate([np.arange(count) for count in counts])
        offsets = graph.node("Gather", turns, of_points, axis=1)
        return graph.node("Add", offsets, graph.constant(within[None, :]))

    def _split(self, graph: Graph, least: str, turns: str, nodes: int) -> str:
        """Compute the first turns of the children of `nodes` nodes from those of the nodes."""
        lefts = 2 * np.arange(nodes) + 2 * nodes - 1
        sizes = (self.ends - self.starts).astype(np.float64)
        one, other = (
            graph.node("Gather", least, graph.constant(side, np.int64), axis=1)
            for side in (lefts, lefts + 1)
        )
        swapped = graph.double(graph.node("Greater", one, other))
        after = graph.node("Mul", swapped, graph.constant(sizes[None, lefts + 1]))
        left = graph.node("Add", turns, after)
        kept = graph.node("Sub", graph.constant(1.0), swapped)
        before = graph.node("Mul", kept, graph.constant(sizes[None, lefts]))
        right = graph.node("Add", turns, before)
        axis = graph.constant([2], np.int64)
        pairs = [graph.node("Unsqueeze", side, axis) for side in (left, right)]
        joined = graph.node("Concat", *pairs, axis=2)
        return graph.node("Reshape", joined, graph.constant([0, 2 * nodes], np.int64))


def counts_of_nearest(graph: Graph, tree: Points, matrix: Matrix, distances: str, k: int) -> str:
    """Count how often each point is among the k nearest, [N, M].

    A point counts more than once only where distances overflow: scikit-learn fills up with the
    first training row.
    """
    nearest, _ = graph.several("TopK", distances, _ints(graph, k), outputs=2, largest=0)
    within, again = _tied(graph, distances, nearest, k)
    rows = graph.node("Transpose", graph.node("NonZero", again))  # [T, 1]
    some = matrix.alike(graph.node("GatherND", matrix.tensor, rows))
    own = graph.node("GatherND", distances, rows)
    _, places = _walked(graph, tree, some, own, again, k)
    none = graph.node("Expand", graph.constant([[0.0]]), graph.node("Shape", own))
    ones = graph.node("Expand", graph.constant([[1.0]]), graph.node("Shape", places))
    exact = graph.node("ScatterElements", none, places, ones, axis=1, reduction="add")
    return graph.node("ScatterND", within, rows, exact)


SORTED: Final = 15
"""The number of neighbours up to which scikit-learn sorts them by insertion, which keeps the order
of equal ones; more are sorted by introsort."""


def nearest_in_order(
    graph: Graph, tree: Points, matrix: Matrix, distances: str, k: int, *, of_equals: bool
) -> tuple[str, str]:
    """Return the distances to the k nearest points and their places, [N, k], the nearest first.

    With `of_equals` points at the same distance have the order that scikit-learn gives them, if
    they are `SORTED` at most; without it only which of them are among the nearest is its choice.
    """
    nearest, places = graph.several("TopK", distances, _ints(graph, k), outputs=2, largest=0)
    _, again = _tied(graph, distances, nearest, k)
    if of_equals and 1 < k <= SORTED:
        one, other = (
            graph.node("Slice", nearest, *(_ints(graph, each) for each in (start, end, 1)))
            for start, end in ((0, k - 1), (1, k))
        )
        equal = graph.node("Cast", graph.node("Equal", one, other), to=TensorProto.INT64)
        some = graph.node("ReduceMax", equal, _ints(graph, 1), keepdims=0)
        again = graph.node("Or", again, graph.node("Cast", some, to=TensorProto.BOOL))
    rows = graph.node("Transpose", graph.node("NonZero", again))  # [T, 1]
    tied = matrix.alike(graph.node("GatherND", matrix.tensor, rows))
    own = graph.node("GatherND", distances, rows)
    heap, who = _walked(graph, tree, tied, own, again, k)
    # Of equal ones TopK takes the first, as a sort by insertion leaves them.
    ordered, order = graph.several("TopK", heap, _ints(graph, k), outputs=2, largest=0)
    who = graph.node("GatherElements", who, order, axis=1)
    return (
        graph.node("ScatterND", nearest, rows, ordered),
        graph.node("ScatterND", places, rows, who),
    )


def _tied(graph: Graph, distances: str, nearest: str, k: int) -> tuple[str, str]:
    """Return which points are no farther than the k-th, [N, M], and where they are not k, [N]."""
    far = graph.node("Gather", nearest, _ints(graph, k - 1), axis=1)
    within = graph.double(graph.node("LessOrEqual", distances, far))
    count = graph.node("ReduceSum", within, graph.constant([1], np.int64), keepdims=0)
    tied = graph.node("Not", graph.node("Equal", count, graph.constant(float(k))))
    endless = graph.node("IsInf", graph.node("Squeeze", far, graph.constant([1], np.int64)))
    return within, graph.node("Or", tied, endless)


def _walked(
    graph: Graph, tree: Points, rows: Matrix, distances: str, again: str, k: int
) -> tuple[str, str]:
    """Return the heap of the k nearest points: their distances and places, [T, k]."""
    shape = graph.node("Shape", distances)
    turns = graph.node("Expand", tree.visits(graph, rows), shape)
    first = float(np.flatnonzero(tree.order == 0)[0])
    tall = graph.node("Concat", graph.node("Shape", distances, end=1), _ints(graph, 1), axis=0)
    heap = graph.node("Expand", graph.constant([[np.inf] * k + [first] * k]), tall)
    state = graph.node("Concat", heap, distances, turns, axis=1)
    points = len(tree.points)
    any_row = graph.node("Cast", _any(graph, again), to=TensorProto.BOOL)
    last = graph.node("Loop", _ints(graph, points), any_row, state, body=_push(k, points))
    heap, kept = (
        graph.node("Slice", last, *(_ints(graph, each) for each in (start, start + k, 1)))
        for start in (0, k)
    )
    return heap, graph.node("Cast", kept, to=TensorProto.INT64)


def _ints(graph: Graph, value: int) -> str:
    return graph.constant([value], np.int64)


def _any(graph: Graph, flags: str) -> str:
    return graph.node("ReduceMax", graph.node("Cast", flags, to=TensorProto.INT64), keepdims=0)


class Body:
    """The nodes of a loop's body, whose state is a matrix of numbers."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[TensorProto] = []

    def node(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output, or a list of several."""
        names = [f"body_{operator}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, dtype: type[np.generic] = np.float64) -> str:
        """Add a constant tensor and return its name."""
        name = f"body_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def loop(self, parts: Sequence[str], again: str) -> GraphProto:
        """Return the body of a Loop with one state: its parts, and whether any row goes on."""
        some = self.node("ReduceMax", self.node("Cast", again, to=TensorProto.INT64), keepdims=0)
        self.nodes += [
            helper.make_node("Concat", parts, ["state_out"], axis=1),
            helper.make_node("Cast", [some], ["more"], to=TensorProto.BOOL),
        ]
        state = TensorProto.DOUBLE, [None, None]
        return helper.make_graph(
            self.nodes,
            "loop",
            [
                helper.make_tensor_value_info("step", TensorProto.INT64, []),
                helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                helper.make_tensor_value_info("state", *state),
            ],
            [
                helper.make_tensor_value_info("more", TensorProto.BOOL, []),
                helper.make_tensor_value_info("state_out", *state),
            ],
            self.constants,
        )

    def at(self, tensor: str, places: str) -> str:
        """Return the values of each row at some places."""
        return str(self.node("GatherElements", tensor, places, axis=1))

    def put(self, tensor: str, places: str, values: str) -> str:
        """Return a tensor with other values at some places of each row."""
        return str(self.node("ScatterElements", tensor, places, values, axis=1))

    def where(self, flags: str, yes: str, no: str) -> str:
        """Pick from two tensors."""
        return str(self.node("Where", flags, yes, no))


def _push(k: int, points: int) -> GraphProto:
    """Push the next point that is nearer than the farthest of the heap, in every row.

    The state is [T, 2k + 2M]: the heap's distances and places, then the distances not pushed yet
    and the turns of all points. Follows ``heap_push`` in sklearn/utils/_heap.pyx.
    """
    body = Body()
    sizes = body.constant([k, k, points, points], np.int64)
    heap, places, left, turns = body.node("Split", "state", sizes, outputs=4, axis=1)
    root = body.constant([0], np.int64)
    largest = body.node("Gather", heap, root, axis=1)
    never = body.constant(float(points + 1))
    turn = body.where(body.node("Less", left, largest), turns, never)
    chosen = body.node("ArgMin", turn, axis=1, keepdims=1)
    found = body.node("Less", body.at(turn, chosen), never)
    distance = body.at(left, chosen)
    left = body.put(left, chosen, body.where(found, body.constant(np.inf), distance))
    value = body.where(found, distance, largest)
    number = body.node("Cast", chosen, to=TensorProto.DOUBLE)
    who = body.where(found, number, body.node("Gather", places, root, axis=1))
    heap, places = _sift(body, heap, places, value, who, found, k)
    return body.loop([heap, places, left, turns], found)


def _sift(
    body: Body, heap: str, places: str, value: str, who: str, found: str, k: int
) -> tuple[str, str]:
    """Sift the pushed value down from the root; absent children are -inf."""
    pads = body.constant([0, 0, 0, k + 1], np.int64)
    heap = body.node("Pad", heap, pads, body.constant(-np.inf))
    zero, one, two = (body.constant(value, np.int64) for value in range(3))
    at = body.node("Mul", body.node("Cast", found, to=TensorProto.INT64), zero)
    active = found
    for _ in range(k.bit_length() - 1):
        left = body.node("Add", body.node("Mul", at, two), one)
        right = body.node("Add", left, one)
        lefts, rights = body.at(heap, left), body.at(heap, right)
        first = body.node("GreaterOrEqual", lefts, rights)
        child, greater = body.where(first, left, right), body.where(first, lefts, rights)
        active = body.node("And", active, body.node("Less", value, greater))
        heap = body.put(heap, at, body.where(active, greater, body.at(heap, at)))
        # A child that is not there has no place either; it is not looked at.
        there = body.node("Min", child, body.constant(k - 1, np.int64))
        moved = body.where(active, body.at(places, there), body.at(places, at))
        places = body.put(places, at, moved)
        at = body.where(active, child, at)
    heap, places = body.put(heap, at, value), body.put(places, at, who)
    start, end = body.constant([0], np.int64), body.constant([k], np.int64)
    return str(body.node("Slice", heap, start, end, body.constant([1], np.int64))), places


def searched(estimator: Estimator, scope: Scope) -> Points:
    """Read the points among which an estimator looks neighbours up; refuses other searches."""
    name, metric = qualified(estimator), estimator.effective_metric_
    if metric not in METRICS:
        reason, remedy = _OTHER_METRICS.get(metric, _OTHER_METRIC)
        scope.refuse(f"{name}(metric={shown(metric)}) {reason}: {remedy}")
    power = {"euclidean": 2.0, "minkowski": float(estimator.p)}.get(metric, 1.0)
    if estimator._fit_method == "brute":
        return _listed(estimator, metric, power, scope)
    if estimator._fit_method != "kd_tree":
        scope.refuse(
            f"{name} looks neighbours up by {estimator._fit_method!r}, whose choice among equal "
            "distances cannot be followed: fit it with algorithm='kd_tree'"
        )
    points, order, nodes, bounds = map(np.asarray, estimator._tree.get_arrays())
    if nodes["is_leaf"][: len(nodes) // 2].any():
        scope.refuse(
            f"{name} has a tree whose leaves are not on one level: fit it with another leaf_size"
        )
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    return KDTree(metric, power, points[order], order, starts, ends, bounds)


def _listed(estimator: Estimator, metric: str, power: float, scope: Scope) -> Points:
    points = estimator._fit_X
    if issparse(points) or points.dtype != np.float64:
        held = "sparse" if issparse(points) else points.dtype.name
        scope.refuse(
            f"{qualified(estimator)} looks neighbours up by 'brute' on {held} columns, where its "
            "choice among equal distances is numpy's, another on each processor: fit it with "
            "algorithm='kd_tree', on dense columns"
        )
    return Listed(metric, power, points, np.arange(len(points)))
