"""Functions of numpy equal scikit-learn's to the last bits, wherever they have a value."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklambda.session import Session
from tests.support.proof import classes, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

# The search for boundaries ends far out where a step is level, beyond the range of float32.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast")

EXACT = (np.abs, np.ceil, np.fabs, np.floor, np.negative, np.positive, np.rint, np.sign, np.trunc)
NEARLY = (np.cbrt, np.cos, np.deg2rad, np.rad2deg, np.sin, np.tanh)
LOGARITHMS = (np.log, np.log10, np.log1p, np.log2)
EXPONENTIALS = (np.exp, np.exp2, np.expm1)


def trees() -> Any:
    return HistGradientBoostingClassifier(max_iter=5, random_state=0)


@pytest.mark.parametrize("function", EXACT)
def test_an_exact_function_equals_scikit_learn_before_trees(function: Any) -> None:
    frame = numbers(missing=True)

    fitted = make_pipeline(FunctionTransformer(function), trees()).fit(frame, classes(2))
    prove(fitted, frame, full=function == next(iter(EXACT)))


@pytest.mark.parametrize("function", [*EXACT, *NEARLY])
def test_a_function_equals_scikit_learn_before_a_linear_model(function: Any) -> None:
    frame = numbers().drop(columns=["large", "constant"])
    model = LogisticRegression(solver="newton-cholesky")

    prove(make_pipeline(FunctionTransformer(function), model).fit(frame, classes(3)), frame)


def positive() -> pd.DataFrame:
    return numbers()[["skewed", "whole"]].assign(tiny=np.geomspace(1e-12, 1, 300)) + 1e-9


@pytest.mark.parametrize("function", LOGARITHMS)
def test_logarithms_equal_scikit_learn_and_have_a_least_number(function: Any) -> None:
    frame = positive()
    pipeline = make_pipeline(FunctionTransformer(function), LinearRegression())
    pipeline.fit(frame, values())

    prove(pipeline, frame)

    _, signature = Conversion(pipeline, frame, kinds_of(frame)).convert()
    least = np.nextafter(-1 if function is np.log1p else 0, 1)
    assert [feature.least for feature in signature.features] == [least] * 3


@pytest.mark.parametrize("function", EXPONENTIALS)
def test_exponentials_equal_scikit_learn_and_have_a_greatest_number(function: Any) -> None:
    frame = numbers()[["grid", "whole"]]
    pipeline = make_pipeline(FunctionTransformer(function), LinearRegression())
    pipeline.fit(frame, values())

    prove(pipeline, frame)

    _, signature = Conversion(pipeline, frame, kinds_of(frame)).convert()
    assert all(700 < (feature.greatest or 0) < 1024 for feature in signature.features)


@pytest.mark.parametrize("function", [np.log1p, np.expm1])
def test_small_numbers_keep_their_digits(function: Any) -> None:
    sizes = np.geomspace(1e-300, 0.9, 5000)
    X = np.concatenate([sizes, -sizes, [0.0, 1.0, 50.0, np.nan]])[:, None]
    fitted = FunctionTransformer(function).fit(X)

    found = Session(convert(fitted, [None]).model).run(X)

    np.testing.assert_allclose(found, function(X), rtol=5e-16, atol=0)


@pytest.mark.parametrize("function", [np.sqrt, np.cbrt])
def test_booleans_and_integers_are_numbers(function: Any) -> None:
    frame = numbers()[["whole"]].assign(flag=classes(2) == 1)
    columns = make_pipeline(SimpleImputer(), FunctionTransformer(function), Ridge())

    prove(columns.fit(frame.astype(float), values()), frame.astype(float))


@pytest.mark.parametrize(
    "bounds", [{"a_min": -1, "a_max": 2.5}, {"min": 0.5, "max": None}, {"min": None, "max": 0}]
)
def test_clipped_numbers_equal_scikit_learn(bounds: dict[str, Any]) -> None:
    frame = numbers(missing=True)

    pipeline = make_pipeline(FunctionTransformer(np.clip, kw_args=bounds), trees())

    prove(pipeline.fit(frame, classes(2)), frame)


@pytest.mark.parametrize("function", [np.square, np.isnan])
def test_functions_of_numbers_with_fractions_equal_scikit_learn(function: Any) -> None:
    frame = numbers(missing=True)[["grid", "large", "skewed"]]

    pipeline = make_pipeline(FunctionTransformer(function), trees())

    prove(pipeline.fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
def test_roots_equal_scikit_learn() -> None:
    frame = numbers(missing=True)[["large", "skewed", "whole"]]

    prove(make_pipeline(FunctionTransformer(np.sqrt), trees()).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:divide by zero encountered in reciprocal")
@pytest.mark.filterwarnings("ignore:overflow encountered in reciprocal")
def test_reciprocals_equal_scikit_learn() -> None:
    frame = numbers(missing=True)[["large", "skewed"]]
    pipeline = make_pipeline(FunctionTransformer(np.reciprocal), trees())

    prove(pipeline.fit(frame, classes(2)), frame)


def centred(X: Any) -> Any:
    return X - X.mean()


REFUSED: dict[str, tuple[Any, str]] = {
    "other rows": (
        FunctionTransformer(centred),
        r".*\(func=centred\): test_functions.py:\d+ `return X - X.mean\(\)`: .*; learn it in fit",
    ),
    "function of none of numpy's operators": (FunctionTransformer(np.i0), r".*\(func=i0\)"),
    "arguments": (FunctionTransformer(np.abs, kw_args={"where": True}), r".*np.absolute\(where="),
    "bounds of each column": (
        FunctionTransformer(np.clip, kw_args={"a_min": [0.0] * 6, "a_max": None}),
        r".*\(func=clip",
    ),
    "other arguments of clip": (
        FunctionTransformer(np.clip, kw_args={"min": 0, "max": 1, "dtype": "float32"}),
        r".*\(func=clip",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    transformer, reason = REFUSED[what]
    frame = numbers()
    pipeline = make_pipeline(transformer, LogisticRegression())
    pipeline.steps[-1] = ("model", LogisticRegression().fit(frame, classes(2)))

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(pipeline, frame, kinds_of(frame)).convert()
