"""Filled missing values and their indicators equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.support.proof import classes, mixed, numbers, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(solver="newton-cholesky"),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
}


def smallest(values: Any) -> Any:
    return values.min()


IMPUTERS: dict[str, Callable[[], Any]] = {
    "mean": lambda: SimpleImputer(),
    "median": lambda: SimpleImputer(strategy="median"),
    "most frequent": lambda: SimpleImputer(strategy="most_frequent"),
    "constant": lambda: SimpleImputer(strategy="constant", fill_value=-1.5),
    "zero": lambda: SimpleImputer(strategy="constant"),
    "function": lambda: SimpleImputer(strategy=smallest),
    "mean, indicator": lambda: SimpleImputer(add_indicator=True),
    "median, indicator": lambda: SimpleImputer(strategy="median", add_indicator=True),
}
CATEGORIES: dict[str, Callable[[], Any]] = {
    "most frequent": lambda: SimpleImputer(strategy="most_frequent"),
    "constant": lambda: SimpleImputer(strategy="constant", fill_value="none at all"),
    "default": lambda: SimpleImputer(strategy="constant"),
    "indicator": lambda: SimpleImputer(strategy="most_frequent", add_indicator=True),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", IMPUTERS)
def test_filled_numbers_equal_scikit_learn(name: str, model: str) -> None:
    frame = numbers(missing=True).drop(columns=["large", "constant"])

    prove(make_pipeline(IMPUTERS[name](), MODELS[model]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", CATEGORIES)
def test_filled_strings_equal_scikit_learn(name: str, model: str) -> None:
    frame = mixed()[["colour", "plan"]]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = make_pipeline(CATEGORIES[name](), encoder, MODELS[model]())

    prove(pipeline.fit(frame, classes(3)), frame)


@pytest.mark.parametrize("unknown", ["ignore", "error"])
def test_a_string_for_missing_numbers_is_no_category_of_theirs(unknown: str) -> None:
    frame = mixed()[["colour"]].assign(rooms=np.arange(300) % 5)
    steps = (
        SimpleImputer(strategy="constant", fill_value="none"),
        OneHotEncoder(handle_unknown=unknown),
    )

    prove(make_pipeline(*steps, MODELS["linear"]()).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:Skipping features without")  # said by scikit-learn on purpose
@pytest.mark.parametrize("indicator", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_columns_without_any_value_are_dropped_or_kept(
    strategy: str, keep: bool, indicator: bool
) -> None:
    frame = numbers()[["grid", "skewed"]].assign(empty=-1.0)
    frame.iloc[::9, 0] = -1.0
    imputer = SimpleImputer(
        missing_values=-1, strategy=strategy, keep_empty_features=keep, add_indicator=indicator
    )

    prove(make_pipeline(imputer, MODELS["trees"]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("value", [-1, 0.0, 2.5])
def test_another_value_may_stand_for_missing(value: float, model: str) -> None:
    frame = numbers()[["grid", "skewed"]].astype(float)
    frame.iloc[::9, 0] = value
    imputer = SimpleImputer(missing_values=value, add_indicator=True)

    prove(make_pipeline(imputer, MODELS[model]()).fit(frame, classes(2)), frame)


def test_missing_as_pandas_has_it_is_missing() -> None:
    frame = mixed()[["colour", "plan"]]
    imputer = SimpleImputer(missing_values=pd.NA, strategy="most_frequent")
    pipeline = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"), MODELS["linear"]())

    prove(pipeline.fit(frame, classes(2)), frame)


@pytest.mark.parametrize("model", MODELS)
def test_missing_as_pandas_has_it_is_missing_among_numbers(model: str) -> None:
    frame = numbers()[["grid", "skewed"]].astype("Float64")
    frame.iloc[::9, 0] = pd.NA
    imputer = SimpleImputer(missing_values=pd.NA, add_indicator=True)

    prove(make_pipeline(imputer, MODELS[model]()).fit(frame, classes(2)), frame)


def test_none_for_missing_is_refused() -> None:
    frame = mixed()[["colour"]].astype(object)
    frame = frame.where(frame.notna(), None)
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")

    with pytest.raises(ConversionRefused, match=r"missing_values=None.*: use missing_values=np"):
        Conversion(make_pipeline(imputer).fit(frame), frame, kinds_of(frame)).convert()


def test_a_string_may_stand_for_missing() -> None:
    frame = mixed(missing=False)[["colour", "plan"]].astype(object)
    imputer = SimpleImputer(missing_values="", strategy="most_frequent")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)

    fitted = make_pipeline(imputer, encoder, MODELS["linear"]()).fit(frame, classes(2))
    prove(fitted, frame, full=True)


@pytest.mark.parametrize(
    "indicator",
    [
        MissingIndicator(),
        MissingIndicator(features="all"),
        MissingIndicator(error_on_new=False, sparse=False),
    ],
    ids=["new ones refused", "all", "new ones passed over"],
)
@pytest.mark.parametrize("model", MODELS)
def test_indicators_equal_scikit_learn(indicator: Any, model: str) -> None:
    frame = numbers(missing=True)[["grid", "skewed", "whole"]]
    union = FeatureUnion([("filled", SimpleImputer()), ("missing", indicator)])

    prove(make_pipeline(union, MODELS[model]()).fit(frame, classes(2)), frame)


def test_an_indicator_of_another_value_is_refused() -> None:
    frame = numbers()[["grid", "whole"]]
    fitted = make_pipeline(MissingIndicator(missing_values=0, features="all"), MODELS["linear"]())

    with pytest.raises(ConversionRefused, match=r"^missingindicator: .*missing_values=0"):
        Conversion(fitted.fit(frame, classes(2)), frame, kinds_of(frame)).convert()


@pytest.mark.filterwarnings("ignore:Skipping features without")  # said by scikit-learn on purpose
def test_an_imputer_that_met_nothing_is_refused() -> None:
    frame = pd.DataFrame({"empty": np.full(300, np.nan)})
    imputer = make_pipeline(SimpleImputer()).fit(frame)

    with pytest.raises(ConversionRefused, match="met no value"):
        Conversion(imputer, frame, kinds_of(frame)).convert()


ITERATIVE: dict[str, dict[str, Any]] = {
    "default": {},
    "from the median, indicated": {"initial_strategy": "median", "add_indicator": True},
    "few neighbours, bounded": {"n_nearest_features": 2, "min_value": 0.0, "max_value": 2.0},
    "in random order, once": {"imputation_order": "random", "max_iter": 1, "skip_complete": True},
    "of neighbours": {"estimator": KNeighborsRegressor(3), "max_iter": 2},
    "of a forest": {"estimator": ExtraTreesRegressor(3, random_state=0), "max_iter": 2},
    "of trees": {"estimator": HistGradientBoostingRegressor(max_iter=3), "max_iter": 2},
    "ridge": {"estimator": Ridge(), "tol": 0.1},
}


@pytest.mark.filterwarnings("ignore:.*Early stopping criterion not reached")
@pytest.mark.parametrize("name", ITERATIVE)
def test_values_imputed_in_rounds_equal_scikit_learn(name: str) -> None:
    frame = numbers(missing=True)[["grid", "skewed", "whole"]]
    imputer = IterativeImputer(random_state=0, **ITERATIVE[name])

    prove(make_pipeline(imputer, MODELS["linear"]()).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:Skipping features without")  # said by scikit-learn on purpose
@pytest.mark.filterwarnings("ignore:.*Early stopping criterion not reached")
def test_rounds_pass_over_columns_without_any_value() -> None:
    frame = numbers(missing=True)[["grid", "skewed"]].assign(empty=np.nan)
    imputer = IterativeImputer(max_iter=2, add_indicator=True)

    prove(make_pipeline(imputer, MODELS["linear"]()).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:Skipping features without")  # said by scikit-learn on purpose
@pytest.mark.filterwarnings("ignore:.*Early stopping criterion not reached")
@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"sample_posterior": True}, "draws other values .*: fit it with"),
        ({"keep_empty_features": True}, "fails on a lone row.*: leave the column out"),
    ],
    ids=["drawn", "kept without a value"],
)
def test_rounds_that_cannot_be_exact_are_refused(parameters: dict[str, Any], reason: str) -> None:
    frame = numbers(missing=True)[["grid", "skewed"]].assign(empty=np.nan)
    imputer = make_pipeline(IterativeImputer(max_iter=1, **parameters)).fit(frame)

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(imputer, frame, kinds_of(frame)).convert()


def test_values_of_neighbours_are_refused() -> None:
    frame = numbers(missing=True)
    imputer = make_pipeline(KNNImputer()).fit(frame)

    with pytest.raises(
        ConversionRefused,
        match=r"sklearn\.impute\.KNNImputer .* at equal distances .*: use IterativeImputer",
    ):
        Conversion(imputer, frame, kinds_of(frame)).convert()
