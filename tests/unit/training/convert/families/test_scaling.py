"""Scaled and bent numbers equal scikit-learn's, behind a linear model and behind trees."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from tests.support.proof import classes, numbers, prove
from tests.support.releases import cases
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LogisticRegression(solver="newton-cholesky"),
    "trees": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
}
KEEP_MISSING: dict[str, Callable[[], Any]] = {
    "standard": lambda: StandardScaler(),
    "standard, mean only": lambda: StandardScaler(with_std=False),
    "standard, scale only": lambda: StandardScaler(with_mean=False),
    "min max": lambda: MinMaxScaler(),
    "min max, clipped": lambda: MinMaxScaler((-1, 3), clip=True),
    "max abs": lambda: MaxAbsScaler(),
    "max abs, clipped": lambda: MaxAbsScaler(clip=True),
    "robust": lambda: RobustScaler(),
    "robust, unit variance": lambda: RobustScaler(quantile_range=(10, 90), unit_variance=True),
    "robust, centre only": lambda: RobustScaler(with_scaling=False),
    "robust, scale only": lambda: RobustScaler(with_centering=False),
    "quantiles": lambda: QuantileTransformer(n_quantiles=20),
    "all quantiles": lambda: QuantileTransformer(n_quantiles=300),
    "splines, missing as zeros": lambda: SplineTransformer(handle_missing="zeros"),
    "identity": lambda: FunctionTransformer(),
}
SINCE = {"max abs, clipped": "1.8", "splines, missing as zeros": "1.8"}
NOTHING_MISSING: dict[str, Callable[[], Any]] = {
    "normalizer, largest": lambda: Normalizer("max"),
    "normalizer, sum": lambda: Normalizer("l1"),
    "normalizer": lambda: Normalizer(),
    "identity, validated": lambda: FunctionTransformer(validate=True),
    "binarizer": lambda: Binarizer(threshold=0.3),
    "bins": lambda: KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    "bins of equal width": lambda: KBinsDiscretizer(
        encode="onehot-dense", strategy="uniform", quantile_method="averaged_inverted_cdf"
    ),
    "bins of clusters": lambda: KBinsDiscretizer(
        3, encode="ordinal", strategy="kmeans", quantile_method="averaged_inverted_cdf"
    ),
    "polynomial": lambda: PolynomialFeatures(),
    "polynomial, degree 3": lambda: PolynomialFeatures(3, include_bias=False),
    "polynomial, interactions": lambda: PolynomialFeatures(3, interaction_only=True),
    "polynomial, degrees 2 to 4": lambda: PolynomialFeatures((2, 4)),
    "splines": lambda: SplineTransformer(),
    "splines, within their ends": lambda: SplineTransformer(4, extrapolation="error"),
    "splines, linear": lambda: SplineTransformer(4, extrapolation="linear"),
    "splines, degree 1": lambda: SplineTransformer(4, 1),
    "splines, steps": lambda: SplineTransformer(4, 0, extrapolation="continue"),
    "splines, periodic": lambda: SplineTransformer(5, extrapolation="periodic"),
    "splines at quantiles": lambda: SplineTransformer(4, knots="quantile", include_bias=False),
}


# The search for boundaries ends far out where a step is level, beyond the range of float32.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")


@pytest.mark.parametrize("name", cases(KEEP_MISSING, SINCE))
def test_a_step_that_keeps_what_is_missing_equals_scikit_learn_before_trees(name: str) -> None:
    frame = numbers(missing=True)

    prove(make_pipeline(KEEP_MISSING[name](), MODELS["trees"]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("name", cases(KEEP_MISSING, SINCE))
def test_a_step_that_keeps_what_is_missing_equals_scikit_learn_before_a_linear_model(
    name: str,
) -> None:
    frame = numbers().drop(columns=["large", "constant"])

    prove(make_pipeline(KEEP_MISSING[name](), MODELS["linear"]()).fit(frame, classes(3)), frame)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NOTHING_MISSING)
def test_a_step_that_refuses_what_is_missing_equals_scikit_learn(name: str, model: str) -> None:
    frame = numbers().drop(columns=["large", "constant"])

    prove(make_pipeline(NOTHING_MISSING[name](), MODELS[model]()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("extrapolation", ["continue", "linear"])
def test_splines_that_go_on_beyond_their_ends_equal_scikit_learn(extrapolation: str) -> None:
    # Before trees the proof may fail: where a power overflows, scipy gives NaN for other columns.
    frame = numbers()[["grid", "skewed"]]
    splines = SplineTransformer(4, 2, extrapolation=extrapolation, sparse_output=True)

    prove(make_pipeline(splines, LogisticRegression(max_iter=1000)).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("count", [2, 30, 300])
def test_quantiles_of_the_normal_distribution_equal_scikit_learn(count: int) -> None:
    frame = numbers(missing=True).drop(columns=["large"])
    normal = QuantileTransformer(n_quantiles=count, output_distribution="normal")
    pipeline = make_pipeline(normal, SimpleImputer(), MODELS["linear"]())

    prove(pipeline.fit(frame, classes(2)), frame)


def test_splines_of_degree_1_go_on_in_lines() -> None:
    frame = numbers()[["grid"]]
    splines = SplineTransformer(4, 1, extrapolation="linear")

    prove(make_pipeline(splines, MODELS["trees"]()).fit(frame, classes(2)), frame, full=True)


def test_a_centred_kernel_equals_scikit_learn() -> None:
    frame = numbers(rows=20)[["grid", "skewed"]]
    kernel = pd.DataFrame(frame @ frame.T).add_prefix("row ")
    pipeline = make_pipeline(KernelCenterer(), LogisticRegression(max_iter=1000))

    prove(pipeline.fit(kernel, np.arange(20) % 2), kernel)


REFUSED: dict[str, tuple[Any, str]] = {
    "bins in float32": (
        KBinsDiscretizer(3, dtype=np.float32, quantile_method="averaged_inverted_cdf"),
        r".*\(dtype=float32\).*: use dtype=",
    ),
    "steps with ends": (SplineTransformer(degree=0), r".*\(degree=0\)"),
    "lines of two columns": (
        SplineTransformer(degree=1, extrapolation="linear"),
        r".*degree=1, extrapolation='linear'",
    ),
    "no column": (
        PolynomialFeatures((3, 3), interaction_only=True, include_bias=False),
        "PolynomialFeatures leaves no column",
    ),
}


@pytest.mark.filterwarnings("ignore")  # some of these end in nothing
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused_and_its_step_is_named(name: str) -> None:
    step, reason = REFUSED[name]
    frame = numbers()[["skewed", "large"]]
    fitted = Pipeline([("odd", step)]).fit(frame)

    with pytest.raises(ConversionRefused, match=f"^odd: {reason}"):
        Conversion(fitted, frame, kinds_of(frame)).convert()
