"""The outputs of the Open Inference Protocol for each kind of target, and explanations."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.svm import LinearSVC

import training
from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.proof import classes, numbers, values
from tests.support.tensors import LENGTH, client_of, tensors

ROWS = 3
INFER = "/v2/models/other/infer"
ALWAYS = ["prediction_id", "warnings"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    whole = numbers()
    return (whole - whole.mean()) / (whole.std() + 1)


def infer(estimator: Any, frame: pd.DataFrame, out: Path, **parameters: bool) -> dict[str, Any]:
    """Return the outputs by name, after a check against the metadata."""
    package = training.export(estimator, frame, out=out / "p", name="other", target="y")
    client = client_of(package.path)
    inputs = tensors(package.signature, frame.head(ROWS))
    answer = client.post(INFER, json={"inputs": inputs, "parameters": parameters})
    assert answer.status_code == 200, answer.text
    shapes = {
        one["name"]: (one["datatype"], one["shape"][1:])
        for one in client.get("/v2/models/other").json()["outputs"]
    }
    outputs = {one["name"]: one for one in answer.json()["outputs"]}
    for name, one in outputs.items():
        assert (one["datatype"], one["shape"][1:]) == shapes[name]
        assert len(one["data"]) == np.prod(one["shape"])
    return outputs


def test_a_regressor_has_values(frame: pd.DataFrame, tmp_path: Path) -> None:
    regressor = LinearRegression().fit(frame, values(2))

    outputs = infer(regressor, frame, tmp_path)

    assert sorted(outputs) == sorted(["values", *ALWAYS])
    assert outputs["values"]["parameters"] == {"columns": ["y_0", "y_1"]}
    expected = regressor.predict(frame.head(ROWS)).ravel()
    assert outputs["values"]["data"] == pytest.approx(expected.tolist(), rel=1e-9)


def test_a_decision_is_a_score_and_labels_keep_their_type(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    classifier = LinearSVC().fit(frame, classes(2))

    outputs = infer(classifier, frame, tmp_path)

    assert sorted(outputs) == sorted(["label", "score", *ALWAYS])
    assert outputs["label"]["datatype"] == "INT64"
    assert outputs["label"]["data"] == classifier.predict(frame.head(ROWS)).tolist()


def test_a_cluster_has_a_label_alone(frame: pd.DataFrame, tmp_path: Path) -> None:
    clusters = KMeans(3, random_state=0).fit(frame)

    outputs = infer(clusters, frame, tmp_path)

    assert sorted(outputs) == sorted(["label", *ALWAYS])
    assert outputs["label"]["data"] == clusters.predict(frame.head(ROWS)).tolist()


def test_each_of_several_targets_has_outputs_of_its_own(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    targets = np.column_stack([classes(2), np.roll(classes(2), 1)]).astype(bool)
    model = MultiOutputClassifier(LogisticRegression()).fit(frame, targets)

    outputs = infer(model, frame, tmp_path)

    assert {"y_0.label", "y_0.probabilities", "y_1.score"} <= outputs.keys()
    assert outputs["y_1.label"]["datatype"] == "BOOL"
    expected = model.predict_proba(frame.head(ROWS))[1].ravel()
    assert outputs["y_1.probabilities"]["data"] == pytest.approx(expected.tolist(), abs=1e-9)


def test_contributions_and_base_add_up_where_they_are_requested(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    regressor = LinearRegression().fit(frame, values())

    outputs = infer(regressor, frame, tmp_path, explain=True)

    assert outputs["contributions"]["parameters"] == {"columns": [*frame.columns]}
    contributions = np.reshape(outputs["contributions"]["data"], outputs["contributions"]["shape"])
    sums = contributions.sum(axis=1) + outputs["base"]["data"]
    assert sums.tolist() == pytest.approx(outputs["values"]["data"], rel=1e-9)
    [whole] = json.loads(outputs["explanation"]["data"][0])
    assert (whole["method"], whole["scale"]) == ("linear", "value")


def test_several_answers_have_a_contribution_each(frame: pd.DataFrame, tmp_path: Path) -> None:
    outputs = infer(LinearRegression().fit(frame, values(2)), frame, tmp_path, explain=True)

    assert outputs["base"]["shape"] == [ROWS, 2]
    assert outputs["contributions"]["shape"] == [ROWS, 2, len(frame.columns)]


def test_naming_an_explanation_requests_it(churn: Trained) -> None:
    client = client_of(churn.package)
    signature = Predictor.open(churn.package).package.signature
    inputs = tensors(signature, churn.frame.head(ROWS))
    body = {"inputs": inputs, "outputs": [{"name": "contributions"}]}

    answer = client.post("/v2/models/churn/infer", json=body)

    [output] = answer.json()["outputs"]
    assert output["shape"] == [ROWS, len(signature.features)]


def test_a_score_that_is_not_finite_is_null_in_json(frame: pd.DataFrame, tmp_path: Path) -> None:
    """JSON cannot represent it; as bytes it is itself."""
    regressor = LinearRegression().fit(frame, values())
    regressor.coef_[:] = 1e290
    package = training.export(regressor, frame, out=tmp_path / "p", name="other", target="y")
    client = client_of(package.path)
    inputs = tensors(package.signature, frame.head(1))
    for tensor in inputs:
        tensor["data"] = [1e300]
    body = [{"name": "values", "parameters": {"binary_data": True}}]

    as_json = client.post(INFER, json={"inputs": inputs, "outputs": [{"name": "values"}]})
    as_bytes = client.post(INFER, json={"inputs": inputs, "outputs": body})

    assert as_json.json()["outputs"][0]["data"] == [None]
    length = int(as_bytes.headers[LENGTH])
    assert np.frombuffer(as_bytes.content[length:], "<f8").tolist() == [np.inf]


def test_the_thresholds_are_parameters_of_the_answer(frame: pd.DataFrame, tmp_path: Path) -> None:
    targets = np.column_stack([classes(2) == 1, np.arange(len(frame)) % 3])
    model = MultiOutputClassifier(LogisticRegression()).fit(frame, targets)
    package = training.export(model, frame, out=tmp_path / "p", name="other", target="y")
    inputs = tensors(package.signature, frame.head(ROWS))

    answer = client_of(package.path).post(INFER, json={"inputs": inputs}).json()

    assert answer["parameters"] == {"y_0.threshold": 0.5}
