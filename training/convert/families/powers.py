"""Numbers made more like a normal distribution by a power, there and back."""

from typing import Final

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import PowerTransformer

from sklambda.arrays import Flags, FloatVector
from training.convert.families.functions import expm1, log1p
from training.convert.graph.folding import of_column
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope

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


CONVERTERS: Final[dict[type, Convert]] = {PowerTransformer: _power_transformer}
