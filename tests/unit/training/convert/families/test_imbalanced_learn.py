"""imbalanced-learn's pipelines and ensembles equal the library's own predictions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn import FunctionSampler
from imblearn.combine import SMOTEENN
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import RandomUnderSampler, TomekLinks
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.proof import classes, mixed, numbers, prove
from training.errors import ConversionRefused


def rare(count: int = 2) -> NDArray[Any]:
    """Make labels of which the last class is rare."""
    labels = classes(count)
    spared = np.random.default_rng(5).random(len(labels)) < 0.25
    return np.where((labels == np.unique(labels)[-1]) & ~spared, np.unique(labels)[0], labels)


SAMPLERS: dict[str, Callable[[], Any]] = {
    "over": lambda: RandomOverSampler(random_state=0),
    "synthetic": lambda: SMOTE(random_state=0, k_neighbors=3),
    "under": lambda: RandomUnderSampler(random_state=0),
    "cleaned": TomekLinks,
    "both": lambda: SMOTEENN(random_state=0),
    "of a function": FunctionSampler,
}
ENSEMBLES: dict[str, Callable[[], Any]] = {
    "bag of trees": lambda: BalancedBaggingClassifier(n_estimators=5, random_state=0),
    "bag of parts of columns": lambda: BalancedBaggingClassifier(
        n_estimators=4, max_features=0.6, bootstrap_features=True, random_state=0
    ),
    "bag with a sampler": lambda: BalancedBaggingClassifier(
        n_estimators=4, sampler=RandomOverSampler(random_state=0), random_state=0
    ),
    "bag of neighbours": lambda: BalancedBaggingClassifier(
        make_pipeline(StandardScaler(), LogisticRegression()), n_estimators=3, random_state=0
    ),
    "easy ensemble": lambda: EasyEnsembleClassifier(n_estimators=3, random_state=0),
    "easy ensemble of linear models": lambda: EasyEnsembleClassifier(
        n_estimators=3, estimator=make_pipeline(StandardScaler(), LogisticRegression())
    ),
    "forest": lambda: BalancedRandomForestClassifier(n_estimators=6, random_state=0),
    "forest of few": lambda: BalancedRandomForestClassifier(
        6, sampling_strategy="all", replacement=False, bootstrap=True, max_depth=4, random_state=0
    ),
    "boosted": lambda: RUSBoostClassifier(n_estimators=6, random_state=0),
    "boosted deep trees": lambda: RUSBoostClassifier(
        DecisionTreeClassifier(max_depth=3), n_estimators=6, replacement=True, random_state=0
    ),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_does_nothing_at_prediction(name: str) -> None:
    frame = mixed()
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["grid", "skewed", "whole"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["colour", "plan"]),
    )
    pipeline = make_pipeline(columns, SAMPLERS[name](), LogisticRegression(max_iter=1000))

    prove(pipeline.fit(frame, rare()), frame)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensemble_equals_imbalanced_learn(name: str) -> None:
    frame, count = numbers(), 2 + [*ENSEMBLES].index(name) % 2

    prove(ENSEMBLES[name]().fit(frame, rare(count)), frame, rounds="linear" in name)


def test_samplers_stand_anywhere_and_several_times() -> None:
    frame = numbers(missing=True)
    steps = [
        ("fill", SimpleImputer()),
        ("over", RandomOverSampler(random_state=0)),
        ("nothing", "passthrough"),
        ("scale", StandardScaler()),
        ("under", RandomUnderSampler(random_state=0)),
        ("vote", KNeighborsClassifier(3)),
    ]

    prove(Pipeline(steps).fit(frame, rare()), frame)


def test_a_pipeline_in_a_search_and_calibrated_equals_imbalanced_learn() -> None:
    frame = numbers()
    pipeline = make_pipeline(
        StandardScaler(), SMOTE(random_state=0, k_neighbors=2), DecisionTreeClassifier(max_depth=3)
    )
    search = GridSearchCV(pipeline, {"smote__k_neighbors": [1, 2]}, cv=2)

    prove(CalibratedClassifierCV(search, cv=2).fit(frame, rare()), frame)


def test_the_step_that_differs_is_named_behind_a_sampler() -> None:
    frame = pd.DataFrame({"x": np.arange(60.0)})
    pipeline = make_pipeline(
        RandomOverSampler(random_state=0), DecisionTreeClassifier(random_state=0)
    )
    pipeline.fit(frame, frame["x"] > 40)
    pipeline.steps.insert(1, ("words", OneHotEncoder(dtype=np.float32).fit(frame)))

    with pytest.raises(ConversionRefused, match=r"^words: .*OneHotEncoder\(dtype=float32\)"):
        prove(pipeline, frame)
