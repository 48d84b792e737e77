"""Numbers bent by a power equal scikit-learn's, there and back."""

from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

from sklambda.session import Session
from tests.support.proof import classes, numbers, prove, values
from training.convert import convert


def linear() -> Any:
    return LogisticRegression(solver="newton-cholesky")


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
def test_a_power_equals_scikit_learn(method: str, standardize: bool) -> None:
    # Before trees the proof may fail: numpy and onnxruntime round logarithms otherwise.
    frame = numbers()[["skewed"]].assign(level=np.linspace(0.1, 1, 300))
    if method == "yeo-johnson":
        frame = frame.join(numbers()[["grid", "whole"]])
    bent = PowerTransformer(method=method, standardize=standardize)

    prove(make_pipeline(bent, linear()).fit(frame, classes(2)), frame)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -0.7, 1e-9])
def test_yeo_johnson_of_any_power_equals_scikit_learn(power: float) -> None:
    frame = numbers()[["grid", "skewed"]]
    bent = PowerTransformer(standardize=False).fit(frame)
    bent.lambdas_[:] = power
    classifier = linear().fit(bent.transform(frame), classes(2))

    prove(Pipeline([("bent", bent), ("model", classifier)]), frame, full=power == 0.0)


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0, -0.7, 1e-9])
def test_box_cox_of_any_power_equals_scikit_learn(power: float) -> None:
    X = np.geomspace(1e-300, 1e300, 5001)[:, None]
    bent = PowerTransformer(method="box-cox", standardize=False).fit([[1.0], [2.0], [4.0]])
    bent.lambdas_[:] = power

    found = Session(convert(bent, [None]).model).run(X)

    np.testing.assert_allclose(found, bent.transform(X), rtol=1e-12)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("method", ["yeo-johnson", "box-cox"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_target_is_bent_back_as_in_scikit_learn(
    method: str, standardize: bool, outputs: int
) -> None:
    bent = PowerTransformer(method=method, standardize=standardize)
    inner = make_pipeline(StandardScaler(), LinearRegression())
    regressor = TransformedTargetRegressor(inner, transformer=bent)

    prove(regressor.fit(numbers(), values(outputs)), numbers())


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -0.7])
def test_yeo_johnson_of_any_power_is_bent_back(power: float) -> None:
    frame = numbers()
    inner = make_pipeline(StandardScaler(), LinearRegression())
    regressor = TransformedTargetRegressor(inner, transformer=PowerTransformer())
    regressor.fit(frame, values() - 4)
    regressor.transformer_.lambdas_[:] = power

    prove(regressor, frame)
