"""skrub's vectorisers and its scaler equal the library's own, float32 and all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skrub import (
    ApplyToCols,
    Cleaner,
    DatetimeEncoder,
    DropCols,
    MinHashEncoder,
    SquashingScaler,
    TableVectorizer,
    tabular_pipeline,
)

from tests.support.proof import classes, mixed, prove
from tests.support.releases import NEEDS_PANDAS_3, OUTDATED_PANDAS, cases
from training.errors import ConversionRefused
from training.exporter import export
from training.frames import kinds_of
from training.proof.conversion import Conversion

pytestmark = OUTDATED_PANDAS  # of fitting


def trees(**parameters: Any) -> Any:
    return HistGradientBoostingClassifier(max_iter=5, random_state=0, **parameters)


def forest() -> Any:
    return RandomForestClassifier(4, max_depth=4, random_state=0)


def table() -> pd.DataFrame:
    frame = mixed()
    frame["flag"] = frame["whole"] > 5
    return frame


def float64(rows: Any) -> Any:
    return rows.astype("float64")


def scaled() -> Any:
    return make_pipeline(SquashingScaler(), trees())


PIPELINES: dict[str, Callable[[], Any]] = {
    "boosting": lambda: tabular_pipeline(trees()),
    "boosting on categories": lambda: tabular_pipeline(trees(categorical_features="from_dtype")),
    "cleaned": lambda: make_pipeline(
        Cleaner(),
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["colour", "plan"]), remainder="passthrough"
        ),
        trees(),
    ),
    "column by column": lambda: make_pipeline(
        ApplyToCols(StandardScaler(), cols=["grid", "skewed"]),
        ApplyToCols(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), cols=["plan"]),
        DropCols(["colour"]),
        trees(),
    ),
    "forest": lambda: tabular_pipeline(forest()),
    "linear, in float64": lambda: make_pipeline(
        TableVectorizer(),
        FunctionTransformer(float64),
        SimpleImputer(),
        SquashingScaler(),
        LogisticRegression(),
    ),
    "vectorized": lambda: make_pipeline(TableVectorizer(), forest()),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=NEEDS_PANDAS_3) if name == "cleaned" else name for name in PIPELINES],
)
def test_a_pipeline_equals_skrub(name: str) -> None:
    frame = table()

    prove(PIPELINES[name]().fit(frame, classes(2)), frame, rounds="linear" in name)


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_a_vectorizer_takes_each_dtype(dtype: str) -> None:
    frame = table().astype({"colour": dtype, "plan": dtype})

    prove(tabular_pipeline(trees()).fit(frame, classes(2)), frame)


def test_strings_that_mean_missing_are_missing() -> None:
    frame = table()
    frame["colour"] = frame["colour"].where(frame["whole"] < 9, "NA").where(frame["whole"] > 1, " ")

    prove(make_pipeline(TableVectorizer(), trees()).fit(frame, classes(2)), frame)


@NEEDS_PANDAS_3
@pytest.mark.parametrize("bent", [None, "spline"])
def test_dates_equal_skrub(bent: str | None) -> None:
    frame = table()[["grid"]]
    seconds = pd.to_timedelta(np.random.default_rng(5).integers(0, 10**8, len(frame)), "s")
    frame["when"] = (pd.Timestamp("2021-03-01") + seconds).astype("datetime64[us]")
    dates = DatetimeEncoder(add_weekday=True, add_day_of_year=True, periodic_encoding=bent)
    model = forest() if bent else trees()

    prove(make_pipeline(TableVectorizer(datetime=dates), model).fit(frame, classes(2)), frame)


def titles() -> pd.DataFrame:
    frame = table()[["grid"]]
    frame["title"] = [f"title {place % 50} of {'abc'[place % 3]}" for place in range(len(frame))]
    return frame


@NEEDS_PANDAS_3
@pytest.mark.parametrize("encoder", [None, MinHashEncoder(n_components=4)])
def test_texts_of_training_are_a_table_and_others_are_refused(encoder: Any) -> None:
    frame = titles()
    options = {} if encoder is None else {"high_cardinality": encoder}
    fitted = make_pipeline(TableVectorizer(**options), trees()).fit(frame, classes(2))

    prove(fitted, frame)

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()
    assert [each.accepts_unseen for each in signature.features] == [False, False]


def test_a_scaler_equals_skrub() -> None:
    frame = mixed()[["grid", "skewed", "whole"]]
    frame = frame.assign(constant=2.5, rare=1.0 * (np.arange(len(frame)) % 20 == 0))

    prove(scaled().fit(frame, classes(2)), frame)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a linear pipeline": (
        lambda: tabular_pipeline(LogisticRegression()),
        r"skrub.SquashingScaler was fitted on float32.* put FunctionTransformer\(lambda table",
    ),
    "a linear model": (
        lambda: make_pipeline(TableVectorizer(), SimpleImputer(), LogisticRegression()),
        r"LogisticRegression was fitted on float32.* put FunctionTransformer\(lambda table",
    ),
}


@pytest.mark.parametrize("name", cases(REFUSED, {"a linear model": "1.9"}))
def test_linear_models_in_float32_are_refused_with_the_cast(name: str) -> None:
    make, reason = REFUSED[name]
    frame = table()

    with pytest.raises(ConversionRefused, match=reason):
        prove(make().fit(frame, classes(2)), frame)


def test_dates_that_are_texts_are_refused_with_what_to_do() -> None:
    frame = table()[["grid"]]
    frame["day"] = pd.Series(pd.date_range("2024-01-01", periods=len(frame))).dt.strftime("%F")

    with pytest.raises(ConversionRefused, match=r"ToDatetime reads dates out of text.*: parse"):
        prove(tabular_pipeline(trees()).fit(frame, classes(2)), frame)


def test_a_package_of_a_tabular_pipeline_replays(tmp_path: Path) -> None:
    frame = table().head(80)
    fitted = tabular_pipeline(trees()).fit(frame, classes(2, 80))

    package = export(fitted, frame, out=tmp_path / "package", name="table", time_limit=None)

    assert package.manifest.parity.max_difference < 1e-15
