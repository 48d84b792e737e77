"""Models of several families, fitted to any table of `tests.support.kinds`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.support.kinds import Table

type Make = Callable[[], Any]

FAMILIES: Final[Mapping[str, tuple[Make, Make]]] = {
    "linear": (LogisticRegression, Ridge),
    "tree": (
        lambda: DecisionTreeClassifier(max_depth=5, random_state=0),
        lambda: DecisionTreeRegressor(max_depth=5, random_state=0),
    ),
    "forest": (
        lambda: RandomForestClassifier(8, random_state=0),
        lambda: RandomForestRegressor(8, random_state=0),
    ),
    "gradient boosting": (
        lambda: HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=2),
        lambda: HistGradientBoostingRegressor(max_iter=8, min_samples_leaf=2),
    ),
    "neighbours": (lambda: KNeighborsClassifier(2), lambda: KNeighborsRegressor(2)),
    "support vectors": (SVC, SVR),
}
"""A classifier and a regressor of each of the six families."""

MORE: Final[Mapping[str, tuple[Make, Make]]] = {
    "boosted trees": (
        lambda: GradientBoostingClassifier(n_estimators=8, random_state=0),
        lambda: GradientBoostingRegressor(n_estimators=8, random_state=0),
    ),
    "network": (
        lambda: MLPClassifier((6,), solver="lbfgs", max_iter=60, random_state=0),
        lambda: MLPRegressor(hidden_layer_sizes=(6,), solver="lbfgs", max_iter=60, random_state=0),
    ),
    "calibrated": (lambda: CalibratedClassifierCV(LogisticRegression(), cv=2), Ridge),
    "thresholded": (lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.3), Ridge),
    "stacked": (
        lambda: StackingClassifier([("t", DecisionTreeClassifier(max_depth=3))], cv=2),
        Ridge,
    ),
    "search": (
        lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
        lambda: GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
    ),
}
"""Further models, as users wrap them."""


def fitted(family: str, table: Table, *, bare: bool = False) -> Any:
    """Return a pipeline of a family of `FAMILIES` or `MORE`, fitted to a table.

    A `bare` estimator has no steps before it: it takes tables of numbers and booleans.
    """
    classifier, regressor = {**FAMILIES, **MORE}[family]
    model = classifier() if table.classifies else regressor()
    if isinstance(table.target, pd.DataFrame):
        each = MultiOutputClassifier if table.classifies else MultiOutputRegressor
        model = each(model)
    pipeline = model if bare else make_pipeline(preparation(table), model)
    return pipeline.fit(table.features, table.target)


def preparation(table: Table) -> ColumnTransformer:
    """Return the steps before a model: what a data scientist does to columns of each kind."""
    frame = table.features.drop(columns=[*table.unread])
    kinds = {name: _kind(frame[name]) for name in frame}

    def of(kind: str) -> list[Any]:
        return [name for name, own in kinds.items() if own == kind]

    filled = SimpleImputer(add_indicator=True, keep_empty_features=True)
    steps = [
        ("numbers", make_pipeline(filled, StandardScaler()), of("number")),
        ("categories", OneHotEncoder(handle_unknown="ignore"), of("category")),
        ("booleans", "passthrough", of("boolean")),
        ("dates", StandardScaler(), of("date")),
        *((f"text {name}", CountVectorizer(), name) for name in of("text")),
    ]
    return ColumnTransformer([step for step in steps if step[2]])


def _kind(column: "pd.Series[Any]") -> str:
    if column.dtype.kind == "M":
        return "date"
    if column.dtype.kind == "b":
        return "boolean"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "number"
    return "text" if column.name == "review" else "category"
