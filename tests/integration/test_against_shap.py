"""Explanations are those of the shap library, wherever its own add up to the score."""

import pickle
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.conftest import REPOSITORY
from tests.support.explaining import Explained, explained

PYTHON = REPOSITORY / ".venv-shap/bin/python3.13"
SCRIPT = Path(__file__).with_name("shap_values.py")
ROWS = 20
TREES: dict[str, Any] = {"n_estimators": 50, "random_state": 0}

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="run `make tools` for .venv-shap")


LINEAR = {
    "linear regression": (LinearRegression(), 0),
    "logistic regression": (LogisticRegression(), 2),
    "logistic regression of 3 classes": (LogisticRegression(), 3),
}
ENSEMBLES = {
    "tree": (DecisionTreeClassifier(random_state=0), 3),
    "regression tree": (DecisionTreeRegressor(random_state=0), 0),
    "forest": (RandomForestClassifier(**TREES), 2),
    "forest of 3 classes": (RandomForestClassifier(**TREES, max_depth=8), 3),
    "regression forest": (RandomForestRegressor(**TREES), 0),
    "extra trees": (ExtraTreesRegressor(**TREES, max_depth=8), 0),
    "boosting": (GradientBoostingClassifier(**TREES), 2),
    "regression boosting": (GradientBoostingRegressor(**TREES), 0),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=50, random_state=0), 2),
}
# The library rounds values and thresholds to float32, so that some pass each other.
HUNDREDTHS = {
    f"{name} of hundredths": ENSEMBLES[name]
    for name in ("forest", "regression forest", "boosting", "histogram boosting")
}


def table(features: int, grid: int) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Make rows of multiples of 1/grid, and a value that depends on them with an interaction."""
    generator = np.random.default_rng(23)
    X = (generator.normal(size=(600, features)) * grid).round() / grid
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(X[:, 3]) + generator.normal(size=600) / 2
    return pd.DataFrame(X, columns=[f"x{place}" for place in range(features)]), y


@dataclass(frozen=True)
class Compared:
    """The values of the same rows with the same background, [N, F, C]."""

    found: Explained
    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]  # of two classes in log-odds only the second

    @property
    def difference(self) -> float:
        """The greatest one."""
        return float(np.abs(self.theirs - self.ours[:, :, -self.theirs.shape[2] :]).max())


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Compared]:
    """Fit all estimators, and have them explained by both."""
    asked = {}
    for name, (estimator, count) in (LINEAR | ENSEMBLES | HUNDREDTHS).items():
        frame, y = table(8, 100) if name in HUNDREDTHS else table(20, 128)
        folder = tmp_path_factory.mktemp("asked")
        asked[folder] = name, ask(estimator, frame, y, count, folder)
    subprocess.run([PYTHON, "-W", "error", SCRIPT, *asked], check=True)
    return {name: compare(found, folder) for folder, (name, found) in asked.items()}


def ask(
    estimator: Any, frame: pd.DataFrame, y: NDArray[np.float64], count: int, folder: Path
) -> Explained:
    """Fit an estimator, of so many classes if any, and write down what the library is asked."""
    labels = pd.qcut(y, count, labels=False) if count else y
    model = clone(estimator).fit(frame.to_numpy(), labels)
    found = explained(model, frame)
    (folder / "estimator.pkl").write_bytes(pickle.dumps(model))
    np.savez(folder / "rows.npz", rows=found.rows[:ROWS], background=found.explainer.background)
    return found


def compare(found: Explained, folder: Path) -> Compared:
    with np.load(folder / "values.npz") as written:
        theirs = written["values"].reshape(ROWS, found.rows.shape[1], -1)
    if found.link == "softmax":  # margins are determined up to what they have in common
        theirs -= theirs.mean(axis=2, keepdims=True)
    return Compared(found, np.stack([found.found(row) for row in found.rows[:ROWS]]), theirs)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_models(compared: dict[str, Compared], name: str) -> None:
    assert compared[name].difference <= 1e-12


@pytest.mark.parametrize("name", ENSEMBLES)
def test_trees(compared: dict[str, Compared], name: str) -> None:
    assert compared[name].difference <= 1e-6  # float32, again


@pytest.mark.parametrize("name", HUNDREDTHS)
def test_where_the_library_is_off_the_definition_is_met(
    compared: dict[str, Compared], name: str
) -> None:
    """Where the last line fails, the library has been mended: its values may be asked for."""
    one = compared[name]

    expected = np.stack([one.found.expected(row) for row in one.found.rows[:ROWS]])

    assert np.abs(one.ours - expected).max() <= 1e-12
    assert one.difference >= 1e-3
