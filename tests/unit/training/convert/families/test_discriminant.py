"""Discriminant analysis equals scikit-learn."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove
from tests.support.releases import cases
from training.convert import convert
from training.errors import ConversionRefused

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "linear": lambda: LinearDiscriminantAnalysis(),
    "linear, least squares": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "linear, eigen": lambda: LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.2),
    "quadratic": lambda: QuadraticDiscriminantAnalysis(),
    "quadratic, regularised": lambda: QuadraticDiscriminantAnalysis(reg_param=0.1),
    "quadratic, eigen": lambda: QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", cases(CLASSIFIERS, {"quadratic, eigen": "1.8"}))
def test_an_analysis_equals_scikit_learn(name: str, scaled: bool, count: int) -> None:
    # The others are constant, or so large or tiny that scikit-learn finds no covariance to invert.
    frame, classifier = numbers()[["grid", "skewed", "whole"]], CLASSIFIERS[name]()
    pipeline = make_pipeline(StandardScaler(), classifier) if scaled else classifier

    prove(pipeline.fit(frame, classes(count)), frame, full=name == next(iter(CLASSIFIERS)))


@pytest.mark.parametrize("solver", ["svd", "eigen"])
def test_its_projection_equals_scikit_learn(solver: str) -> None:
    frame = numbers().drop(columns="constant")
    projection = LinearDiscriminantAnalysis(solver=solver, n_components=1)
    pipeline = make_pipeline(StandardScaler(), projection, LogisticRegression())

    prove(pipeline.fit(frame, classes(3)), frame)


def test_an_analysis_without_projection_is_no_transformer() -> None:
    frame = numbers().drop(columns="constant")
    pipeline = make_pipeline(LinearDiscriminantAnalysis(), LogisticRegression())
    pipeline.fit(frame, classes(3))[0].set_params(solver="lsqr")

    with pytest.raises(ConversionRefused, match="is not a transformer"):
        convert(pipeline, [None] * frame.shape[1])
