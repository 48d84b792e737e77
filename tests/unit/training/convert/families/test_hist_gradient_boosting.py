"""Boosted trees equal scikit-learn's for each loss, initial score and kind of categories."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.support.proof import classes, mixed, numbers, prove, values
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion


def gradient(**parameters: Any) -> GradientBoostingClassifier:
    return GradientBoostingClassifier(n_estimators=6, random_state=0, **parameters)


def histogram(**parameters: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=6, **parameters)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "gradient": gradient,
    "gradient from zero": lambda: gradient(init="zero"),
    "gradient from a tree": lambda: gradient(init=DecisionTreeClassifier(max_depth=2)),
    "gradient from a forest": lambda: gradient(init=RandomForestClassifier(3, max_depth=3)),
    "gradient, stopped early": lambda: gradient(n_iter_no_change=1, subsample=0.5),
    "histogram": histogram,
    "histogram, balanced": lambda: histogram(class_weight="balanced", max_leaf_nodes=4),
    "histogram of a category": lambda: histogram(categorical_features=["whole"]),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers()

    prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)


@pytest.mark.parametrize("init", [None, "zero", DecisionTreeClassifier(max_depth=2)])
def test_exponential_loss_equals_scikit_learn(init: Any) -> None:
    frame = numbers()

    prove(gradient(loss="exponential", init=init).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("make", [gradient, histogram])
def test_behind_a_scaler_ties_are_decided_as_scikit_learn_does(make: Callable[..., Any]) -> None:
    frame = numbers().drop(columns="tiny")

    prove(make_pipeline(StandardScaler(), make()).fit(frame, classes(3)), frame)


@pytest.mark.parametrize("make", [gradient, histogram])
def test_a_raw_score_of_zero_gives_the_class_that_scikit_learn_gives(
    make: Callable[..., Any],
) -> None:
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0, 2.0], 100)})
    labels = np.concatenate([np.zeros(100), np.tile([0, 1], 50), np.ones(100)]).astype(int)

    prove(make(learning_rate=0.5).fit(frame, labels), frame)


@pytest.mark.parametrize("init", [HistGradientBoostingRegressor(max_iter=2), LinearSVR(C=0.01)])
def test_a_start_that_computes_in_float64_equals_scikit_learn(init: Any) -> None:
    frame = numbers().drop(columns="large")

    prove(GradientBoostingRegressor(init=init, n_estimators=3).fit(frame, values()), frame)


@pytest.mark.parametrize("init", [None, "zero", DecisionTreeRegressor(max_depth=2)])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_gradient_regression_equals_scikit_learn(loss: str, init: Any) -> None:
    frame = numbers()
    fitted = GradientBoostingRegressor(loss=loss, init=init, n_estimators=6).fit(frame, values())

    report = prove(fitted, frame)

    # What a tree starts from is added after the sum of the others, not before it.
    assert report.max_difference <= (0 if init in (None, "zero") else 1e-15)


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "gamma", "poisson", "quantile"]
)
def test_histogram_regression_equals_scikit_learn(loss: str) -> None:
    frame = numbers(missing=True)
    regressor = HistGradientBoostingRegressor(
        loss=loss, quantile=0.3, max_iter=6, categorical_features=["whole"]
    )

    prove(regressor.fit(frame, values()), frame)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("names", [["colour", "plan"], [3, 4], [False, False, True, True, True]])
def test_categories_of_its_own_equal_scikit_learn(names: Any, missing: bool) -> None:
    frame = mixed(missing)

    prove(histogram(categorical_features=names).fit(frame, classes(3)), frame)


@pytest.mark.parametrize("count", [2, 3])
def test_columns_of_the_category_dtype_equal_scikit_learn(count: int) -> None:
    frame = mixed().astype({"colour": "category", "plan": "category"})

    prove(histogram(categorical_features="from_dtype").fit(frame, classes(count)), frame)


def test_a_category_that_decides_alone_equals_scikit_learn() -> None:
    frame = mixed()[["colour", "whole"]]
    target = frame["colour"].isin(["red", "blue"]).astype(float) + frame["whole"].isin([1, 7, 8])
    regressor = HistGradientBoostingRegressor(
        max_iter=6, min_samples_leaf=5, categorical_features=[0, 1]
    )

    prove(regressor.fit(frame, target), frame, full=True)


@pytest.mark.parametrize("shift", [-5.0, 0.5, 1e10])
def test_numbers_that_are_categories_are_compared_as_they_are(shift: float) -> None:
    frame = pd.DataFrame({"code": numbers()["whole"] + shift, "grid": numbers()["grid"]})

    prove(histogram(categorical_features=[0]).fit(frame, classes(2)), frame)


def test_more_categories_than_a_machine_word_has_bits_equal_scikit_learn() -> None:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame({"code": [f"c{code}" for code in generator.integers(0, 99, 900)]})
    target = np.sin(frame["code"].str[1:].astype(int)) + 2
    regressor = HistGradientBoostingRegressor(
        max_iter=4, min_samples_leaf=2, categorical_features=[0]
    )

    prove(regressor.fit(frame, target), frame)


def test_a_start_that_computes_in_float32_is_refused() -> None:
    frame = numbers()
    regressor = GradientBoostingRegressor(init=LinearRegression(), n_estimators=2)
    fitted = regressor.fit(frame, values())

    with pytest.raises(
        ConversionRefused, match=r"linear_model\.LinearRegression as init .*: use init="
    ):
        Conversion(fitted, frame, kinds_of(frame)).convert()


def test_behind_a_column_transformer_categories_are_found() -> None:
    frame = mixed()
    columns = make_column_transformer(
        ("passthrough", make_column_selector(dtype_exclude="number")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    pipeline = make_pipeline(columns, histogram(categorical_features=[0, 1]))

    prove(pipeline.fit(frame, classes(2)), frame)
