"""Isotonic regression equals scikit-learn."""

from typing import Any, Literal

import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import numbers, prove, values

type Outside = Literal["nan", "clip", "raise"]
OUTSIDE: tuple[Outside, ...] = ("nan", "clip", "raise")


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("column", ["grid", "whole", "constant"])
def test_a_value_equals_scikit_learn(column: str, outside: Outside) -> None:
    frame = numbers(rows=100)[[column]]
    regressor = IsotonicRegression(out_of_bounds=outside)

    prove(regressor.fit(frame, values(rows=100)), frame, full=outside == next(iter(OUTSIDE)))


@pytest.mark.parametrize(
    "parameters",
    [{"increasing": False}, {"increasing": "auto"}, {"y_min": 2, "y_max": 5}],
    ids=["falling", "either way", "within bounds"],
)
def test_what_is_fitted_equals_scikit_learn(parameters: dict[str, Any]) -> None:
    frame = numbers()[["skewed"]]
    pipeline = make_pipeline(StandardScaler(), IsotonicRegression(**parameters))

    prove(pipeline.fit(frame, values()), frame)
