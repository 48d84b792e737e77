"""Whatever float64 a frame holds, an export writes a package or says what to change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer
from sklearn.tree import DecisionTreeClassifier

import training
from sklambda.package import ModelPackage
from training.errors import DataError

# scikit-learn and numpy warn of what such numbers do to their own sums.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: make_pipeline(MaxAbsScaler(), LogisticRegression()),
    "rows of unit norm": lambda: make_pipeline(Normalizer(), LogisticRegression()),
    "tree": lambda: make_pipeline(MaxAbsScaler(), DecisionTreeClassifier(max_depth=3)),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=3),
}


@pytest.fixture
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(generator.normal(size=(100, 2)).clip(-2.5, 2.5), columns=["a", "b"])


def export(fitted: Any, frame: pd.DataFrame, out: Path) -> ModelPackage:
    return training.export(fitted, frame, out=out, name="m", target="y", time_limit=None)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [1e301, 6e307])
def test_numbers_whose_sums_overflow_are_refused_by_column(
    frame: pd.DataFrame, tmp_path: Path, model: str, size: float
) -> None:
    side = np.where(frame["a"] > 0, "p", "n")
    large = frame.assign(b=frame["b"] * size)
    fitted = MODELS[model]().fit(large, side)

    with pytest.raises(DataError, match=r"^column 'b' has numbers beyond 1e\+300.*: divide"):
        export(fitted, large, tmp_path / "package")


FEW = {
    "subnormal": [5e-324, 0.0],
    "negative zero": [-0.0, 0.0],
    "neighbours": [0.3, 0.1 + 0.2],
    "tiny": [1e-300, -1e-308],
    "large": [9e299, -9e299],
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", FEW)
def test_a_package_comes_out_of_numbers_at_the_ends(
    frame: pd.DataFrame, tmp_path: Path, model: str, kind: str
) -> None:
    side = np.where(frame["a"] > 0, "p", "n")
    other = frame.assign(b=np.resize(FEW[kind], len(frame)))

    package = export(MODELS[model]().fit(other, side), other, tmp_path / "package")

    assert package.manifest.parity.labels > 0


def test_a_model_without_a_finite_score_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    side = np.where(frame["a"] > 0, "p", "n")
    constant = frame.assign(b=1.0)
    with np.errstate(all="ignore"):
        fitted = GaussianNB(var_smoothing=0).fit(constant, side)

    with pytest.raises(DataError, match="no training row has finite scores"):
        export(fitted, constant, tmp_path / "package")


def test_scores_whose_sums_overflow_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    fitted = Ridge().fit(frame, frame["a"])
    fitted.coef_ = fitted.coef_ * 1e303

    with pytest.raises(DataError, match=r"exceed 1e\+300.*divide the target"):
        export(fitted, frame, tmp_path / "package")
