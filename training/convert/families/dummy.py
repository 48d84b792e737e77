"""Predictions that do not depend on the features."""

from typing import Final

from sklearn.dummy import DummyClassifier, DummyRegressor

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs, repeated
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


CONVERTERS: Final[dict[type, Convert]] = {
    DummyClassifier: _classifier,
    DummyRegressor: _regressor,
}
