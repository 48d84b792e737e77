"""Predictions that do not depend on the features."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from sklearn.dummy import DummyClassifier, DummyRegressor

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import require_two_classes
from training.convert.graph.scope import Convert, Estimator, Scope


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(
        estimator,
        free="constant random_state",
        only={"strategy": ("most_frequent", "prior", "constant")},
    )
    require_two_classes(estimator, scope)
    # It uses no feature: the probabilities are the same for any row.
    found = estimator.predict_proba([[0.0]])
    if estimator.n_outputs_ == 1:
        return Outputs(repeated(scope.graph, matrix, found))
    return Outputs(
        parts=tuple(
            Outputs(repeated(scope.graph, matrix, row), classes=classes)
            for row, classes in zip(found, estimator.classes_, strict=True)
        )
    )


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="constant quantile strategy")
    return Outputs(value=repeated(scope.graph, matrix, estimator.constant_))


def repeated(graph: Graph, matrix: Matrix, row: ArrayLike) -> Matrix:
    """Return the same row, [C], for each row of the matrix, whatever is in it."""
    values = np.reshape(np.asarray(row, dtype=np.float64), (1, -1))
    rows = graph.node("Shape", matrix.tensor, start=0, end=1)
    shape = graph.node("Concat", rows, graph.constant([1], np.int64), axis=0)
    repeated = graph.node("Expand", graph.constant(values), shape)
    return matrix.numbers(repeated, values.size)


CONVERTERS: Final[dict[type, Convert]] = {
    DummyClassifier: _classifier,
    DummyRegressor: _regressor,
}
