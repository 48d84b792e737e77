"""Numbers scaled and bent."""

from typing import Final

import numpy as np
from sklearn.preprocessing import (
    Binarizer,
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)

from sklambda.arrays import FloatVector
from training.convert.graph.folding import of_column
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope


def _steps(estimator: Estimator, matrix: Matrix, fitted: str) -> list[Elementwise]:
    """Return the scaling of each column, whose attributes named `fitted` have an element each."""
    name = type(estimator).__name__
    return [
        Elementwise(name, of_column(estimator, column, fitted)) for column in range(matrix.width)
    ]


def _shift_and_divide(
    graph: Graph, matrix: Matrix, centre: FloatVector | None, scale: FloatVector | None
) -> str:
    # Two operations, as scikit-learn does them: a product with the inverse differs in the last
    # bit, and a tree after it may then take the other branch.
    scaled = matrix.tensor
    if centre is not None:
        scaled = graph.node("Sub", scaled, graph.constant([centre]))
    if scale is not None:
        scaled = graph.node("Div", scaled, graph.constant([scale]))
    return scaled


def _standard_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="copy with_mean with_std")
    centre = estimator.mean_ if estimator.with_mean else None
    scale = estimator.scale_ if estimator.with_std else None
    scaled = _shift_and_divide(scope.graph, matrix, centre, scale)
    return matrix.mapped(scaled, _steps(estimator, matrix, "mean_ scale_"))


def _robust_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="with_centering with_scaling quantile_range copy unit_variance")
    centre = estimator.center_ if estimator.with_centering else None
    scale = estimator.scale_ if estimator.with_scaling else None
    scaled = _shift_and_divide(scope.graph, matrix, centre, scale)
    return matrix.mapped(scaled, _steps(estimator, matrix, "center_ scale_"))


def _min_max_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="feature_range copy clip")
    graph = scope.graph
    product = graph.node("Mul", matrix.tensor, graph.constant([estimator.scale_]))
    scaled = graph.node("Add", product, graph.constant([estimator.min_]))
    if estimator.clip:
        scaled = _clip(graph, scaled, *estimator.feature_range)
    return matrix.mapped(scaled, _steps(estimator, matrix, "scale_ min_"))


def _max_abs_scaler(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="copy clip")
    scaled = _shift_and_divide(scope.graph, matrix, None, estimator.scale_)
    if getattr(estimator, "clip", False):  # since scikit-learn 1.8
        scaled = _clip(scope.graph, scaled, -1, 1)
    return matrix.mapped(scaled, _steps(estimator, matrix, "scale_"))


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
    RobustScaler: _robust_scaler,
    StandardScaler: _standard_scaler,
}
