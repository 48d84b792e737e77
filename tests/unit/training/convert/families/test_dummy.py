"""Predictions that do not depend on the features equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove, values
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

REGRESSORS: dict[str, Callable[[], Any]] = {
    "mean": lambda: DummyRegressor(),
    "median": lambda: DummyRegressor(strategy="median"),
    "quantile": lambda: DummyRegressor(strategy="quantile", quantile=0.9),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
def test_a_classifier_equals_scikit_learn(strategy: str, scaled: bool, count: int) -> None:
    frame, labels = numbers(), classes(count)
    classifier = DummyClassifier(strategy=strategy, constant=labels[0])
    pipeline = make_pipeline(StandardScaler(), classifier) if scaled else classifier

    prove(pipeline.fit(frame, labels), frame)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_equals_scikit_learn(name: str, scaled: bool, outputs: int) -> None:
    frame, regressor = numbers(), REGRESSORS[name]()
    pipeline = make_pipeline(StandardScaler(), regressor) if scaled else regressor

    prove(pipeline.fit(frame, values(outputs)), frame, full=name == next(iter(REGRESSORS)))


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_what_is_drawn_by_lot_is_refused(strategy: str) -> None:
    frame = numbers()
    classifier = DummyClassifier(strategy=strategy).fit(frame, classes(2))

    with pytest.raises(ConversionRefused, match=rf"DummyClassifier\(strategy='{strategy}'\)"):
        Conversion(classifier, frame, kinds_of(frame)).convert()


@pytest.mark.parametrize("strategy", ["most_frequent", "prior", "constant"])
def test_several_targets_equal_scikit_learn(strategy: str) -> None:
    target = np.column_stack([classes(2).astype(str), classes(3)])
    classifier = DummyClassifier(strategy=strategy, constant=target[0])

    prove(classifier.fit(numbers(), target), numbers())


def test_one_class_is_refused() -> None:
    classifier = DummyClassifier().fit(numbers(), np.ones(300))

    with pytest.raises(ConversionRefused, match="has seen one class only"):
        Conversion(classifier, numbers(), kinds_of(numbers())).convert()
