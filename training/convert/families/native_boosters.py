"""Boosters of LightGBM's and XGBoost's own interfaces, which predict with one method.

They know no classes: what their `predict` gives is the answer, for a binary objective the
probability of the second class as a number.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import package


class NativeBooster(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A booster, with what scikit-learn's estimators have: a `predict` of frames, and names.

    Parameters
    ----------
    booster : Booster
        Of `lightgbm` or `xgboost`, trained.
    """

    def __init__(self, booster: Any) -> None:
        self.booster = booster

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: pd.DataFrame, y: object = None) -> "NativeBooster":
        """Return the booster unchanged: it is trained."""
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return what the booster's own `predict` gives for a frame, [N] or [N, C]."""
        return _PREDICT[package(self.booster)](self.booster, X)

    @property
    def feature_names_in_(self) -> list[str]:
        """The names that it was trained with; raise AttributeError if there were none."""
        names = _names(self.booster)
        if names is None:
            raise AttributeError("the booster was trained on columns without names")
        return names

    @property
    def n_features_in_(self) -> int:
        """The number of columns that it was trained on."""
        count = "num_feature" if package(self.booster) == "lightgbm" else "num_features"
        return int(getattr(self.booster, count)())


def adopted(estimator: Estimator) -> Estimator:
    """Return an estimator for a native booster, and any other as it is."""
    is_booster = type(estimator).__name__ == "Booster" and package(estimator) in _PREDICT
    return NativeBooster(estimator) if is_booster else estimator


def _names(booster: Any) -> list[str] | None:
    if package(booster) == "xgboost":
        return None if booster.feature_names is None else list(booster.feature_names)
    names = list(booster.feature_name())
    numbered = [f"Column_{place}" for place in range(len(names))]
    return None if names == numbered else names


def _lightgbm(booster: Any, frame: pd.DataFrame) -> NDArray[Any]:
    return np.asarray(booster.predict(frame, num_threads=1))


def _xgboost(booster: Any, frame: pd.DataFrame) -> NDArray[Any]:
    from xgboost import DMatrix

    categories = any(isinstance(dtype, pd.CategoricalDtype) for dtype in frame.dtypes)
    rows = DMatrix(
        frame,
        enable_categorical=True,
        feature_types=None if categories else booster.feature_types,
        nthread=1,
    )
    return np.asarray(booster.predict(rows, validate_features=booster.feature_names is not None))


_PREDICT: Final[dict[str, Callable[[Any, pd.DataFrame], NDArray[Any]]]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
}


def _native(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    return scope.run("booster", estimator.booster, matrix)


CONVERTERS: Final[dict[type | str, Convert]] = {NativeBooster: _native}
