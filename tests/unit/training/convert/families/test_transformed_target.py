"""A transformed target is transformed back as scikit-learn does it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tests.support.proof import numbers, prove, values
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion


def linear() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression())


def boosting() -> Any:
    return HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=5, random_state=0)


FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "log1p": (np.log1p, np.expm1),
    "log": (np.log, np.exp),
    "sqrt": (np.sqrt, np.square),
    "square": (np.square, np.sqrt),
    "expm1": (np.expm1, np.log1p),
    "exp": (np.exp, np.log),
    "negative": (np.negative, np.negative),
    "reciprocal": (np.reciprocal, np.reciprocal),
    "exp2": (np.log2, np.exp2),
    "log2": (np.exp2, np.log2),
    "none": (None, None),
}
TRANSFORMERS: dict[str, Any] = {
    "standard": StandardScaler(),
    "mean alone": StandardScaler(with_std=False),
    "scale alone": StandardScaler(with_mean=False),
    "least and greatest": MinMaxScaler((-1, 1), clip=True),
    "robust": RobustScaler(),
    "robust center alone": RobustScaler(with_scaling=False),
    "robust scale alone": RobustScaler(with_centering=False),
    "greatest": MaxAbsScaler(),
    "function": FunctionTransformer(np.log1p, np.expm1),
    "one after another": make_pipeline(
        FunctionTransformer(np.log1p, np.expm1), StandardScaler(), "passthrough"
    ),
    "quantiles": QuantileTransformer(n_quantiles=40),
    "normal quantiles": QuantileTransformer(n_quantiles=40, output_distribution="normal"),
}


@pytest.mark.parametrize("regressor", [linear, boosting])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_inverted_as_in_scikit_learn(
    function: str, regressor: Callable[[], Any]
) -> None:
    there, back = FUNCTIONS[function]
    estimator = TransformedTargetRegressor(regressor(), func=there, inverse_func=back)

    prove(estimator.fit(numbers(), values()), numbers())


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_a_transformer_is_inverted_as_in_scikit_learn(transformer: str) -> None:
    estimator = TransformedTargetRegressor(linear(), transformer=TRANSFORMERS[transformer])

    prove(estimator.fit(numbers(), values()), numbers())


def test_several_targets_are_scaled_back_each_by_itself() -> None:
    scaled = TransformedTargetRegressor(
        MultiOutputRegressor(linear()), transformer=MinMaxScaler((2, 5))
    )

    prove(scaled.fit(numbers(), values(3)), numbers(), full=True)


def test_the_regressor_is_linear_unless_it_is_given() -> None:
    prove(TransformedTargetRegressor().fit(numbers(), values()), numbers())


def identity(y: Any) -> Any:
    return y


class PowerTransformers(PowerTransformer):  # type: ignore[misc]  # scikit-learn ships no types
    """A class of a user's."""


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "own function": (
        {"func": identity, "inverse_func": identity},
        r".*FunctionTransformer\(inverse_func=identity\)",
    ),
    "arguments": (
        {"transformer": FunctionTransformer(np.log, np.exp, inv_kw_args={"where": True})},
        r".*FunctionTransformer\(inv_kw_args=",
    ),
    "no inverse known": (
        {"transformer": PowerTransformers()},
        r"the inverse of tests\..*\.PowerTransformers .*: use one of",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_at_its_place(what: str) -> None:
    parameters, reason = REFUSED[what]
    model = TransformedTargetRegressor(linear(), **parameters)
    fitted = make_pipeline(StandardScaler(), model).fit(numbers(), values())

    with pytest.raises(ConversionRefused, match=rf"^transformedtargetregressor: {reason}"):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()
