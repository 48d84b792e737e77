"""Encoders of category_encoders equal the library's own: known, unseen, rare and missing ones."""

from collections.abc import Callable
from typing import Any

import category_encoders as ce
import numpy as np
import pandas as pd
import pytest
from category_encoders.wrapper import NestedCVWrapper, PolynomialWrapper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, mixed, prove
from tests.support.releases import OUTDATED_PANDAS
from training.errors import ConversionRefused

pytestmark = OUTDATED_PANDAS  # of fitting

ENCODERS: dict[str, Callable[[], Any]] = {
    "backward difference": ce.BackwardDifferenceEncoder,
    "base 3": lambda: ce.BaseNEncoder(base=3),
    "binary": ce.BinaryEncoder,
    "catboost": lambda: ce.CatBoostEncoder(a=2, sigma=0.1, random_state=0),
    "count": ce.CountEncoder,
    "count, rare ones together": lambda: ce.CountEncoder(min_group_size=40, normalize=True),
    "gray": ce.GrayEncoder,
    "helmert": ce.HelmertEncoder,
    "james stein": ce.JamesSteinEncoder,
    "leave one out": lambda: ce.LeaveOneOutEncoder(sigma=0.2, random_state=0),
    "m-estimate": lambda: ce.MEstimateEncoder(m=3),
    "one hot": lambda: ce.OneHotEncoder(use_cat_names=True, drop_invariant=True),
    "one hot, indicating": lambda: ce.OneHotEncoder(
        handle_unknown="indicator", handle_missing="indicator"
    ),
    "ordinal": ce.OrdinalEncoder,
    "ordinal, given": lambda: ce.OrdinalEncoder(
        mapping=[{"col": "colour", "mapping": {"red": 5, "blue": 7, None: -9}}], cols=["colour"]
    ),
    "polynomial": ce.PolynomialEncoder,
    "quantile": lambda: ce.QuantileEncoder(quantile=0.7),
    "rank hot": ce.RankHotEncoder,
    "several quantiles": lambda: ce.SummaryEncoder(cols=["colour", "plan"]),
    "sum": ce.SumEncoder,
    "target": ce.TargetEncoder,
    "target, an array": lambda: ce.TargetEncoder(return_df=False),
    "target, of whole numbers": lambda: ce.TargetEncoder(cols=["colour", "plan", "whole"]),
    "target, in folds": lambda: NestedCVWrapper(ce.TargetEncoder(), cv=3),
    "target, NaN": lambda: ce.TargetEncoder(
        handle_unknown="return_nan", handle_missing="return_nan"
    ),
    "target, numbers": lambda: ce.TargetEncoder(handle_unknown=0.25, handle_missing=-4),
    "target, rare ones together": lambda: ce.TargetEncoder(min_group_size=50),
    "woe": ce.WOEEncoder,
}
TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "missing": mixed,
    "complete": lambda: mixed(missing=False),
    "objects": lambda: mixed().astype({"colour": object, "plan": object}),
    "of the category dtype": lambda: mixed().astype({"colour": "category", "plan": "category"}),
}


def encoded(encoder: Any, frame: pd.DataFrame) -> Any:
    """Fit trees behind an encoder; they take the missing values that it leaves."""
    read = frame[["colour", "plan", "skewed", "whole"]]
    columns = make_column_transformer((encoder, [*read]), verbose_feature_names_out=False)
    trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    return make_pipeline(columns, trees).fit(frame, classes(2, len(frame)))


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_equals_the_library(name: str) -> None:
    frame = mixed()
    if "given" in name:
        frame["plan"] = frame["plan"].map({"a": 1, "b": 2})

    prove(encoded(ENCODERS[name](), frame), frame)


@pytest.mark.parametrize("table", TABLES)
def test_an_encoder_takes_each_dtype(table: str) -> None:
    frame = TABLES[table]()

    prove(encoded(ce.CountEncoder(), frame), frame)


@pytest.mark.parametrize("missing", ["value", "error"])
@pytest.mark.parametrize("encoder", [ce.TargetEncoder, ce.OrdinalEncoder])
def test_an_encoder_that_refuses_the_unseen_equals_the_library(
    encoder: Callable[..., Any], missing: str
) -> None:
    frame = mixed(missing=missing == "value", rows=100)
    fitted = encoded(encoder(handle_unknown="error", handle_missing=missing), frame)

    prove(fitted, frame)


def test_encoders_before_a_linear_model_and_behind_an_imputer_equal_the_library() -> None:
    frame = mixed()
    fill = SimpleImputer(strategy="most_frequent")
    columns = make_column_transformer(
        (make_pipeline(fill, ce.TargetEncoder()), ["colour", "plan"]),
        (ce.OneHotEncoder(), ["plan", "colour"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["grid", "skewed"]),
    )
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=2000))

    prove(CalibratedClassifierCV(pipeline, cv=2).fit(frame, classes(2)), frame)


def test_an_encoding_for_each_class_equals_the_library() -> None:
    frame = mixed()[["colour", "whole"]]
    pipeline = make_pipeline(
        PolynomialWrapper(ce.TargetEncoder()), HistGradientBoostingClassifier()
    )

    prove(pipeline.fit(frame, pd.Series(classes(3))), frame)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a hash": (lambda: ce.HashingEncoder(max_process=1), "HashingEncoder encodes .* use .*Binary"),
    "items of a text": (ce.MultiHotEncoder, "MultiHotEncoder encodes .* how they are written"),
    "a function": (
        lambda: ce.TargetEncoder(handle_unknown=lambda value, mapping: 1.0),
        r"TargetEncoder\(handle_unknown=<a function>\) .* use handle_unknown='value'",
    ),
    "two columns": (
        lambda: ce.TargetEncoder(composite_cols=[("colour", "plan")]),
        r"TargetEncoder\(composite_cols=...\) .* join them in the data",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_table_holds_is_refused_with_what_to_use(name: str) -> None:
    make, reason = REFUSED[name]
    frame = mixed(missing=False)

    with pytest.raises(ConversionRefused, match=rf"category_encoders\.{reason}"):
        prove(encoded(make(), frame), frame)


def test_unseen_numbers_of_an_encoded_column_are_encoded_as_the_library_does() -> None:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"code": generator.choice([0.0, 0.5, 1e9, -3.0], 200), "x": np.arange(200)}
    )
    pipeline = make_pipeline(ce.WOEEncoder(cols=["code"]), LogisticRegression(max_iter=3000))

    prove(pipeline.fit(frame, generator.integers(0, 2, 200)), frame, rounds=True)
