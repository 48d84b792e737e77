"""Numbers scaled and bent."""

from typing import Final

import numpy as np
from sklearn.preprocessing import (
    Binarizer,
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from sklambda.arrays import FloatVector
from training.convert.graph import Graph, Matrix
from training.convert.scope import Convert, Estimator, Scope


def _shift_and_divide(
    graph: Graph, matrix: Matrix, centre: FloatVector | None, scale: FloatVector | None
) -> Matrix:
    # Two operations, as scikit-learn does them: a product with the inverse differs in the last
    # bit, and a tree after it may then take the other branch.
    scaled = matrix.tensor
    if centre is not None:
        scaled = graph.node("Sub", scaled, graph.constant([centre]))
    if scale is not None:
        scaled = graph.node("Div", scaled, graph.constant([scale]))
    return matrix.numbers(scaled)


def _standard_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="copy with_mean with_std")
    centre = estimator.mean_ if estimator.with_mean else None
    scale = estimator.scale_ if estimator.with_std else None
    return _shift_and_divide(scope.graph, matrix, centre, scale)


def _robust_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="with_centering with_scaling quantile_range copy unit_variance")
    centre = estimator.center_ if estimator.with_centering else None
    scale = estimator.scale_ if estimator.with_scaling else None
    return _shift_and_divide(scope.graph, matrix, centre, scale)


def _min_max_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="feature_range copy clip")
    graph = scope.graph
    product = graph.node("Mul", matrix.tensor, graph.constant([estimator.scale_]))
    scaled = graph.node("Add", product, graph.constant([estimator.min_]))
    return matrix.numbers(
        _clip(graph, scaled, *estimator.feature_range) if estimator.clip else scaled
    )


def _max_abs_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="copy clip")
    scaled = _shift_and_divide(scope.graph, matrix, None, estimator.scale_)
    return scaled.alike(_clip(scope.graph, scaled.tensor, -1, 1)) if estimator.clip else scaled


def _clip(graph: Graph, tensor: str, least: float, greatest: float) -> str:
    return graph.node("Clip", tensor, graph.constant(least), graph.constant(greatest))


def _normalizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="norm copy")
    graph = scope.graph
    norms = _norms(graph, matrix, estimator.norm)
    # A row of zeros stays as it is; scikit-learn means the same by "almost zero".
    tiny = 10 * np.finfo(np.float64).eps
    small = graph.node("Less", norms, graph.constant(tiny))
    divisors = graph.node("Where", small, graph.constant(1.0), norms)
    return matrix.numbers(graph.node("Div", matrix.tensor, divisors))


def _norms(graph: Graph, matrix: Matrix, norm: str) -> str:
    if norm == "max":
        return graph.node(
            "ReduceMax", graph.node("Abs", matrix.tensor), graph.constant([1], np.int64)
        )
    if norm == "l1":
        return _sums(graph, matrix.alike(graph.node("Abs", matrix.tensor)))
    squares = matrix.alike(graph.node("Mul", matrix.tensor, matrix.tensor))
    return graph.node("Sqrt", _sums(graph, squares))


def _sums(graph: Graph, matrix: Matrix) -> str:
    """Add up each row from left to right, as numpy does with few columns; ReduceSum does not."""
    running = graph.node("CumSum", matrix.tensor, graph.constant(1, np.int64))
    return graph.node("Gather", running, graph.constant([matrix.width - 1], np.int64), axis=1)


def _binarizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="threshold copy")
    graph = scope.graph
    above = graph.node("Greater", matrix.tensor, graph.constant(estimator.threshold))
    return matrix.numbers(graph.double(above))


def _power_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # Box-Cox raises on what is not above 0, which a graph cannot.
    scope.admit(estimator, free="standardize copy", only={"method": ("yeo-johnson",)})
    bent = matrix.numbers(_yeo_johnson(scope.graph, matrix.tensor, estimator.lambdas_))
    if not estimator.standardize:
        return bent
    return scope.transform("scaler", estimator._scaler, bent)


def _yeo_johnson(graph: Graph, values: str, powers: FloatVector) -> str:
    """Follow the two branches of ``scipy.stats.yeojohnson``, which mirror each other.

    Yeo and Johnson (2000), A new family of power transformations to improve normality or symmetry.
    """
    below = graph.node("Less", values, graph.constant(0.0))
    exponents = np.array([powers, 2 - powers])
    logarithmic = np.abs(exponents) < np.finfo(np.float64).eps
    safe = np.where(logarithmic, 1.0, exponents)
    power = graph.node("Where", below, graph.constant(safe[1:]), graph.constant(safe[:1]))
    log = _log1p(graph, graph.node("Abs", values))
    bent = graph.node("Div", _expm1(graph, graph.node("Mul", log, power)), power)
    if logarithmic.any():
        # Where takes no bool, so the flags are numbers.
        flags = [
            graph.constant(side.astype(np.float64)) for side in (logarithmic[1:], logarithmic[:1])
        ]
        flag = graph.node("Greater", graph.node("Where", below, *flags), graph.constant(0.0))
        bent = graph.node("Where", flag, log, bent)
    return graph.node("Where", below, graph.node("Neg", bent), bent)


def _log1p(graph: Graph, values: str) -> str:
    """Compute log(1 + x) for x >= 0 to the last bits: the error of 1 + x is divided out.

    Kahan's formula: N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    one = graph.constant(1.0)
    shifted = graph.node("Add", values, one)
    nothing = graph.node("Equal", shifted, one)
    rounded = graph.node("Sub", shifted, one)
    divisor = graph.node("Where", nothing, one, rounded)
    ratio = graph.node("Div", values, divisor)
    log = graph.node("Mul", graph.node("Log", shifted), ratio)
    return graph.node("Where", nothing, values, log)


def _expm1(graph: Graph, values: str) -> str:
    """Compute exp(x) - 1 to the last bits, by the other formula of Kahan's."""
    one = graph.constant(1.0)
    powers = graph.node("Exp", values)
    rounded = graph.node("Sub", powers, one)
    # Far from 0 the plain difference is right; nearer, the error of exp(x) is divided out.
    far = graph.node("Greater", graph.node("Abs", values), one)
    nothing = graph.node("Equal", powers, one)
    plain = graph.node("Or", far, nothing)
    log = graph.node("Where", plain, one, graph.node("Log", powers))
    near = graph.node("Mul", rounded, graph.node("Div", values, log))
    return graph.node("Where", nothing, values, graph.node("Where", far, rounded, near))


def _kernel_centerer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="")
    graph = scope.graph
    rows = estimator.K_fit_rows_
    means = graph.node("Div", _sums(graph, matrix), graph.constant(float(len(rows))))
    columns = graph.node("Sub", matrix.tensor, graph.constant([rows]))
    centred = graph.node("Sub", columns, means)
    return matrix.numbers(graph.node("Add", centred, graph.constant(estimator.K_fit_all_)))


CONVERTERS: Final[dict[type, Convert]] = {
    Binarizer: _binarizer,
    KernelCenterer: _kernel_centerer,
    MaxAbsScaler: _max_abs_scaler,
    MinMaxScaler: _min_max_scaler,
    Normalizer: _normalizer,
    PowerTransformer: _power_transformer,
    RobustScaler: _robust_scaler,
    StandardScaler: _standard_scaler,
}
