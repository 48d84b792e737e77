"""Features are weighted by their effect on the scores, exactly where that is cheap."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier

from sklambda.codec.codec import Codec
from sklambda.session import Session
from training.explain import explainer_file, feature_weights
from training.frames import client_rows, kinds_of
from training.proof.conversion import Conversion


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    drawn = np.random.default_rng(3)
    return pd.DataFrame({name: drawn.normal(size=400) for name in ("a", "b", "idle")})


def weigh(estimator: Any, frame: pd.DataFrame) -> dict[str, float]:
    conversion = Conversion(estimator, frame, kinds_of(frame))
    model, signature = conversion.convert()
    X = Codec(signature).encode(client_rows(frame, signature.kinds))
    explainer = explainer_file(model, signature, frame)
    return feature_weights(signature, Session(model), explainer, X)


def test_a_linear_model_weighs_by_its_coefficients(frame: pd.DataFrame) -> None:
    found = weigh(LinearRegression().fit(frame, 3 * frame["a"] - frame["b"]), frame)

    assert found == pytest.approx({"a": 0.75, "b": 0.25, "idle": 0}, abs=0.03)


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), HistGradientBoostingClassifier(max_iter=20), KNeighborsClassifier(25)],
    ids=["linear", "trees", "without a closed form"],
)
def test_what_matters_most_weighs_most(estimator: Any, frame: pd.DataFrame) -> None:
    found = weigh(estimator.fit(frame, 3 * frame["a"] - frame["b"] > 0), frame)

    assert found["a"] > found["b"] > found["idle"]
    assert sum(found.values()) == pytest.approx(1)


def test_a_forest_too_great_for_exact_values_is_weighed_all_the_same(frame: pd.DataFrame) -> None:
    deep = RandomForestRegressor(400, random_state=0).fit(frame, 3 * frame["a"] - frame["b"])

    found = weigh(deep, frame)

    assert found["a"] > found["b"] > found["idle"]


def test_each_score_counts_the_same_whatever_its_unit(frame: pd.DataFrame) -> None:
    values = pd.DataFrame({"pence": 1000 * frame["a"], "pounds": frame["b"]})

    found = weigh(MultiOutputRegressor(LinearRegression()).fit(frame, values), frame)

    assert found == pytest.approx({"a": 0.5, "b": 0.5, "idle": 0}, abs=1e-9)


def test_a_model_that_never_moves_weighs_nothing(frame: pd.DataFrame) -> None:
    found = weigh(DummyRegressor().fit(frame, frame["a"]), frame)

    assert found == {"a": 0, "b": 0, "idle": 0}
