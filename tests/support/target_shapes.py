"""A small package of each shape of target, all on one table."""

import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.svm import SVC

from training.exporter import export

ROWS: Final = 60


def table(seed: int = 5) -> pd.DataFrame:
    """Make two columns of numbers around 0."""
    values = np.random.default_rng(seed).normal(size=(ROWS, 2)).round(3)
    return pd.DataFrame(values, columns=["a", "b"])


def _sum(frame: pd.DataFrame) -> Any:
    return (frame["a"] + frame["b"]).to_numpy()


def _two(frame: pd.DataFrame) -> Any:
    return np.where(_sum(frame) > 0, "yes", "no")


def _three(frame: pd.DataFrame) -> Any:
    return np.array(["low", "mid", "top"])[np.digitize(_sum(frame), [-0.7, 0.7])]


def _pair(frame: pd.DataFrame) -> Any:
    return np.c_[_sum(frame), -_sum(frame) / 3]


def _targets(frame: pd.DataFrame) -> Any:
    return np.c_[_two(frame), _three(frame)]


def _hard_vote() -> VotingClassifier:
    return VotingClassifier([("a", LogisticRegression()), ("b", LogisticRegression(C=0.1))])


def _thresholded() -> FixedThresholdClassifier:
    return FixedThresholdClassifier(LogisticRegression(), threshold=0.3)


def _with_probabilities() -> SVC:
    return SVC(probability=True, random_state=0)


def _no_target(_: pd.DataFrame) -> None:
    return None


SHAPES: Final[dict[str, tuple[Callable[[], Any], Callable[[pd.DataFrame], Any], Any]]] = {
    "two classes": (LogisticRegression, _two, "y"),
    "a threshold": (
        lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.3),
        _two,
        "y",
    ),
    "a decision": (RidgeClassifier, _two, "y"),
    "a hard vote": (_hard_vote, _two, "y"),
    "three classes": (LogisticRegression, _three, "y"),
    "votes": (SVC, _three, "y"),
    "two classes by decision": (_with_probabilities, _two, "y"),
    "three classes by votes": (_with_probabilities, _three, "y"),
    "a value": (LinearRegression, _sum, "y"),
    "several outputs": (LinearRegression, _pair, ["u", "v"]),
    "wrapped outputs": (lambda: MultiOutputRegressor(LinearRegression()), _pair, ["u", "v"]),
    "several targets": (lambda: MultiOutputClassifier(LogisticRegression()), _targets, ["y", "z"]),
    "targets of decisions": (
        lambda: MultiOutputClassifier(RidgeClassifier()),
        _targets,
        ["y", "z"],
    ),
    "anomalies": (lambda: IsolationForest(n_estimators=5, random_state=0), _no_target, None),
    "clusters": (lambda: KMeans(3, n_init=1, random_state=0), _no_target, None),
    "a mixture": (lambda: GaussianMixture(2, random_state=0), _no_target, None),
}
"""The estimator, the outcomes and the names of the targets of each shape."""


@cache
def package(shape: str, folder: Path) -> Path:
    """Write the package of a shape once, below a folder."""
    make, target_of, names = SHAPES[shape]
    frame = table()
    target = target_of(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of SVC(probability=True)
        model = make().fit(frame) if target is None else make().fit(frame, target)
    out = folder / shape.replace(" ", "_")
    return export(model, frame, out=out, name=shape.replace(" ", "-"), target=names).path
