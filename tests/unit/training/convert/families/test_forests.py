"""Forests equal scikit-learn's, to the last bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import load_from_string
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import ExtraTreeClassifier

from sklambda.session import Session
from tests.support.proof import classes, numbers, prove, values
from training.convert import convert

CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "random forest": lambda: RandomForestClassifier(9, random_state=0),
    "of impure leaves": lambda: RandomForestClassifier(9, min_samples_leaf=9, random_state=0),
    "balanced": lambda: RandomForestClassifier(9, class_weight="balanced", max_depth=4),
    "extra trees": lambda: ExtraTreesClassifier(9, bootstrap=True, max_depth=6, random_state=0),
    "bagging": lambda: BaggingClassifier(n_estimators=7, max_features=0.5, random_state=0),
    "bagging of few rows": lambda: BaggingClassifier(
        ExtraTreeClassifier(), max_samples=4, random_state=0
    ),
    "bagging of boosting": lambda: BaggingClassifier(
        HistGradientBoostingClassifier(max_iter=2), 3, max_features=0.5, random_state=0
    ),
}
REGRESSORS: dict[str, Callable[..., Any]] = {
    "random forest": lambda: RandomForestRegressor(9, random_state=0),
    "extra trees": lambda: ExtraTreesRegressor(9, random_state=0),
    "bagging": lambda: BaggingRegressor(
        n_estimators=7, max_features=0.5, bootstrap_features=True, random_state=0
    ),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers(missing=True)

    prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_equals_scikit_learn(name: str, outputs: int) -> None:
    frame = numbers(missing=True)

    report = prove(REGRESSORS[name]().fit(frame, values(outputs)), frame)

    assert report.max_difference == 0


@pytest.mark.parametrize("name", ["random forest", "of impure leaves", "extra trees", "bagging"])
def test_forests_are_the_same_to_the_last_bit(name: str) -> None:
    frame = numbers()

    report = prove(CLASSIFIERS[name]().fit(frame, classes(2)), frame)

    assert report.max_difference == 0


@pytest.mark.parametrize("name", ["random forest", "extra trees", "bagging"])
def test_a_forest_behind_a_scaler_decides_ties_as_scikit_learn_does(name: str) -> None:
    frame = numbers(missing=True).drop(columns="tiny")

    prove(make_pipeline(StandardScaler(), CLASSIFIERS[name]()).fit(frame, classes(2)), frame)


def test_a_bag_of_linear_models_equals_scikit_learn() -> None:
    frame = numbers()
    bag = BaggingClassifier(make_pipeline(StandardScaler(), LogisticRegression()), 4)

    prove(bag.fit(frame, classes(3)), frame, full=True)


@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize("count", [2, 3])
def test_a_forest_of_several_nodes_is_the_same_to_the_last_bit(count: int, least: int) -> None:
    frame, labels = numbers(rows=3000), classes(count, rows=3000)
    forest = RandomForestClassifier(120, min_samples_leaf=least, random_state=0).fit(frame, labels)
    model = convert(forest, [None] * frame.shape[1]).model

    found = Session(model).run(frame.to_numpy(dtype=np.float64))

    assert sum(node.op_type == "TreeEnsemble" for node in load_from_string(model).graph.node) > 1
    np.testing.assert_array_equal(found, forest.predict_proba(frame))


def test_large_values_of_both_signs_are_summed_in_the_order_of_the_trees() -> None:
    frame, target = numbers(rows=3000), values(rows=3000)
    forest = RandomForestRegressor(30, random_state=0).fit(frame, 1e9 * (target - target.mean()))
    model = convert(forest, [None] * frame.shape[1]).model

    found = Session(model).run(frame.to_numpy(dtype=np.float64))

    np.testing.assert_array_equal(found[:, 0], forest.predict(frame))
