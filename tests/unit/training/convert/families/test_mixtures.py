"""Mixtures of normal distributions equal scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import numbers, prove
from training.frames import kinds_of
from training.proof.conversion import Conversion

MIXTURES: dict[str, Callable[..., Any]] = {
    "plain": GaussianMixture,
    "bayesian": BayesianGaussianMixture,
    "bayesian, dirichlet": lambda **parameters: BayesianGaussianMixture(
        weight_concentration_prior_type="dirichlet_distribution", **parameters
    ),
}
KINDS = ("full", "tied", "diag", "spherical")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_equals_scikit_learn(name: str, kind: str) -> None:
    frame = numbers()[["grid", "large", "whole"]]
    mixture = MIXTURES[name](n_components=3, covariance_type=kind, tol=0.1, random_state=0)

    prove(mixture.fit(frame), frame)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mixture_of_scaled_numbers_equals_scikit_learn(kind: str) -> None:
    frame = numbers()
    mixture = GaussianMixture(4, covariance_type=kind, tol=0.1, random_state=0)

    prove(make_pipeline(StandardScaler(), mixture).fit(frame), frame)


def test_many_columns_are_added_as_numpy_adds_them() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 9))).rename(columns=str)

    prove(GaussianMixture(2, random_state=0).fit(frame), frame, full=True)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_any_number_of_components_equals_scikit_learn(count: int) -> None:
    frame = numbers()[["grid", "skewed"]]

    prove(GaussianMixture(count, reg_covar=0.1, random_state=0).fit(frame), frame)


def test_the_classes_are_the_numbers_of_the_components() -> None:
    frame = numbers()[["grid", "skewed"]]
    conversion = Conversion(GaussianMixture(2, random_state=0).fit(frame), frame, kinds_of(frame))

    target = conversion.convert()[1].target

    assert target.task == "clustering"
    assert target.scores == "probability"
    assert target.classes == (0, 1)
