"""Gaussian processes, and approximations of kernels."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import linalg
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process._gpc import COEFS, LAMBDAS
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Exponentiation,
    Matern,
    Product,
    RationalQuadratic,
    Sum,
    WhiteKernel,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels, normal
from training.convert.graph.graph import Matrix
from training.convert.graph.links import both, lean, shares
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified

type Kernel = Callable[[Estimator, Matrix, FloatMatrix, Scope], str]

_EVEN: Final = 0.5 * float(COEFS.sum())
"""The probability where the mean is 0."""

_OPERATORS: Final = {Sum: "Add", Product: "Mul"}


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="kernel alpha optimizer n_restarts_optimizer normalize_y copy_X_train n_targets "
        "random_state",
    )
    graph = scope.graph
    if not _depends_on_data(estimator.kernel_):
        scope.refuse(
            "GaussianProcessRegressor has a kernel that no feature moves: "
            "use another kernel, such as RBF()"
        )
    weights = estimator.alpha_.reshape(len(estimator.X_train_), -1)
    kernel = _kernel(estimator.kernel_, matrix, estimator.X_train_, scope)
    mean = graph.node("MatMul", kernel, graph.constant(weights))
    scaled = graph.node("Mul", mean, graph.constant(np.reshape(estimator._y_train_std, (1, -1))))
    shift = graph.constant(np.reshape(estimator._y_train_mean, (1, -1)))
    return Outputs(value=matrix.numbers(graph.node("Add", scaled, shift), weights.shape[1]))


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="kernel optimizer n_restarts_optimizer max_iter_predict warm_start copy_X_train "
        "random_state multi_class n_jobs",
    )
    inner = estimator.base_estimator_
    if type(inner) is OneVsOneClassifier:
        scope.refuse(
            f"{qualified(estimator)}(multi_class='one_vs_one') has no probabilities: use "
            "multi_class='one_vs_rest'"
        )
    binary = inner.estimators_ if type(inner) is OneVsRestClassifier else [inner]
    graph = scope.graph
    found = [_chance(each, matrix, scope) for each in binary]
    if len(found) == 1:
        # The label is that of the mean, at 0 of which the probability is not quite a half.
        least = float(np.nextafter(_EVEN, 1.0))
        return Outputs(both(graph, found[0]), threshold=least, label_by="probability")
    chances = graph.join(found)
    return Outputs(lean(graph, shares(graph, chances), chances))


def _chance(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Return the probability of the second class, [N, 1].

    Rasmussen and Williams, algorithm 3.2, with the logistic function as a sum of error functions
    (Williams and Barber, Bayesian Classification with Gaussian Processes, appendix A).
    """
    graph, points = scope.graph, estimator.X_train_
    if not _depends_on_data(estimator.kernel_):
        scope.refuse("GaussianProcessClassifier has a kernel that no feature moves: use another")
    kernel = _kernel(estimator.kernel_, matrix, points, scope)
    weights = (estimator.y_train_ - estimator.pi_)[:, np.newaxis]
    mean = graph.node("MatMul", kernel, graph.constant(weights))
    scaled = graph.node("Mul", kernel, graph.constant(estimator.W_sr_[np.newaxis]))
    inverse = linalg.solve_triangular(estimator.L_, np.eye(len(points)), lower=True)
    solved = graph.node("MatMul", scaled, graph.constant(inverse.T))
    axis = graph.constant([1], np.int64)
    explained = graph.node("ReduceSumSquare", solved, axis, keepdims=1)
    whole = _variance(estimator.kernel_, matrix, scope)
    variance = graph.node("Sub", whole, explained)
    alpha = graph.node("Div", graph.constant(0.5), variance)
    slopes = graph.constant(LAMBDAS.T)
    flatter = graph.node("Add", alpha, graph.constant(LAMBDAS.T**2))
    stretch = graph.node("Sqrt", graph.node("Div", alpha, flatter))
    bent = graph.node("Mul", graph.node("Mul", slopes, mean), stretch)
    height = graph.node("Sqrt", graph.node("Div", graph.constant(np.pi), alpha))
    spread = graph.node("Sqrt", graph.node("Mul", variance, graph.constant(2 * np.pi)))
    area = graph.node("Div", height, graph.node("Mul", spread, graph.constant(2.0)))
    terms = graph.node("Mul", normal.error_function(graph, bent), area)
    total = graph.node("MatMul", terms, graph.constant(COEFS))
    return matrix.numbers(graph.node("Add", total, graph.constant(_EVEN)), 1)


