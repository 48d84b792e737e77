"""feature-engine's imputers, encoders, selectors and wrappers equal the library's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_engine import encoding, imputation, selection
from feature_engine.outliers import OutlierTrimmer
from feature_engine.pipeline import Pipeline
from feature_engine.preprocessing import MatchCategories
from feature_engine.timeseries.forecasting import LagFeatures
from feature_engine.wrappers import SklearnTransformerWrapper
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.support.proof import classes, mixed, prove
from tests.support.releases import OUTDATED_PANDAS
from training.errors import ConversionRefused

# Of fitting: pandas 4 is not here yet, and rare labels are few.
pytestmark = [
    OUTDATED_PANDAS,
    pytest.mark.filterwarnings("ignore::UserWarning:feature_engine"),
]


def trees() -> Any:
    return HistGradientBoostingClassifier(max_iter=5, random_state=0)


ENCODERS: dict[str, Callable[[], Any]] = {
    "counts": lambda: encoding.CountFrequencyEncoder(unseen="encode"),
    "counts of whole numbers": lambda: encoding.CountFrequencyEncoder(
        variables=["whole", "colour", "plan"], ignore_format=True, unseen="encode"
    ),
    "means": lambda: encoding.MeanEncoder(smoothing="auto"),
    "one hot": encoding.OneHotEncoder,
    "one hot, of the usual": lambda: encoding.OneHotEncoder(top_categories=2),
    "ordinal": lambda: encoding.OrdinalEncoder(unseen="encode"),
    "ordinal, strict": lambda: encoding.OrdinalEncoder(unseen="raise"),
    "rare": lambda: make_pipeline(
        encoding.RareLabelEncoder(tol=0.19, n_categories=1), encoding.OneHotEncoder()
    ),
    "trees": lambda: encoding.DecisionTreeEncoder(
        regression=False, scoring="roc_auc", cv=2, random_state=0, precision=3
    ),
    "woe": lambda: encoding.WoEEncoder(fill_value=0.1),
}
IMPUTERS: dict[str, Callable[[], Any]] = {
    "a number": lambda: imputation.ArbitraryNumberImputer(imputer_dict={"grid": -5, "skewed": 1.5}),
    "the end": lambda: imputation.EndTailImputer("iqr", "left", fold=2),
    "the mean": lambda: imputation.MeanMedianImputer("mean", variables=["grid"]),
    "the median": imputation.MeanMedianImputer,
    "flags": lambda: imputation.AddMissingIndicator(missing_only=False),
}
SELECTORS: dict[str, Callable[[], Any]] = {
    "by name": lambda: selection.DropFeatures(["whole", "plan"]),
    "constant": lambda: selection.DropConstantFeatures(tol=0.9),
    "correlated": lambda: selection.DropCorrelatedFeatures(),
    "doubled": selection.DropDuplicateFeatures,
    "shuffled": lambda: selection.SelectByShuffling(trees(), cv=2, random_state=0),
}
WRAPPED: dict[str, Callable[[], Any]] = {
    "scaled": lambda: SklearnTransformerWrapper(StandardScaler(), ["grid", "skewed"]),
    "one hot": lambda: SklearnTransformerWrapper(
        OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["colour"]
    ),
    "multiplied": lambda: SklearnTransformerWrapper(PolynomialFeatures(2), ["grid", "whole"]),
    "selected": lambda: SklearnTransformerWrapper(SelectKBest(k=1), ["grid", "skewed"]),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_equals_feature_engine(name: str) -> None:
    frame = mixed(missing=False)

    prove(make_pipeline(ENCODERS[name](), trees()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_an_encoder_takes_each_dtype(dtype: str) -> None:
    frame = mixed(missing=False).astype({"colour": dtype, "plan": dtype})

    prove(make_pipeline(ENCODERS["rare"](), trees()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", IMPUTERS)
def test_an_imputer_equals_feature_engine(name: str) -> None:
    frame = mixed()
    categories = imputation.CategoricalImputer(fill_value="none at all")
    steps = (IMPUTERS[name](), categories, encoding.OneHotEncoder(), trees())

    prove(make_pipeline(*steps).fit(frame, classes(2)), frame)


def test_encoders_that_pass_missing_values_on_equal_feature_engine() -> None:
    frame = mixed()
    rare = encoding.RareLabelEncoder(0.19, n_categories=1, missing_values="ignore")
    mean = encoding.MeanEncoder(missing_values="ignore", unseen="encode")

    prove(make_pipeline(rare, mean, trees()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", SELECTORS)
def test_a_selector_equals_feature_engine(name: str) -> None:
    frame = mixed(missing=False)
    frame = frame.assign(again=frame["grid"], constant=2.5, twice=2 * frame["skewed"] + 1e-6)
    if name not in ("by name", "constant", "doubled"):
        frame = frame.drop(columns=["colour", "plan"])
    last = make_column_transformer(
        (StandardScaler(), lambda table: [name for name in ("skewed", "grid") if name in table]),
        (OneHotEncoder(handle_unknown="ignore"), lambda table: [*set(table) & {"colour"}]),
    )
    steps = (SELECTORS[name](), last, trees())

    prove(make_pipeline(*steps).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", WRAPPED)
def test_a_wrapped_transformer_equals_feature_engine(name: str) -> None:
    frame = mixed(missing=False)
    steps = [("wrapped", WRAPPED[name]()), ("encode", encoding.OneHotEncoder()), ("last", trees())]

    prove(Pipeline(steps).fit(frame, classes(2)), frame)


def test_matched_categories_equal_feature_engine() -> None:
    frame = mixed().astype({"colour": "category", "plan": "category"})
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")

    prove(
        make_pipeline(MatchCategories(missing_values="ignore"), model).fit(frame, classes(2)), frame
    )


def test_transformers_in_a_column_transformer_before_a_linear_model_equal_feature_engine() -> None:
    frame = mixed()
    columns = make_column_transformer(
        (make_pipeline(imputation.MeanMedianImputer(), StandardScaler()), ["grid", "skewed"]),
        (
            make_pipeline(
                imputation.CategoricalImputer(),
                encoding.RareLabelEncoder(tol=0.1, n_categories=1),
                encoding.OneHotEncoder(),
            ),
            ["plan", "colour"],
        ),
    )

    prove(make_pipeline(columns, LogisticRegression()).fit(frame, classes(3)), frame)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "drawn values": (
        imputation.RandomSampleImputer,
        "RandomSampleImputer .* use MeanMedianImputer",
    ),
    "fewer rows": (imputation.DropMissingData, "DropMissingData drops rows .*: drop them before"),
    "no outliers": (
        lambda: OutlierTrimmer(variables=["whole"]),
        "OutlierTrimmer drops rows .* or use MeanMedianImputer or Winsorizer",
    ),
    "other rows": (
        lambda: LagFeatures(variables=["whole"]),
        "LagFeatures computes a row from the rows before it.*: compute these columns before",
    ),
    "spelling": (
        encoding.StringSimilarityEncoder,
        "StringSimilarityEncoder compares how categories are written.*: use feature_engine.Ordinal",
    ),
    "strings among numbers": (
        lambda: encoding.RareLabelEncoder(0.1, 1, variables=["whole"], ignore_format=True),
        "RareLabelEncoder makes strings and numbers of 'whole': have it make one of them",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_conversion_is_refused_with_what_to_do(name: str) -> None:
    make, reason = REFUSED[name]
    frame = mixed(missing=False).drop(columns="plan")
    step = make().fit(frame)
    model = trees().fit(frame[["grid"]], classes(2))
    pipeline = Pipeline([("first", step), ("last", model)])

    with pytest.raises(ConversionRefused, match=rf"^first: feature_engine\.{reason}"):
        prove(pipeline, frame)


def test_a_column_without_a_value_stays_as_it_is() -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "empty": np.full(60, np.nan)})
    tree = DecisionTreeClassifier(max_depth=2)

    prove(make_pipeline(imputation.MeanMedianImputer(), tree).fit(frame, frame["x"] > 9), frame)
