"""Columns spread over B-splines."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import SplineTransformer

from sklambda.arrays import FloatMatrix
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope


def _spline_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # What extrapolation "error" refuses, the signature does: it has the bounds that are accepted.
    scope.admit(
        estimator,
        free="n_knots degree knots include_bias order handle_missing sparse_output",
        only={"extrapolation": ("error", "constant", "linear", "continue", "periodic")},
    )
    if estimator.degree == 0 and estimator.extrapolation in ("constant", "linear"):
        scope.refuse(
            "SplineTransformer(degree=0) ends in steps that are not extrapolated: "
            "use degree=1 or more, or KBinsDiscretizer"
        )
    if estimator.degree == 1 and estimator.extrapolation == "linear" and matrix.width > 1:
        # scikit-learn counts the degree up at the first column, and so moves the ends of the next.
        scope.refuse(
            "SplineTransformer(degree=1, extrapolation='linear') treats columns unequally: "
            "use extrapolation='constant' or degree=2"
        )
    graph = scope.graph
    splines = _Splines(estimator)
    inside = splines.inside(graph, matrix)
    values = splines.basis(graph, inside)
    if estimator.extrapolation == "linear":
        values = splines.with_slopes(graph, matrix, values)
    if getattr(estimator, "handle_missing", "error") == "zeros":  # since scikit-learn 1.8
        missing = graph.node("IsNaN", graph.take(matrix, splines.columns).tensor)
        values = graph.node("Where", missing, graph.constant(0.0), values)
    result = matrix.numbers(values, len(splines.columns))
    return graph.take(result, splines.kept)


class _Splines:
    """The fitted splines of all columns, side by side."""

    def __init__(self, estimator: Estimator) -> None:
        self.estimator = estimator
        self.degree: int = estimator.degree
        self.count: int = estimator.bsplines_[0].c.shape[1]
        self.features = len(estimator.bsplines_)
        self.knots: FloatMatrix = np.array([spline.t for spline in estimator.bsplines_])
        self.first = self.knots[:, self.degree]
        self.last = self.knots[:, -self.degree - 1]
        self.columns = np.repeat(np.arange(self.features), self.count).tolist()

    @property
    def kept(self) -> list[int]:
        """The columns that scikit-learn keeps: without bias, all but the last of each feature."""
        bias = self.estimator.include_bias
        whole = range(len(self.columns))
        return [place for place in whole if bias or (place + 1) % self.count]

    def inside(self, graph: Graph, matrix: Matrix) -> Matrix:
        """Return the points at which the splines are evaluated."""
        extrapolation = self.estimator.extrapolation
        if extrapolation == "continue":
            return matrix
        first, last = graph.constant([self.first]), graph.constant([self.last])
        if extrapolation in ("constant", "error", "linear"):
            above = graph.node("Max", matrix.tensor, first)
            return matrix.numbers(graph.node("Min", above, last))
        return matrix.numbers(self._wrapped(graph, matrix, first))

    def _wrapped(self, graph: Graph, matrix: Matrix, first: str) -> str:
        """Compute the remainder as numpy does: with the sign of the period."""
        period = graph.constant([self.last - self.first])
        distance = graph.node("Sub", matrix.tensor, first)
        remainder = graph.node("Mod", distance, period, fmod=1)
        below = graph.node("Less", remainder, graph.constant(0.0))
        positive = graph.node("Where", below, graph.node("Add", remainder, period), remainder)
        return graph.node("Add", first, positive)

    def basis(self, graph: Graph, matrix: Matrix) -> str:
        """Evaluate by the recursion of de Boor in the order of scipy, so to the last bit.

        C. de Boor, A Practical Guide to Splines, chapter X.
        """
        knots, degree = self.knots, self.degree
        count = knots.shape[1] - 1
        values = self._intervals(graph, matrix)
        for order in range(1, degree + 1):
            x = graph.take(matrix, np.repeat(np.arange(self.features), count - order).tolist())
            rising = self._weighted(graph, values, count + 1 - order, order, 0)
            falling = self._weighted(graph, values, count + 1 - order, order, 1)
            start = graph.constant([knots[:, : -order - 1].ravel()])
            end = graph.constant([knots[:, order + 1 :].ravel()])
            values = graph.node(
                "Add",
                graph.node("Mul", rising, graph.node("Sub", x.tensor, start)),
                graph.node("Mul", falling, graph.node("Sub", end, x.tensor)),
            )
        if self.estimator.extrapolation != "periodic":
            return values
        blocks = [spline.c for spline in self.estimator.bsplines_]
        return graph.node("MatMul", values, graph.constant(_diagonal(blocks)))

    def _intervals(self, graph: Graph, matrix: Matrix) -> str:
        """Find the interval of the knots that a value lies in; the outer ones have no end."""
        low, high = self.knots[:, :-1].copy(), self.knots[:, 1:].copy()
        intervals = low.shape[1]
        low[:, self.degree], high[:, -self.degree - 1] = -np.inf, np.inf
        low[:, : self.degree] = np.inf
        high[:, intervals - self.degree :] = -np.inf
        x = graph.take(matrix, np.repeat(np.arange(self.features), intervals).tolist())
        reached = graph.node("GreaterOrEqual", x.tensor, graph.constant([low.ravel()]))
        before = graph.node("Less", x.tensor, graph.constant([high.ravel()]))
        return graph.double(graph.node("And", reached, before))

    def _weighted(self, graph: Graph, values: str, width: int, order: int, shift: int) -> str:
        """Divide each of the lower order's values by the distance of its knots."""
        own = [
            feature * width + place + shift
            for feature in range(self.features)
            for place in range(width - 1)
        ]
        gaps = self.knots[:, order:] - self.knots[:, :-order]
        # Knots that coincide give nothing.
        gaps = np.where(gaps == 0, np.inf, gaps)[:, shift : shift + width - 1]
        taken = graph.node("Gather", values, graph.constant(own, np.int64), axis=1)
        return graph.node("Div", taken, graph.constant([gaps.ravel()]))

    def with_slopes(self, graph: Graph, matrix: Matrix, values: str) -> str:
        """Extrapolate in straight lines beyond the ends."""
        touched = self.degree + (self.degree <= 1)
        places = np.arange(self.count)
        spread = graph.take(matrix, self.columns).tensor
        for end, bound, near in (
            (self.first, "Min", places < touched),
            (self.last, "Max", places >= self.count - touched),
        ):
            slopes = [
                np.where(near, spline(at, nu=1), 0.0)
                for spline, at in zip(self.estimator.bsplines_, end, strict=True)
            ]
            distance = graph.node("Sub", spread, graph.constant([np.repeat(end, self.count)]))
            beyond = graph.node(bound, distance, graph.constant(0.0))
            risen = graph.node("Mul", beyond, graph.constant([np.concatenate(slopes)]))
            values = graph.node("Add", values, risen)
        return values


def _diagonal(blocks: list[NDArray[Any]]) -> FloatMatrix:
    rows, columns = blocks[0].shape
    whole = np.zeros((rows * len(blocks), columns * len(blocks)))
    for place, block in enumerate(blocks):
        whole[place * rows : (place + 1) * rows, place * columns : (place + 1) * columns] = block
    return whole


CONVERTERS: Final[dict[type, Convert]] = {SplineTransformer: _spline_transformer}
