"""Encoded categories equal scikit-learn's: known, unseen, rare and missing ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from tests.support.proof import classes, mixed, prove
from training.convert.releases import is_before
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(solver="newton-cholesky"),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
}


def categories(missing: bool = False, rows: int = 300) -> pd.DataFrame:
    """Make strings, some rare and some odd, and numbers that are categories."""
    generator = np.random.default_rng(23)
    chances = [0.4, 0.3, 0.2, 0.04, 0.03, 0.03]
    frame = pd.DataFrame(
        {
            "colour": generator.choice(["red", "green", "blue", "nan", "", "é"], rows, p=chances),
            "plan": generator.choice(["a", "b"], rows),
            "whole": generator.choice(6, rows, p=chances),
            "half": generator.choice([0.0, 0.5, 1.5, 1e9], rows),
        }
    )
    if missing:
        frame.loc[generator.random(rows) < 0.08, ["colour", "half"]] = np.nan
    return frame


def one_hot(**parameters: Any) -> OneHotEncoder:
    return OneHotEncoder(**{"sparse_output": False, "handle_unknown": "ignore"} | parameters)


def ordinal(**parameters: Any) -> OrdinalEncoder:
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
    return OrdinalEncoder(**unknown | parameters)


# A splitter since scikit-learn 1.9, which warns of the shuffle that a number of folds has.
FOLDS = 3 if is_before("1.9") else KFold(3)
STRATIFIED_FOLDS = 3 if is_before("1.9") else StratifiedKFold(3)
LISTS = [["green", "pink", "red"], ["b"], [0, 1, 7], [0.5, 0.75]]
ENCODERS: dict[str, Callable[[], Any]] = {
    "one hot": lambda: one_hot(),
    "one hot, given": lambda: one_hot(categories=LISTS),
    "one hot, rare ones ignored": lambda: one_hot(min_frequency=20),
    "one hot, rare ones by share": lambda: one_hot(min_frequency=0.1),
    "one hot, most categories": lambda: one_hot(max_categories=3),
    "one hot, all of them rare": lambda: one_hot(max_categories=1),
    "one hot, unseen are rare": lambda: one_hot(
        min_frequency=20, handle_unknown="infrequent_if_exist"
    ),
    "ordinal": lambda: ordinal(),
    "ordinal, given": lambda: ordinal(categories=LISTS),
    "ordinal, missing is -2": lambda: ordinal(encoded_missing_value=-2),
    "ordinal, rare": lambda: ordinal(min_frequency=20),
    "ordinal, most categories": lambda: ordinal(max_categories=3, encoded_missing_value=-7),
    "target": lambda: TargetEncoder(cv=FOLDS),
    "target, smooth": lambda: TargetEncoder(smooth=3.0, cv=STRATIFIED_FOLDS),
    "target, given": lambda: TargetEncoder(categories=LISTS, cv=FOLDS),
}
# Of strings alone: a signature cannot refuse unseen numbers.
STRICT: dict[str, Callable[[], Any]] = {
    "one hot": lambda: one_hot(handle_unknown="error"),
    "one hot, first dropped": lambda: one_hot(drop="first", handle_unknown="error"),
    "one hot, one of two dropped": lambda: one_hot(drop="if_binary", handle_unknown="error"),
    "one hot, dropped by name": lambda: one_hot(drop=["green", "b"], handle_unknown="error"),
    "one hot, rare ones together": lambda: one_hot(
        min_frequency=20, handle_unknown="error", drop="first"
    ),
    "ordinal": lambda: OrdinalEncoder(),
    "ordinal, rare ones together": lambda: OrdinalEncoder(max_categories=3),
}
WARNING: dict[str, Callable[[], Any]] = {
    "dropped and unseen": lambda: one_hot(drop="first"),
    "dropped, unseen are rare": lambda: one_hot(
        drop="if_binary", max_categories=2, handle_unknown="infrequent_if_exist"
    ),
    "unseen warn": lambda: one_hot(handle_unknown="warn", max_categories=4, drop="first"),
    "unseen warn, nothing rare": lambda: one_hot(handle_unknown="warn"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_equals_scikit_learn(name: str, model: str) -> None:
    frame = categories()
    fitted = make_pipeline(ENCODERS[name](), MODELS[model]()).fit(frame, classes(2))

    # Where all categories are rare, all rows are alike, and their decision is 1e-30.
    prove(fitted, frame, rounds="all of them" in name)


@pytest.mark.parametrize("name", [name for name in ENCODERS if "given" not in name])
def test_an_encoder_that_met_missing_values_equals_scikit_learn(name: str) -> None:
    frame = categories(missing=True)

    prove(make_pipeline(ENCODERS[name](), MODELS["trees"]()).fit(frame, classes(3)), frame)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", STRICT)
def test_an_encoder_that_refuses_the_unseen_equals_scikit_learn(name: str, missing: bool) -> None:
    frame = categories(missing)[["colour", "plan"]]

    prove(make_pipeline(STRICT[name](), MODELS["trees"]()).fit(frame, classes(2)), frame)


def test_a_missing_category_may_be_the_one_that_is_dropped() -> None:
    frame = categories(missing=True)[["colour", "plan"]]
    encoder = one_hot(drop=[np.nan, "a"], handle_unknown="error")

    prove(make_pipeline(encoder, MODELS["linear"]()).fit(frame, classes(2)), frame, full=True)


def test_a_sparse_encoder_equals_scikit_learn() -> None:
    frame = categories(missing=True)
    encoder = one_hot(sparse_output=True, max_categories=4)

    prove(make_pipeline(encoder, LogisticRegression(max_iter=1000)).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:Found unknown categories")  # said by scikit-learn on purpose
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", WARNING)
def test_an_encoder_that_warns_equals_scikit_learn(name: str, missing: bool) -> None:
    frame = categories(missing)

    prove(make_pipeline(WARNING[name](), MODELS["linear"]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("target", [2, 4])
def test_a_target_encoder_of_each_kind_equals_scikit_learn(target: int) -> None:
    frame = categories(missing=True)
    encoder = TargetEncoder(cv=FOLDS)

    prove(make_pipeline(encoder, MODELS["linear"]()).fit(frame, classes(target)), frame)


def test_a_target_encoder_of_numbers_equals_scikit_learn() -> None:
    frame = categories(missing=True)
    encoder = TargetEncoder(target_type="continuous", cv=FOLDS)

    prove(make_pipeline(encoder, MODELS["trees"]()).fit(frame, classes(2)), frame)


def test_encoders_behind_an_imputer_equal_scikit_learn() -> None:
    frame = categories(missing=True)[["colour", "plan"]]
    fill = SimpleImputer(strategy="constant", fill_value="none at all")
    pipeline = make_pipeline(fill, one_hot(max_categories=4), MODELS["linear"]())

    prove(pipeline.fit(frame, classes(2)), frame)


@pytest.mark.parametrize("dtype", [int, np.int8, bool, np.float32])
@pytest.mark.parametrize("encoder", [OneHotEncoder, OrdinalEncoder])
def test_whole_numbers_of_any_dtype_equal_scikit_learn(encoder: Any, dtype: Any) -> None:
    frame = mixed(missing=False)[["skewed", "colour", "plan"]]
    codes = ("codes", encoder(dtype=dtype), ["plan", "colour"])
    columns = ColumnTransformer([codes], remainder="passthrough")

    prove(make_pipeline(columns, MODELS["trees"]()).fit(frame, classes(2)), frame)


REFUSED: dict[str, tuple[Any, str]] = {
    "one hot": (OneHotEncoder(dtype=np.float32), r".*OneHotEncoder\(dtype=float32\).*: use dtype="),
    "ordinal": (OrdinalEncoder(dtype=np.float32), r".*Encoder\(dtype=float32\).*: use dtype="),
    "no column": (OneHotEncoder(categories=[["a"]], drop="first"), "OneHotEncoder leaves no"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(name: str) -> None:
    encoder, reason = REFUSED[name]
    frame = pd.DataFrame({"plan": ["a"] * 300, "whole": np.arange(300)})
    encoded = make_pipeline(encoder).fit(frame[["plan"]])
    step = f"{type(encoder).__name__.lower()}"

    with pytest.raises(ConversionRefused, match=rf"^{step}: {reason}"):
        Conversion(encoded, frame[["plan"]], kinds_of(frame[["plan"]])).convert()
