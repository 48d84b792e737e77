"""``/invocations`` returns scikit-learn's own predictions, for models of every task."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.svm import LinearSVC
from starlette.testclient import TestClient

import training
from functions.predict.model import PredictionRequest, PredictionResponse
from sklambda.predictor import Predictor
from tests.support.invocations import CSV, client_of
from tests.support.proof import classes, numbers, values


class Requests(list[PredictionRequest]):
    """A listener that keeps the requests."""

    def __call__(self, request: PredictionRequest, response: PredictionResponse) -> None:
        self.append(request)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return numbers()[["grid", "tiny"]].round(3)


def serve(estimator: Any, frame: pd.DataFrame, out: Path, *listeners: Requests) -> TestClient:
    package = training.export(estimator, frame, out=out / "p", name="other", target="y")
    return client_of(Predictor.open(package.path), *listeners)


def ask(client: TestClient, frame: pd.DataFrame, method: str = "predict") -> Any:
    body = {"inputs": frame.head(4).to_numpy().tolist(), "params": {"method": method}}
    response = client.post("/invocations", json=body)
    return response.json().get("predictions", response.status_code)


@pytest.mark.parametrize(
    ("estimator", "y", "method", "other"),
    [
        (LogisticRegression(), classes(3), "predict_proba", "decision_function"),
        (LinearSVC(), classes(2), "decision_function", "predict_proba"),
        (LinearSVC(), classes(3), "decision_function", "predict_proba"),
        (IsolationForest(n_estimators=5, random_state=0), None, "decision_function", "transform"),
        (KMeans(3, n_init=1, random_state=0), None, "predict", "predict_proba"),
        (LinearRegression(), values(), "predict", "decision_function"),
        (LinearRegression(), values(2), "predict", "predict_proba"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else None,
)
def test_a_method_gives_what_scikit_learn_gives(
    frame: pd.DataFrame, tmp_path: Path, estimator: Any, y: Any, method: str, other: str
) -> None:
    estimator.fit(frame, y)
    client = serve(estimator, frame, tmp_path)

    predicted, scored = ask(client, frame), ask(client, frame, method)

    expected = estimator.predict(frame.head(4))
    scores = getattr(estimator, method)(frame.head(4))
    if expected.dtype.kind == "f":
        assert np.array(predicted) == pytest.approx(expected, rel=1e-9)
    else:
        assert predicted == expected.tolist()
    assert np.array(scored) == pytest.approx(scores, rel=1e-9, abs=1e-12)
    assert ask(client, frame, other) == 422


def test_of_several_targets_each_row_has_a_list(frame: pd.DataFrame, tmp_path: Path) -> None:
    y = np.column_stack([classes(2), classes(3) == "yes"]).astype(int)
    estimator = MultiOutputClassifier(LogisticRegression()).fit(frame, y)
    client = serve(estimator, frame, tmp_path)

    predicted, scored = ask(client, frame), ask(client, frame, "predict_proba")

    expected = np.stack(estimator.predict_proba(frame.head(4)), axis=1)
    assert predicted == estimator.predict(frame.head(4)).tolist()
    assert np.array(scored) == pytest.approx(expected, abs=1e-9)


def test_a_csv_line_holds_all_values_of_a_row(frame: pd.DataFrame, tmp_path: Path) -> None:
    estimator = LinearRegression().fit(frame, values(2))
    client = serve(estimator, frame, tmp_path)
    content = frame.head(4).to_csv(index=False)

    response = client.post("/invocations", content=content, headers=CSV | {"accept": "text/csv"})

    cells = [[float(cell) for cell in line.split(",")] for line in response.text.splitlines()]
    assert np.array(cells) == pytest.approx(estimator.predict(frame.head(4)), rel=1e-9)


def test_1_for_a_boolean_is_coerced_in_csv_and_refused_in_json(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame = frame.assign(flag=frame["grid"] > 0)
    requests = Requests()
    client = serve(LogisticRegression().fit(frame, classes(2)), frame, tmp_path, requests)

    scored = client.post("/invocations", content="0.1,0.2,1\n0.1,0.2,TRUE\n", headers=CSV)
    refused = client.post("/invocations", content=json.dumps({"instances": [[0.1, 0.2, 1]]}))

    assert len(set(scored.json()["predictions"])) == 1
    assert [request.coerced for request in requests] == [[(0, "flag")]]
    assert refused.json()["errors"][0]["pointer"] == "/instances/0/2"