def _variance(kernel: Estimator, matrix: Matrix, scope: Scope) -> str:
    """Return the kernel of each row with itself: [N, 1], or [1, 1] if constant."""
    graph = scope.graph
    if type(kernel) in _OPERATORS:
        parts = [_variance(part, matrix, scope) for part in (kernel.k1, kernel.k2)]
        return graph.node(_OPERATORS[type(kernel)], *parts)
    if type(kernel) is Exponentiation:
        base = _variance(kernel.kernel, matrix, scope)
        return graph.node("Pow", base, graph.constant(kernel.exponent))
    if isinstance(kernel, DotProduct):
        axis = graph.constant([1], np.int64)
        squares = graph.node("ReduceSumSquare", matrix.tensor, axis, keepdims=1)
        return graph.node("Add", squares, graph.constant(kernel.sigma_0**2))
    if isinstance(kernel, ConstantKernel):
        return graph.constant([[float(kernel.constant_value)]])
    if isinstance(kernel, WhiteKernel):
        return graph.constant([[float(kernel.noise_level)]])
    return graph.constant([[1.0]])


def _kernel(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    """Return the kernel between rows and training points: [N, M], or [1, 1] if constant."""
    graph = scope.graph
    if type(kernel) in _OPERATORS:
        parts = [_kernel(part, matrix, points, scope) for part in (kernel.k1, kernel.k2)]
        return graph.node(_OPERATORS[type(kernel)], *parts)
    if type(kernel) is Exponentiation:
        base = _kernel(kernel.kernel, matrix, points, scope)
        return graph.node("Pow", base, graph.constant(kernel.exponent))
    if type(kernel) not in _LEAVES:
        scope.refuse(
            f"the kernel {type(kernel).__name__} has no exact conversion: "
            "use RBF, Matern, RationalQuadratic, DotProduct, or sums and products of them"
        )
    return _LEAVES[type(kernel)](kernel, matrix, points, scope)


def _depends_on_data(kernel: Estimator) -> bool:
    if type(kernel) in _OPERATORS:
        return _depends_on_data(kernel.k1) or _depends_on_data(kernel.k2)
    if type(kernel) is Exponentiation:
        return _depends_on_data(kernel.kernel)
    return not isinstance(kernel, (ConstantKernel, WhiteKernel))


def _constant(kernel: Estimator, _: Matrix, __: FloatMatrix, scope: Scope) -> str:
    return scope.graph.constant([[kernel.constant_value]])


def _white(_: Estimator, __: Matrix, ___: FloatMatrix, scope: Scope) -> str:
    # Noise is a matter of the training points among themselves.
    return scope.graph.constant([[0.0]])


def _rbf(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    squares = _scaled_squares(kernel, matrix, points, scope)
    return kernels.exponential(scope.graph, squares, 0.5)


def _matern(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    """Rasmussen and Williams, Gaussian Processes for Machine Learning, 4.2.1."""
    graph = scope.graph
    squares = _scaled_squares(kernel, matrix, points, scope)
    if kernel.nu == math.inf:
        return kernels.exponential(graph, squares, 0.5)
    factors = {0.5: 1.0, 1.5: math.sqrt(3), 2.5: math.sqrt(5)}
    if kernel.nu not in factors:
        scope.refuse(
            f"Matern(nu={kernel.nu!r}) has no exact conversion: use nu=0.5, 1.5, 2.5 or inf"
        )
    root = graph.node("Sqrt", squares)
    distance = graph.node("Mul", root, graph.constant(factors[kernel.nu]))
    decay = kernels.exponential(graph, distance, 1.0)
    if kernel.nu == 0.5:
        return decay
    growth = kernels.scaled(graph, distance, 1.0, 1.0)
    if kernel.nu == 2.5:
        third = graph.node("Div", graph.node("Mul", distance, distance), graph.constant(3.0))
        growth = graph.node("Add", growth, third)
    return graph.node("Mul", growth, decay)


def _rational(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    graph = scope.graph
    squares = kernels.squared_distances(graph, matrix, points)
    scale = graph.constant(2 * kernel.alpha * kernel.length_scale**2)
    base = graph.node("Add", graph.node("Div", squares, scale), graph.constant(1.0))
    return graph.node("Pow", base, graph.constant(-kernel.alpha))


def _products(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    products = kernels.dot(scope.graph, matrix, points)
    return kernels.scaled(scope.graph, products, 1.0, kernel.sigma_0**2)


def _scaled_squares(kernel: Estimator, matrix: Matrix, points: FloatMatrix, scope: Scope) -> str:
    scale = np.squeeze(kernel.length_scale).astype(np.float64)
    scaled = matrix.alike(scope.graph.node("Div", matrix.tensor, scope.graph.constant(scale)))
    return kernels.squared_distances(scope.graph, scaled, points / scale)


_LEAVES: Final[dict[type, Kernel]] = {
    ConstantKernel: _constant,
    DotProduct: _products,
    Matern: _matern,
    RBF: _rbf,
    RationalQuadratic: _rational,
    WhiteKernel: _white,
}
CONVERTERS: Final[dict[type, Convert]] = {
    GaussianProcessClassifier: _classifier,
    GaussianProcessRegressor: _regressor,
}
