"""Multi-layer perceptrons equal scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove, values

# A few steps are enough: what is compared is how it predicts, not how well; more iterations
# would be needed to converge, and scikit-learn warns.
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "relu": lambda: MLPClassifier((8,), max_iter=30, random_state=0),
    "tanh, two layers": lambda: MLPClassifier((6, 4), activation="tanh", max_iter=30),
    "logistic": lambda: MLPClassifier((5,), activation="logistic", max_iter=30),
    "identity": lambda: MLPClassifier((5,), activation="identity", max_iter=30),
    "no hidden layer": lambda: MLPClassifier((), max_iter=30, random_state=0),
    "early stopping": lambda: MLPClassifier((5,), early_stopping=True, max_iter=30),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "relu": lambda: MLPRegressor(hidden_layer_sizes=(8,), max_iter=30, random_state=0),
    "tanh, two layers": lambda: MLPRegressor(
        hidden_layer_sizes=(6, 4), activation="tanh", max_iter=30
    ),
    "logistic": lambda: MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", max_iter=30),
    "identity": lambda: MLPRegressor(hidden_layer_sizes=(5,), activation="identity", max_iter=30),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLASSIFIERS[name]().set_params(random_state=1))

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_equals_scikit_learn(name: str, outputs: int) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), REGRESSORS[name]().set_params(random_state=1))

    prove(pipeline.fit(frame, values(outputs)), frame)


def test_counts_with_an_exponential_link_equal_scikit_learn() -> None:
    frame = numbers()[["grid", "whole"]]
    regressor = MLPRegressor(
        hidden_layer_sizes=(5,), activation="tanh", loss="poisson", max_iter=30, random_state=0
    )

    prove(regressor.fit(frame, values()), frame, full=True)


def test_a_classifier_without_a_scaler_equals_scikit_learn() -> None:
    frame = numbers()[["grid", "skewed", "whole"]]

    prove(MLPClassifier((8,), max_iter=30, random_state=0).fit(frame, classes(3)), frame)


def test_several_labels_a_row_equal_scikit_learn() -> None:
    frame = numbers()[["grid", "skewed", "whole"]]
    labels = np.column_stack([classes(2), np.arange(len(frame)) % 2])

    prove(MLPClassifier((3,), max_iter=30, random_state=0).fit(frame, labels), frame)
