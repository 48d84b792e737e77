"""Explains fitted estimators with the shap library; runs in .venv-shap, told their folders.

That environment has the scikit-learn of the tests, so that it can read what they have pickled.
"""

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shap
from numpy.typing import NDArray
from sklearn.base import BaseEstimator


def explainer(estimator: BaseEstimator, background: NDArray[np.float64]) -> Any:
    """Choose as a user of shap does, for interventional values of the raw score."""
    if hasattr(estimator, "coef_"):
        return shap.LinearExplainer(estimator, background)
    return shap.TreeExplainer(estimator, background, feature_perturbation="interventional")


def explain(folder: Path) -> None:
    """Write the values of a folder's estimator and rows, [N, F] or [N, F, C]."""
    estimator = pickle.loads((folder / "estimator.pkl").read_bytes())
    with np.load(folder / "rows.npz") as asked:
        explains = explainer(estimator, asked["background"])
        values = explains.shap_values(asked["rows"], **_quietly(explains))
    np.savez(folder / "values.npz", values=values)


def _quietly(explains: Any) -> dict[str, bool]:
    """Have values that do not add up written down as well; it is the test that judges them."""
    return {"check_additivity": False} if isinstance(explains, shap.TreeExplainer) else {}


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        explain(Path(argument))
