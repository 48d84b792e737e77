"""Gaussian processes equal scikit-learn, or are refused."""

from typing import Any

import pytest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused

KERNELS: dict[str, Any] = {
    "none given": None,
    "rbf with noise": ConstantKernel(2.0) * RBF(1.5) + WhiteKernel(0.5),
    "a scale for each feature": RBF([1.0, 2.0, 3.0, 1.0, 0.5, 1.0]),
    "matern 1/2": Matern(nu=0.5),
    "matern 3/2": Matern(2.0, nu=1.5),
    "matern 5/2": Matern(nu=2.5),
    "matern without end": Matern(nu=float("inf")),
    "rational quadratic": RationalQuadratic(1.5, alpha=0.7),
    "products": DotProduct(0.5) + WhiteKernel(),
    "squared": (RBF(2.0) + ConstantKernel(0.1)) ** 2,
}
REFUSED: dict[str, tuple[Any, str]] = {
    "sine": (ExpSineSquared(), "ExpSineSquared has no exact"),
    "sine in a sum": (RBF() + ExpSineSquared(), "ExpSineSquared has no exact"),
    "matern 0.7": (Matern(nu=0.7), r"Matern\(nu=0.7\) has no exact"),
    "constant": (ConstantKernel() + WhiteKernel(), "no feature moves"),
}


def process(kernel: Any, **parameters: Any) -> GaussianProcessRegressor:
    return GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None, **parameters)


@pytest.mark.parametrize("name", KERNELS)
def test_a_process_equals_scikit_learn(name: str) -> None:
    frame = numbers(rows=150)
    pipeline = make_pipeline(StandardScaler(), process(KERNELS[name]))

    prove(pipeline.fit(frame, values(rows=150)), frame)


@pytest.mark.parametrize("normalize_y", [False, True])
def test_two_outputs_equal_scikit_learn(normalize_y: bool) -> None:
    frame = numbers(rows=150)
    pipeline = make_pipeline(StandardScaler(), process(RBF(), normalize_y=normalize_y))

    prove(pipeline.fit(frame, values(2, rows=150)), frame)


def test_a_fitted_kernel_equals_scikit_learn() -> None:
    frame = numbers(rows=80)[["grid", "skewed", "whole"]]
    regressor = GaussianProcessRegressor(
        ConstantKernel() * RBF() + WhiteKernel(), normalize_y=True, random_state=0
    )

    prove(regressor.fit(frame, values(rows=80)), frame, full=True)


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    kernel, reason = REFUSED[what]
    fitted = process(kernel).fit(numbers(rows=20), values(rows=20))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 6)


PROCESSES: dict[str, Any] = {
    "default": None,
    "rough, with noise": 1.5 * Matern(nu=1.5) + WhiteKernel(0.1),
    "products": DotProduct() * RBF(2.0),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", PROCESSES)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers(rows=60)[["grid", "skewed"]]
    process = GaussianProcessClassifier(PROCESSES[name], optimizer=None)

    prove(make_pipeline(StandardScaler(), process).fit(frame, classes(count, rows=60)), frame)


def test_duels_without_probabilities_are_refused_with_a_remedy() -> None:
    frame = numbers(rows=60)[["grid", "skewed"]]
    process = GaussianProcessClassifier(multi_class="one_vs_one", optimizer=None)

    with pytest.raises(ConversionRefused, match=r"'one_vs_one'.*: use multi_class='one_vs_rest'"):
        convert(process.fit(frame, classes(3, rows=60)), [None] * 2)
