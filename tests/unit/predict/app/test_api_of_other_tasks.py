"""The service for models that return values or decisions instead of probabilities."""

from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.svm import LinearSVC
from starlette.testclient import TestClient

import training
from functions.predict.app.api import create_app
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from functions.predict.settings import Settings
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.support.openapi import inline
from tests.support.proof import classes, numbers, values

SETTINGS = Settings(model_dir=Path(), max_rows=50, max_bytes=200_000, log_level="INFO")
ALWAYS = ["prediction_id", "warnings"]
OPTIONAL = ["explanations", "index", "row_id"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return numbers()


def predict(estimator: Any, frame: pd.DataFrame, out: Path, target: str) -> tuple[Any, Any]:
    package = training.export(estimator, frame, out=out / "p", name="other", target=target)
    service = Service(ServedModel(Predictor.open(package.path)))
    lines = Log(f"test {out}", SETTINGS.log_level, StringIO())
    client = TestClient(create_app(Registry(service), Limits(50, 200_000), lines))
    rows = frame.head(3).to_dict("records")
    predictions = client.post("/predict", json={"instances": rows}).json()["predictions"]
    document = inline(client.get("/openapi.json").json())
    responses = document["paths"]["/predict"]["post"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    return predictions, schema["properties"]["predictions"]["items"]["properties"]


def test_a_regressor_returns_its_value(frame: pd.DataFrame, tmp_path: Path) -> None:
    regressor = LinearRegression().fit(frame, values())

    predictions, schema = predict(regressor, frame, tmp_path, "price")

    expected = regressor.predict(frame.head(3))
    assert [p["values"]["price"] for p in predictions] == pytest.approx(list(expected), rel=1e-9)
    assert all(sorted(p) == sorted(["values", *ALWAYS]) for p in predictions)
    assert sorted(schema) == sorted(["values", *OPTIONAL, *ALWAYS])


def test_several_outputs_have_a_name_each(frame: pd.DataFrame, tmp_path: Path) -> None:
    regressor = LinearRegression().fit(frame, values(2))

    predictions, _ = predict(regressor, frame, tmp_path, "price")

    assert list(predictions[0]["values"]) == ["price_0", "price_1"]


def test_a_classifier_without_probabilities_returns_its_decision(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    scaled = (frame - frame.mean()) / (frame.std() + 1)
    classifier = LinearSVC().fit(scaled, classes(2))

    predictions, schema = predict(classifier, scaled, tmp_path, "left")

    decisions = classifier.decision_function(scaled.head(3))
    assert [p["score"] for p in predictions] == pytest.approx(list(decisions), rel=1e-9)
    assert [p["label"] for p in predictions] == classifier.predict(scaled.head(3)).tolist()
    assert sorted(schema) == sorted(["label", "score", "threshold", *OPTIONAL, *ALWAYS])
    assert {p["threshold"] for p in predictions} == {schema["threshold"]["example"]} == {0.0}


def test_a_threshold_of_the_models_own_is_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    scaled = (frame - frame.mean()) / frame.std().clip(lower=1e-3)
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.3)
    model.fit(scaled, classes(2))

    predictions, schema = predict(model, scaled, tmp_path, target="kind")

    assert {p["threshold"] for p in predictions} == {schema["threshold"]["example"]} == {0.3}
    description = "The label is 1 for a score at or above this threshold."
    assert schema["threshold"]["description"] == description


def test_several_classes_have_no_threshold(frame: pd.DataFrame, tmp_path: Path) -> None:
    scaled = (frame - frame.mean()) / frame.std().clip(lower=1e-3)
    model = LogisticRegression().fit(scaled, classes(3))

    predictions, schema = predict(model, scaled, tmp_path, target="kind")

    assert "threshold" not in schema
    assert all("threshold" not in p for p in predictions)
