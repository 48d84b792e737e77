"""Numbers made more like a normal distribution: by a power, or by their quantile; and back."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats
from sklearn.base import clone
from sklearn.preprocessing import PowerTransformer, QuantileTransformer
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from training.convert.families.functions import expm1, log1p
from training.convert.graph import normal
from training.convert.graph.folding import of_column
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import look_up, step_tree

_EPSILON: Final = np.finfo(np.float64).eps
_LARGEST: Final = 709.78  # above it scipy takes the exponential another way


def _power_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="standardize method copy")
    bend = _box_cox if estimator.method == "box-cox" else _yeo_johnson
    powers = bend(scope.graph, matrix.tensor, estimator.lambdas_)
    bent = matrix.mapped(powers, [_step(estimator, column) for column in range(matrix.width)])
    if not estimator.standardize:
        return bent
    return scope.transform("scaler", estimator._scaler, bent)


def _step(estimator: Estimator, column: int) -> Elementwise:
    """Return the transformation of one column, without the scaler after it."""
    plain = clone(estimator).set_params(standardize=False)
    plain.lambdas_ = estimator.lambdas_
    transform, name = of_column(plain, column, "lambdas_"), f"PowerTransformer({estimator.method})"
    if estimator.method == "yeo-johnson":
        return Elementwise(name, transform, exact=False)

    def positive(values: FloatVector) -> FloatVector:
        return transform(np.where(values > 0, values, np.nan))

    return Elementwise(name, positive, exact=False, turns=(0.0,))


def _box_cox(graph: Graph, values: str, powers: FloatVector) -> str:
    """Follow ``scipy.special.boxcox``; what is not above 0 scikit-learn refuses."""
    logarithmic = np.abs(powers) < 1e-19
    safe = np.where(logarithmic, 1.0, powers)
    log = graph.node("Log", values)
    raised = graph.node("Mul", log, graph.constant([safe]))
    near = graph.node("Div", expm1(graph, raised), graph.constant([safe]))
    less = graph.node("Sub", raised, graph.constant([np.log(np.abs(safe))]))
    far = graph.node("Mul", graph.node("Exp", less), graph.constant([np.sign(safe)]))
    far = graph.node("Sub", far, graph.constant([1 / safe]))
    large = graph.node("GreaterOrEqual", raised, graph.constant(_LARGEST))
    return _chosen(graph, logarithmic, log, graph.node("Where", large, far, near))


def _yeo_johnson(graph: Graph, values: str, powers: FloatVector) -> str:
    """Follow the two branches of ``scipy.stats.yeojohnson``, which mirror each other.

    Yeo and Johnson (2000), A new family of power transformations to improve normality or symmetry.
    """
    below = graph.node("Less", values, graph.constant(0.0))
    log = log1p(graph, graph.node("Abs", values))
    sides = [_raised(graph, log, exponents) for exponents in (2 - powers, powers)]
    return _mirrored(graph, below, sides)


def _raised(graph: Graph, log: str, exponents: FloatVector) -> str:
    """Return ``((1 + x) ** exponent - 1) / exponent`` of log(1 + x)."""
    logarithmic = np.abs(exponents) < _EPSILON
    safe = graph.constant([np.where(logarithmic, 1.0, exponents)])
    power = graph.node("Div", expm1(graph, graph.node("Mul", log, safe)), safe)
    return _chosen(graph, logarithmic, log, power)


def straightened(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    """Add the inverse of a power transformation."""
    scope.admit(transformer, free="standardize method copy")
    graph, tensor = scope.graph, value.tensor
    if transformer.standardize:
        scaler = transformer._scaler
        tensor = graph.node("Mul", tensor, graph.constant([scaler.scale_]))
        tensor = graph.node("Add", tensor, graph.constant([scaler.mean_]))
    inverse = _box_cox_back if transformer.method == "box-cox" else _yeo_johnson_back
    return inverse(graph, tensor, transformer.lambdas_)


def _box_cox_back(graph: Graph, values: str, powers: FloatVector) -> str:
    logarithmic = powers == 0
    safe = graph.constant([np.where(logarithmic, 1.0, powers)])
    log = graph.node("Div", log1p(graph, graph.node("Mul", values, safe)), safe)
    return graph.node("Exp", _chosen(graph, logarithmic, values, log))


def _yeo_johnson_back(graph: Graph, values: str, powers: FloatVector) -> str:
    below = graph.node("Less", values, graph.constant(0.0))
    size = graph.node("Abs", values)
    sides = [_lowered(graph, size, exponents) for exponents in (2 - powers, powers)]
    return _mirrored(graph, below, sides)


def _lowered(graph: Graph, size: str, exponents: FloatVector) -> str:
    """Return ``(x * exponent + 1) ** (1 / exponent) - 1``."""
    logarithmic = np.abs(exponents) < _EPSILON
    safe = np.where(logarithmic, 1.0, exponents)
    one = graph.constant(1.0)
    base = graph.node("Add", graph.node("Mul", size, graph.constant([safe])), one)
    power = graph.node("Pow", base, graph.constant([1 / safe]))
    return graph.node("Sub", _chosen(graph, logarithmic, graph.node("Exp", size), power), one)


def _mirrored(graph: Graph, below: str, sides: list[str]) -> str:
    left, right = sides
    return graph.node("Where", below, graph.node("Neg", left), right)


def _chosen(graph: Graph, columns: Flags, one: str, other: str) -> str:
    """Select some columns from one tensor, and the others from the other."""
    if not columns.any():
        return other
    return graph.node("Where", graph.constant([columns], np.bool_), one, other)


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

CONVERTERS: Final[dict[type, Convert]] = {
    PowerTransformer: _power_transformer,
    QuantileTransformer: _quantile_transformer,
}
