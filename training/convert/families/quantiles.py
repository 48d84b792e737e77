"""Numbers replaced by their place in the distribution that was seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats
from sklearn.preprocessing import QuantileTransformer
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.graph import normal
from training.convert.graph.folding import of_column
from training.convert.graph.graph import Elementwise, Graph, Matrix
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
    scope.admit(estimator, free=_FREE)
    graph, columns, references = scope.graph, estimator.quantiles_.T, estimator.references_
    upward = [_upward(column, references) for column in columns]
    downward = [_downward(column, references) for column in columns]
    # The mean of both directions, which differ where quantiles are equal.
    rising = _interpolate(graph, matrix, upward)
    falling = _interpolate(graph, matrix.alike(graph.node("Neg", matrix.tensor)), downward)
    mean = graph.node("Mul", graph.node("Sub", rising, falling), graph.constant(0.5))
    low, high = _ends(graph, matrix.tensor, columns[:, 0], columns[:, -1], estimator)
    mean = graph.node("Where", high, graph.constant(1.0), mean)
    mean = graph.node("Where", low, graph.constant(0.0), mean)
    if estimator.output_distribution == "uniform":
        return matrix.mapped(mean, _steps(estimator, matrix, exact=True))
    # Where the quantile itself would be clipped, the share is: both are monotone.
    shares = graph.node("Clip", mean, graph.constant(_LEAST), graph.constant(1 - _LEAST))
    quantiles = normal.quantile(graph, shares)
    ends = (graph.constant(float(stats.norm.ppf(end))) for end in (_LEAST, 1 - _LEAST))
    bent = graph.node("Clip", quantiles, *ends)
    return matrix.mapped(bent, _steps(estimator, matrix, exact=False))


def _steps(estimator: Estimator, matrix: Matrix, *, exact: bool) -> list[Elementwise]:
    name = f"QuantileTransformer({estimator.output_distribution})"
    return [
        Elementwise(name, of_column(estimator, column, "quantiles_"), exact)
        for column in range(matrix.width)
    ]


def _ends(
    graph: Graph, values: str, low: FloatVector, high: FloatVector, estimator: Estimator
) -> list[str]:
    """Return which values, [N, K], are at the low end, and which at the high end."""
    if estimator.output_distribution == "uniform":
        return [graph.node("Equal", values, graph.constant([end])) for end in (low, high)]
    near = graph.constant(BOUNDS_THRESHOLD)
    below = graph.node("Less", graph.node("Sub", values, near), graph.constant([low]))
    above = graph.node("Greater", graph.node("Add", values, near), graph.constant([high]))
    return [below, above]


def restored(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    """Add the inverse of a quantile transformation."""
    scope.admit(transformer, free=_FREE)
    graph, columns, shares = scope.graph, transformer.quantiles_.T, value
    if transformer.output_distribution == "normal":
        shares = value.alike(normal.probability(graph, value.tensor))
    width = len(columns)
    low, high = _ends(graph, shares.tensor, np.zeros(width), np.ones(width), transformer)
    found = _interpolate(
        graph, shares, [_upward(transformer.references_, column) for column in columns]
    )
    found = graph.node("Where", high, graph.constant([columns[:, -1]]), found)
    return graph.node("Where", low, graph.constant([columns[:, 0]]), found)


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
_FREE: Final = "n_quantiles output_distribution ignore_implicit_zeros subsample random_state copy"
_LEAST: Final = float(BOUNDS_THRESHOLD - np.spacing(1))
"""The share at which scikit-learn clips quantiles of the normal distribution."""

CONVERTERS: Final[dict[type, Convert]] = {QuantileTransformer: _quantile_transformer}
