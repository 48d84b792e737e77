"""Numbers replaced by their place in the distribution that was seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.preprocessing import QuantileTransformer

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import look_up, step_tree


@dataclass(frozen=True, slots=True)
class _Pieces:
    """``numpy.interp`` of one column: on each piece, y + slope (x - x0).

    Attributes
    ----------
    bounds : FloatVector
        Shape [S]: where one piece gives way to the next.
    lines : FloatMatrix
        Shape [3, S + 1]: x0, y and slope of each piece.
    """

    bounds: FloatVector
    lines: FloatMatrix


def _quantile_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # The normal distribution needs its quantile function, which no operator computes.
    scope.admit(
        estimator,
        free="n_quantiles ignore_implicit_zeros subsample random_state copy",
        only={"output_distribution": ("uniform",)},
    )
    graph, columns, references = scope.graph, estimator.quantiles_.T, estimator.references_
    upward = [_upward(column, references) for column in columns]
    downward = [_downward(column, references) for column in columns]
    # The mean of both directions, which differ where quantiles are equal.
    rising = _interpolate(graph, matrix, upward)
    falling = _interpolate(graph, matrix.alike(graph.node("Neg", matrix.tensor)), downward)
    mean = graph.node("Mul", graph.node("Sub", rising, falling), graph.constant(0.5))
    for bound, end in ((columns[:, -1], 1.0), (columns[:, 0], 0.0)):
        there = graph.node("Equal", matrix.tensor, graph.constant([bound]))
        mean = graph.node("Where", there, graph.constant(end), mean)
    return matrix.numbers(mean)


def _upward(quantiles: FloatVector, references: FloatVector) -> _Pieces:
    return _Pieces(np.nextafter(quantiles, -np.inf), _lines(quantiles, references))


def _downward(quantiles: FloatVector, references: FloatVector) -> _Pieces:
    return _upward(-quantiles[::-1], -references[::-1])


def _lines(x: FloatVector, y: FloatVector) -> FloatMatrix:
    """Return the piece before the first x, those between, and the one from the last on."""
    steps = np.diff(x)
    # Where x repeats, no value meets the piece between.
    slopes = np.where(steps > 0, np.diff(y) / np.where(steps > 0, steps, 1.0), 0.0)
    return np.array([[x[0], *x], [y[0], *y], [0.0, *slopes, 0.0]])


def _interpolate(graph: Graph, matrix: Matrix, pieces: list[_Pieces]) -> str:
    width = pieces[0].lines.shape[1]
    trees = [
        step_tree(column, piece.bounds, column * width + np.arange(width, dtype=np.float64), 0.0)
        for column, piece in enumerate(pieces)
    ]
    places = graph.node("Cast", look_up(graph, matrix, trees).tensor, to=_INT64)
    table = np.concatenate([piece.lines for piece in pieces], axis=1)
    start, value, slope = (graph.node("Gather", graph.constant(row), places) for row in table)
    risen = graph.node("Mul", slope, graph.node("Sub", matrix.tensor, start))
    return graph.node("Add", risen, value)


_INT64: Final = 7  # TensorProto.INT64

CONVERTERS: Final[dict[type, Convert]] = {QuantileTransformer: _quantile_transformer}
