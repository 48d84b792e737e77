"""Linear models of kernels: ridge regression, the Nystroem approximation, principal components."""

from typing import Final

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from sklambda.arrays import FloatMatrix
from training.convert.graph import kernels
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.kernels import affine
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified

_ONLY: Final[dict[str, tuple[object, ...]]] = {
    "kernel": (*kernels.KERNELS, "polynomial"),
    "kernel_params": (None,),
}


def _ridge(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="alpha gamma degree coef0", only=_ONLY)
    graph = scope.graph
    weights = estimator.dual_coef_.reshape(len(estimator.dual_coef_), -1)
    kernel = _kernel(estimator, matrix, graph, kernels.dense(estimator.X_fit_))
    values = graph.node("MatMul", kernel, graph.constant(weights))
    return Outputs(value=matrix.numbers(values, weights.shape[1]))


def _nystroem(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="gamma coef0 degree n_components random_state n_jobs", only=_ONLY)
    graph = scope.graph
    kernel = _kernel(estimator, matrix, graph, kernels.dense(estimator.components_))
    weights = estimator.normalization_.T
    embedded = graph.node("MatMul", kernel, graph.constant(weights))
    return matrix.numbers(embedded, weights.shape[1])


def _principal(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="n_components gamma degree coef0 alpha fit_inverse_transform eigen_solver tol "
        "max_iter iterated_power remove_zero_eig random_state copy_X n_jobs",
        only=_ONLY,
    )
    graph, centre = scope.graph, estimator._centerer
    kernel = _kernel(estimator, matrix, graph, kernels.dense(estimator.X_fit_))
    mean = graph.node("ReduceMean", kernel, graph.constant([1], np.int64), keepdims=1)
    apart = graph.node("Sub", kernel, graph.constant([centre.K_fit_rows_]))
    moved = graph.node("Sub", apart, mean)
    centred = graph.node("Add", moved, graph.constant(centre.K_fit_all_))
    used = estimator.eigenvalues_ != 0
    roots = np.sqrt(np.where(used, estimator.eigenvalues_, 1.0))
    weights = np.where(used, estimator.eigenvectors_ / roots, 0.0)
    embedded = graph.node("MatMul", centred, graph.constant(weights))
    return matrix.numbers(embedded, weights.shape[1])


def _fourier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="gamma n_components random_state")
    return _cosines(estimator, matrix, np.sqrt(2.0 / estimator.n_components), scope)


def _skewed(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="skewedness n_components random_state")
    graph = scope.graph
    moved = graph.node("Add", matrix.tensor, graph.constant(float(estimator.skewedness)))
    logs = matrix.numbers(graph.node("Log", moved))
    return _cosines(estimator, logs, np.sqrt(2.0) / np.sqrt(estimator.n_components), scope)


def _cosines(estimator: Estimator, matrix: Matrix, scale: float, scope: Scope) -> Matrix:
    graph, weights = scope.graph, estimator.random_weights_
    projected = affine(graph, matrix, weights.T, estimator.random_offset_)
    waves = graph.node("Cos", projected.tensor)
    return projected.alike(graph.node("Mul", waves, graph.constant(scale)))


def _additive(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="sample_steps sample_interval")
    graph, steps, interval = scope.graph, estimator.sample_steps, estimator.sample_interval
    if interval is None:
        interval = {1: 0.8, 2: 0.5, 3: 0.4}[steps]
    nothing = graph.node("Equal", matrix.tensor, graph.constant(0.0))
    positive = graph.node("Where", nothing, graph.constant(1.0), matrix.tensor)
    found = [graph.node("Sqrt", graph.node("Mul", positive, graph.constant(interval)))]
    logs = graph.node("Mul", graph.node("Log", positive), graph.constant(interval))
    doubled = graph.node("Mul", positive, graph.constant(2 * interval))
    for step in range(1, steps):
        height = graph.node("Div", doubled, graph.constant(np.cosh(np.pi * step * interval)))
        turned = graph.node("Mul", logs, graph.constant(float(step)))
        for wave in ("Cos", "Sin"):
            waves = graph.node(wave, turned)
            found.append(graph.node("Mul", graph.node("Sqrt", height), waves))
    zero = graph.constant(0.0)
    return graph.join([matrix.numbers(graph.node("Where", nothing, zero, part)) for part in found])


def _propagated(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="kernel gamma n_neighbors alpha max_iter tol n_jobs")
    if estimator.kernel != "rbf":
        scope.refuse(
            f"{qualified(estimator)}(kernel={estimator.kernel!r}) has no exact conversion: use "
            "kernel='rbf', or KNeighborsClassifier on the rows with labels"
        )
    graph = scope.graph
    squares = kernels.short_squared_distances(graph, matrix, kernels.dense(estimator.X_))
    kernel = kernels.exponential(graph, squares, estimator.gamma)
    weights = estimator.label_distributions_
    summed = graph.node("MatMul", kernel, graph.constant(weights))
    whole = graph.node("ReduceSum", summed, graph.constant([1], np.int64), keepdims=1)
    return Outputs(matrix.numbers(graph.node("Div", summed, whole), weights.shape[1]))


def _kernel(estimator: Estimator, matrix: Matrix, graph: Graph, points: FloatMatrix) -> str:
    """Return ``pairwise_kernels``, [N, M], with its defaults where a parameter is None."""
    gamma = 1.0 / matrix.width if estimator.gamma is None else estimator.gamma
    if estimator.kernel == "rbf":
        squares = kernels.short_squared_distances(graph, matrix, points)
        return kernels.exponential(graph, squares, gamma)
    products = kernels.dot(graph, matrix, points)
    if estimator.kernel == "linear":
        return products
    shift = 1.0 if estimator.coef0 is None else estimator.coef0
    base = kernels.scaled(graph, products, gamma, shift)
    if estimator.kernel == "sigmoid":
        return graph.node("Tanh", base)
    degree = 3.0 if estimator.degree is None else estimator.degree
    return graph.node("Pow", base, graph.constant(degree))


CONVERTERS: Final[dict[type, Convert]] = {
    AdditiveChi2Sampler: _additive,
    LabelPropagation: _propagated,
    LabelSpreading: _propagated,
    RBFSampler: _fourier,
    SkewedChi2Sampler: _skewed,
    KernelPCA: _principal,
    KernelRidge: _ridge,
    Nystroem: _nystroem,
}
