"""A search, or a frozen estimator, equals its inner estimator."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from tests.support.proof import classes, mixed, numbers, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

GRID = {"logisticregression__C": [0.1, 1.0]}
HALVING: dict[str, Any] = {"min_resources": 100, "random_state": 0}  # enough to meet each class


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


ESTIMATORS: dict[str, Callable[[], Any]] = {
    "grid": lambda: GridSearchCV(logistic(), GRID, cv=2),
    "random": lambda: RandomizedSearchCV(logistic(), GRID, n_iter=2, cv=2, random_state=0),
    "halving": lambda: HalvingGridSearchCV(logistic(), GRID, cv=2, **HALVING),
    "halving at random": lambda: HalvingRandomSearchCV(
        logistic(), GRID, n_candidates=2, cv=2, **HALVING
    ),
    "refit by one of two scores": lambda: GridSearchCV(
        logistic(), GRID, cv=2, scoring=["accuracy", "neg_log_loss"], refit="accuracy"
    ),
    "in a pipeline": lambda: make_pipeline(
        StandardScaler(), GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    ),
    "frozen": lambda: FrozenEstimator(logistic()),
}


@pytest.mark.parametrize("criterion", ["threshold", "k_best"])
@pytest.mark.parametrize("count", [2, 3])
def test_a_self_trained_classifier_equals_scikit_learn(count: int, criterion: str) -> None:
    codes = np.unique(classes(count), return_inverse=True)[1]
    known = np.where(np.arange(300) % 3 == 0, -1, codes)  # -1 is "not known"
    trained = SelfTrainingClassifier(logistic(), criterion=criterion)

    prove(trained.fit(numbers(), known), numbers())


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", ESTIMATORS)
def test_a_wrapper_equals_scikit_learn(what: str, count: int) -> None:
    estimator = ESTIMATORS[what]()
    inner = estimator.estimator if what == "frozen" else estimator
    inner.fit(numbers(), classes(count))

    prove(estimator, numbers())


def test_a_search_over_preprocessing_equals_scikit_learn() -> None:
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["grid", "skewed", "whole"]),
            ("categories", OneHotEncoder(handle_unknown="ignore"), ["colour", "plan"]),
        ],
        sparse_threshold=0,
    )
    search = GridSearchCV(
        make_pipeline(columns, LogisticRegression(max_iter=2000)),
        {"columntransformer__numbers__strategy": ["mean", "median"]},
        cv=2,
    )

    prove(search.fit(mixed(), classes(2)), mixed(), full=True)


def test_a_threshold_comes_through_a_search() -> None:
    search = GridSearchCV(FixedThresholdClassifier(logistic()), {"threshold": [0.3]}, cv=2)
    fitted = search.fit(numbers(), classes(2))

    prove(fitted, numbers())

    _, signature = Conversion(fitted, numbers(), kinds_of(numbers())).convert()
    assert signature.target.threshold == 0.3


def test_a_frozen_transformer_is_one_still() -> None:
    frozen = FrozenEstimator(StandardScaler().fit(numbers()))

    prove(make_pipeline(frozen, LogisticRegression()).fit(numbers(), classes(2)), numbers())


def test_a_search_without_refit_is_refused() -> None:
    search = GridSearchCV(logistic(), GRID, cv=2, refit=False).fit(numbers(), classes(2))

    with pytest.raises(ConversionRefused, match=r"GridSearchCV\(refit=False\)"):
        Conversion(search, numbers(), kinds_of(numbers())).convert()


def test_a_step_inside_is_refused_at_its_place() -> None:
    odd = FunctionTransformer(np.cumsum)
    search = GridSearchCV(
        make_pipeline(odd, LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2
    ).fit(numbers(), classes(2))

    with pytest.raises(
        ConversionRefused, match=r"^best_estimator_ > functiontransformer: .*cumsum"
    ):
        Conversion(search, numbers(), kinds_of(numbers())).convert()
