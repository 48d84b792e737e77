"""The user's functions of numbers are followed into the graph, which scores as scikit-learn."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.support.proof import classes, numbers, prove, values
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

# Extreme numbers overflow on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def ratios(X: pd.DataFrame) -> pd.DataFrame:
    X = X.copy()
    X["rate"] = X["grid"] / (X["skewed"].abs() + 1)
    X["squared"] = X["whole"] ** 2
    return X.drop(columns=["large"])


def assigned(X: pd.DataFrame) -> pd.DataFrame:
    made = X.assign(double=X["grid"] * 2, half=lambda frame: frame["double"] / 4)
    made.insert(0, "first", made["whole"] + 1)
    return made.rename(columns={"whole": "count"})[["first", "count", "half"]]


def divided(X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"hour": X["skewed"] // 0.3 % 24, "rest": X["whole"] % 7 // 2})


def filled(X: pd.DataFrame) -> pd.DataFrame:
    X = X.copy()
    X["gap"] = X["grid"].isna().astype(int)
    X.loc[X["skewed"] > 2, "skewed"] = 2.0
    return X.fillna({"grid": -1.5}).fillna(0)


def binned(X: pd.DataFrame) -> pd.DataFrame:
    edges = [-np.inf, -1, 0, 0.5, np.inf]
    return pd.DataFrame(
        {
            "cut": pd.cut(X["grid"], edges, labels=False),
            "rule": X["skewed"].apply(lambda v: 1 if v > 3 else 0 if v > 1 else -v),
            "selected": np.select([X["whole"] == 0, X["whole"] <= 3], [0, 1], default=2),
        }
    )


def of_rows(X: pd.DataFrame) -> pd.DataFrame:
    numbers = X[["grid", "skewed", "whole"]]
    return pd.DataFrame(
        {"sum": numbers.sum(axis=1), "mean": numbers.mean(axis=1), "most": numbers.max(axis=1)}
    )


def of_array(X: Any) -> Any:
    X = np.asarray(X, dtype=float)
    made = np.c_[X, np.log1p(np.maximum(X[:, 0], 0)), np.where(X[:, 1] > 1, X[:, 1], -1)]
    return np.hstack([made, np.clip(X, -1, 1).round(1)])


level = np.vectorize(lambda value: 0 if value < 0.5 else 1 if value < 2 else 2)


def leveled(X: pd.DataFrame) -> pd.DataFrame:
    return X.assign(level=level(X["skewed"]))


FRAMES: Final = (leveled, ratios, assigned, divided, filled, binned, of_rows)


@pytest.mark.parametrize("function", [*FRAMES, of_array], ids=lambda each: each.__name__)
def test_a_function_of_numbers_equals_scikit_learn(function: Callable[..., Any]) -> None:
    frame = numbers(missing=True)[["grid", "large", "skewed", "whole"]]
    trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)

    prove(make_pipeline(FunctionTransformer(function), trees).fit(frame, classes(2)), frame)


def angles(X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"to": np.arctan2(X["y"], X["x"]), "away": np.arctan2(X["y"], -X["x"])})


def test_angles_of_points_on_the_axes_have_the_signs_of_zeros() -> None:
    ends = [0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300, 5.0]
    y, x = (each.ravel() for each in np.meshgrid(ends, ends))
    frame = pd.DataFrame({"y": y, "x": x})

    prove(make_pipeline(FunctionTransformer(angles), Ridge()).fit(frame, np.arange(64.0)), frame)


TEXTS: Final = pd.DataFrame({"text": ["good film", "bad film", "good, good", "so bad"] * 20})
GOOD: Final = [1, 0, 1, 0] * 20


def counted() -> ColumnTransformer:
    """Return a step whose result is a sparse matrix."""
    return ColumnTransformer([("words", TfidfVectorizer(), "text")], sparse_threshold=1)


class Dense(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any = None) -> "Dense":
        return self

    def transform(self, X: Any) -> Any:
        return X.toarray() if issparse(X) else X


DENSE: Final = {
    "method": FunctionTransformer(lambda X: X.toarray(), accept_sparse=True),
    "matrix": FunctionTransformer(lambda X: np.asarray(X.todense()), accept_sparse=True),
    "class": Dense(),
}


@pytest.mark.parametrize("name", DENSE)
def test_a_sparse_matrix_can_be_made_dense(name: str) -> None:
    trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)

    prove(make_pipeline(counted(), DENSE[name], trees).fit(TEXTS, GOOD), TEXTS)


def test_a_sparse_matrix_is_made_dense_before_anything_else() -> None:
    doubled = FunctionTransformer(lambda X: X * 2, accept_sparse=True)
    pipeline = make_pipeline(counted(), doubled, Ridge()).fit(TEXTS, GOOD)

    with pytest.raises(ConversionRefused, match=r"arithmetic of a sparse matrix; use toarray\(\)"):
        Conversion(pipeline, TEXTS, kinds_of(TEXTS)).convert()


def mean_of_rows(X: pd.DataFrame) -> pd.DataFrame:
    return X.fillna(X.mean())


def noisy(X: pd.DataFrame) -> pd.DataFrame:
    return X + np.random.default_rng().normal(size=X.shape)


def shifted(X: pd.DataFrame) -> pd.DataFrame:
    X = X.copy()
    X["before"] = X["grid"].shift(1).fillna(0)
    return X


def sampled(X: pd.DataFrame) -> pd.DataFrame:
    middle = X["grid"].median()
    return X.where(X["grid"] > middle, 0)


REFUSED: Final = {
    mean_of_rows: r"`return X.fillna\(X.mean\(\)\)`.*; learn",
    noisy: "not give the same answer twice.*; add noise before training",
    shifted: r'`X\["before"\] = .*shift looks at the other rows; ',
    sampled: r"`middle = .*median looks at the other rows; learn the value in fit",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda each: each.__name__)
def test_a_function_of_other_rows_is_refused_at_its_line(function: Callable[..., Any]) -> None:
    frame = numbers()[["grid", "skewed", "whole"]]
    pipeline = make_pipeline(FunctionTransformer(function), Ridge()).fit(frame, values())

    with pytest.raises(ConversionRefused, match=REFUSED[function]):
        Conversion(pipeline, frame, kinds_of(frame)).convert()
