"""feature-engine's transformers of numbers and dates equal the library's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_engine import creation, discretisation, outliers, transformation
from feature_engine.datetime import DatetimeFeatures, DatetimeSubtraction
from feature_engine.encoding import OneHotEncoder
from feature_engine.scaling import MeanNormalizationScaler
from feature_engine.selection import DropFeatures
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import ROWS, classes, prove
from tests.support.releases import OUTDATED_PANDAS
from training.errors import ConversionRefused

pytestmark = [
    OUTDATED_PANDAS,
    pytest.mark.filterwarnings("ignore::UserWarning:feature_engine"),
]
FITTED = {"regression": False, "scoring": "roc_auc", "cv": 2, "random_state": 0}

STEPS: dict[str, Callable[[], Any]] = {
    "bins, given": lambda: discretisation.ArbitraryDiscretiser({"x": [-np.inf, -1, 0, np.inf]}),
    "bins, inner ones": lambda: discretisation.ArbitraryDiscretiser({"x": [-1.0, 0, 1]}),
    "bins of equal counts": lambda: discretisation.EqualFrequencyDiscretiser(q=5),
    "bins of equal widths": lambda: discretisation.EqualWidthDiscretiser(bins=4),
    "bins of growing widths": lambda: discretisation.GeometricWidthDiscretiser(
        variables=["size"], bins=4
    ),
    "bins by trees": lambda: discretisation.DecisionTreeDiscretiser(**FITTED, precision=3),
    "bins by trees, numbered": lambda: discretisation.DecisionTreeDiscretiser(
        bin_output="bin_number", **FITTED
    ),
    "box cox": lambda: transformation.BoxCoxTransformer(variables=["size"]),
    "capped": lambda: outliers.Winsorizer("iqr", "both", add_indicators=True, variables=["size"]),
    "capped at": lambda: outliers.ArbitraryOutlierCapper({"size": 2.5}, {"x": -1.2}),
    "log": lambda: transformation.LogTransformer(variables=["size"]),
    "log of base 10": lambda: transformation.LogTransformer(variables=["size"], base="10"),
    "log, shifted": lambda: transformation.LogCpTransformer(variables=["x", "size"]),
    "normalized": MeanNormalizationScaler,
    "reciprocal": lambda: transformation.ReciprocalTransformer(variables=["size"]),
    "root": lambda: transformation.PowerTransformer(variables=["size"]),
    "yeo johnson": lambda: transformation.YeoJohnsonTransformer(variables=["x", "size"]),
}
COMBINED: dict[str, Callable[[], Any]] = {
    "circular": lambda: creation.CyclicalFeatures(["whole"], drop_original=True),
    "products": lambda: creation.RelativeFeatures(["x", "size"], ["share"], ["mul", "sub", "add"]),
    "rests": lambda: creation.RelativeFeatures(
        ["x"], ["whole"], ["floordiv", "mod", "div"], fill_value=-1
    ),
    "sums": lambda: creation.MathFeatures(["x", "size"], ["sum", "mean", "min", "max"]),
    "trees": lambda: creation.DecisionTreeFeatures(
        variables=["x", "size"], features_to_combine=2, **FITTED
    ),
}


def numbers() -> pd.DataFrame:
    generator = np.random.default_rng(31)
    columns = {
        "x": np.round(generator.normal(size=ROWS), 2),
        "size": np.round(generator.lognormal(0, 1, ROWS), 3) + 0.001,
        "whole": generator.integers(1, 12, ROWS),
        "share": np.round(generator.random(ROWS), 3),
    }
    return pd.DataFrame(columns)


def linear() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


@pytest.mark.parametrize("name", STEPS)
def test_a_step_before_a_forest_equals_feature_engine(name: str) -> None:
    frame = numbers()
    forest = HistGradientBoostingClassifier if "inner" in name else RandomForestClassifier
    model = forest(random_state=0, max_depth=4)
    if forest is RandomForestClassifier:
        model.set_params(n_estimators=4)

    prove(make_pipeline(STEPS[name](), model).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", [*COMBINED, "box cox", "log, shifted", "capped"])
def test_a_step_before_a_linear_model_equals_feature_engine(name: str) -> None:
    frame = numbers()
    step = {**STEPS, **COMBINED}[name]()

    prove(make_pipeline(step, linear()).fit(frame, classes(2)), frame, rounds=True)


def test_bins_with_names_equal_feature_engine() -> None:
    frame = numbers()
    bins = discretisation.EqualFrequencyDiscretiser(
        q=4, return_boundaries=True, variables=["x", "size"]
    )

    prove(make_pipeline(bins, OneHotEncoder(), linear()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("unit", ["s", "us"])
def test_parts_of_dates_equal_feature_engine(unit: str) -> None:
    generator = np.random.default_rng(32)
    seconds = pd.to_timedelta(generator.integers(0, 10**8, ROWS), "s")
    moments = (pd.Timestamp("2021-01-05") + seconds).to_numpy()
    when: pd.Series[Any] = pd.Series(moments.astype(f"datetime64[{unit}]"))
    frame = pd.DataFrame({"when": when, "x": generator.normal(size=ROWS)})
    parts = DatetimeFeatures(features_to_extract="all")
    trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)

    prove(make_pipeline(parts, trees).fit(frame, when.dt.month > 6), frame)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "an angle": (
        lambda: transformation.ArcsinTransformer(variables=["share"]),
        "ArcsinTransformer has no exact conversion: use PowerTransformer",
    ),
    "a deviation": (
        lambda: creation.MathFeatures(["x", "size"], ["std"]),
        r"MathFeatures\(func='std'\) has no exact conversion: use 'sum'",
    ),
    "a divisor of 0": (
        lambda: creation.RelativeFeatures(["x"], ["size"], ["div"]),
        r"RelativeFeatures\(func='div', fill_value=None\) .*: set fill_value",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_conversion_is_refused_with_what_to_do(name: str) -> None:
    make, reason = REFUSED[name]
    frame = numbers()

    with pytest.raises(ConversionRefused, match=rf"feature_engine\.{reason}"):
        prove(make_pipeline(make(), linear()).fit(frame, classes(2)), frame)


def test_dates_that_are_texts_are_refused_with_what_to_do() -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=ROWS))
    frame = pd.DataFrame({"when": days.dt.strftime("%Y-%m-%d"), "x": np.arange(ROWS)})
    steps = (DatetimeFeatures(variables=["when"]), linear())

    with pytest.raises(ConversionRefused, match=r"dates of 'when' out of text.* parse"):
        prove(make_pipeline(*steps).fit(frame, classes(2)), frame)


def test_days_between_dates_equal_feature_engine() -> None:
    generator = np.random.default_rng(33)
    ends = {
        name: pd.Timestamp("2021-01-05") + pd.to_timedelta(generator.integers(0, 900, ROWS), "D")
        for name in ("first", "last")
    }
    frame = pd.DataFrame(ends).astype("datetime64[ns]")
    between = DatetimeSubtraction("last", "first")
    pipeline = make_pipeline(between, DropFeatures(["first", "last"]), linear())

    prove(pipeline.fit(frame, classes(2)), frame)
