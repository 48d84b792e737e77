"""A single tree equals scikit-learn's, to the last bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tests.support.proof import classes, numbers, prove, values
from training.convert.graph.trees import last_left
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "decision tree": lambda: DecisionTreeClassifier(random_state=0),
    "of impure leaves": lambda: DecisionTreeClassifier(
        min_samples_leaf=20, class_weight="balanced"
    ),
    "of one leaf": lambda: DecisionTreeClassifier(min_samples_leaf=200),
    "of two leaves": lambda: DecisionTreeClassifier(max_depth=1),
    "extra tree": lambda: ExtraTreeClassifier(max_depth=5, random_state=0),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "decision tree": lambda: DecisionTreeRegressor(random_state=0),
    "absolute error": lambda: DecisionTreeRegressor(criterion="absolute_error", max_depth=4),
    "of one leaf": lambda: DecisionTreeRegressor(min_samples_leaf=200),
    "extra tree": lambda: ExtraTreeRegressor(max_depth=5, random_state=0),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers()

    report = prove(CLASSIFIERS[name]().fit(frame, classes(count)), frame)

    assert report.max_difference == 0


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_equals_scikit_learn(name: str, outputs: int) -> None:
    frame = numbers()

    report = prove(REGRESSORS[name]().fit(frame, values(outputs)), frame)

    assert report.max_difference == 0


@pytest.mark.parametrize("make", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_missing_values_take_the_branch_that_was_learnt(make: Callable[..., Any]) -> None:
    frame = numbers(missing=True)

    report = prove(make(max_depth=6, random_state=0).fit(frame, classes(3)), frame)

    assert report.rows["missing"] > 0


def test_a_tree_behind_a_scaler_decides_ties_as_scikit_learn_does() -> None:
    frame = numbers(missing=True).drop(columns="tiny")
    pipeline = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))

    prove(pipeline.fit(frame, classes(3)), frame, full=True)


@pytest.mark.parametrize("make", [DecisionTreeClassifier, ExtraTreeClassifier])
def test_several_targets_of_a_classifier_equal_scikit_learn(make: Callable[..., Any]) -> None:
    frame = numbers()
    labels = np.column_stack([classes(2).astype(str), classes(3)]).astype(object)

    prove(make(max_depth=5, random_state=0).fit(frame, labels), frame)


def test_a_single_class_is_refused() -> None:
    frame = numbers()
    fitted = DecisionTreeClassifier().fit(frame, np.zeros(len(frame), dtype=int))

    with pytest.raises(ConversionRefused, match="one class only"):
        Conversion(fitted, frame, kinds_of(frame)).convert()


def test_a_threshold_in_float64_parts_as_a_comparison_in_float32_does() -> None:
    generator = np.random.default_rng(0)
    around_zero = np.arange(-9, 9) * float(np.finfo(np.float32).smallest_subnormal) / 2
    most = float(np.finfo(np.float32).max)
    spread = generator.normal(size=10_000) * 10.0 ** generator.integers(-46, 38, 10_000)
    thresholds = np.concatenate([spread, spread.astype(np.float32), around_zero, [most, -most]])

    ends = last_left(thresholds)

    with np.errstate(over="ignore"):
        assert (ends.astype(np.float32) <= thresholds).all()
        assert (np.nextafter(ends, np.inf).astype(np.float32) > thresholds).all()
    np.testing.assert_array_equal(last_left(np.array([np.inf])), [np.inf])
