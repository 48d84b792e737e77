"""AdaBoost equals scikit-learn's."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.support.proof import classes, numbers, prove, values
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "stumps": lambda: AdaBoostClassifier(n_estimators=8, random_state=0),
    "trees": lambda: AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=8, learning_rate=0.5, random_state=0
    ),
    "one tree": lambda: AdaBoostClassifier(DecisionTreeClassifier(), random_state=0),
    "boosting": lambda: AdaBoostClassifier(
        HistGradientBoostingClassifier(max_iter=2), n_estimators=3, random_state=0
    ),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers()

    prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)


def test_a_classifier_behind_a_scaler_equals_scikit_learn() -> None:
    frame = numbers().drop(columns="tiny")
    pipeline = make_pipeline(StandardScaler(), CLASSIFIERS["trees"]())

    prove(pipeline.fit(frame, classes(2)), frame, full=True)


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize("depth", [1, 3, None])
def test_a_regressor_equals_scikit_learn(depth: int | None, loss: str) -> None:
    frame = numbers()
    tree = DecisionTreeRegressor(max_depth=depth)
    regressor = AdaBoostRegressor(tree, n_estimators=8, loss=loss, random_state=0)

    report = prove(regressor.fit(frame, values()), frame)

    assert report.max_difference == 0


def test_a_regressor_of_other_than_trees_is_refused() -> None:
    frame = numbers()
    inner = HistGradientBoostingRegressor(max_iter=2)
    fitted = AdaBoostRegressor(inner, n_estimators=2).fit(frame, values())

    with pytest.raises(ConversionRefused, match="HistGradientBoostingRegressor"):
        Conversion(fitted, frame, kinds_of(frame)).convert()
