"""The prediction service over ASGI: predictions, and problems that echo no value."""

import json
import math
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from functions.predict.app.api import create_app
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from functions.predict.settings import Settings
from sklambda.manifest import GoldenRow
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import Trained
from tests.support.openapi import inline
from training.frames import client_rows, kinds_of

SETTINGS = Settings(model_dir=Path(), max_rows=50, max_bytes=200_000, log_level="INFO")
LIMITS = Limits(SETTINGS.max_rows, SETTINGS.max_bytes)
SECRET = "secret-4711"


def client_of(predictor: Predictor, log: StringIO | None = None) -> TestClient:
    lines = Log(f"test {id(log)}", SETTINGS.log_level, log or StringIO())
    return TestClient(create_app(Registry(Service(ServedModel(predictor))), LIMITS, lines))


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(Predictor.open(churn.package)) as client:
        yield client


@pytest.fixture
def row(predictor: Predictor) -> dict[str, Any]:
    return dict(predictor.package.signature.example)


def problem(response: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"]) == (status, status)
    assert body["type"] == f"urn:sklambda:problem:{kind}"
    assert body["title"]
    assert body["detail"]
    return body


def test_each_row_gets_label_score_and_probabilities(client: TestClient, churn: Trained) -> None:
    frame = churn.frame.head(20)
    rows = client_rows(frame, kinds_of(frame))

    body = client.post("/predict", json={"instances": rows}).json()

    expected = churn.pipeline.predict_proba(frame)
    predictions = body["predictions"]
    assert [p["label"] for p in predictions] == churn.pipeline.predict(frame).tolist()
    assert [p["score"] for p in predictions] == pytest.approx(expected[:, 1], abs=1e-9, rel=0)
    assert [list(p["probabilities"]) for p in predictions] == [["No", "Yes"]] * 20
    assert {p["threshold"] for p in predictions} == {0.5}
    assert body["model"] == {"name": "churn", "id": ModelPackage.open(churn.package).manifest.id}


def test_a_missing_value_is_null(client: TestClient, row: dict[str, Any]) -> None:
    response = client.post("/predict", json={"instances": [row | {"TotalCharges": None}]})

    assert response.status_code == 200


def test_every_fault_has_its_pointer_and_code(client: TestClient, row: dict[str, Any]) -> None:
    wrong = row | {"tenure": SECRET, "gender": 7, "a/b~c": SECRET}
    del wrong["Contract"]

    response = client.post("/predict", json={"instances": [row, wrong]})

    body = problem(response, 422, "rows-invalid")
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [
        ("/instances/1/gender", "type"),
        ("/instances/1/tenure", "type"),
        ("/instances/1/Contract", "absent"),
        ("/instances/1/a~1b~0c", "unknown_feature"),
    ]
    assert body["total"] == 4
    assert SECRET not in response.text


def test_a_long_list_of_faults_is_cut_and_counted(client: TestClient) -> None:
    body = problem(client.post("/predict", json={"instances": [{}] * 50}), 422, "rows-invalid")

    assert len(body["errors"]) == 100
    assert body["total"] == 50 * 19


def test_members_that_are_unknown_or_doubled_are_counted_beyond_the_list(
    client: TestClient,
) -> None:
    unknown: dict[str, object] = {"instances": [{}]} | {f"m{k}": 0 for k in range(150)}
    doubled = f'{{"instances": [{{{",".join(['"tenure": 1'] * 151)}}}]}}'

    for content in (json.dumps(unknown), doubled):
        refused = client.post(
            "/predict", content=content, headers={"content-type": "application/json"}
        )
        body = problem(refused, 422, "body-invalid")
        assert (len(body["errors"]), body["total"]) == (100, 150)
        assert "(and 149 more)" in body["detail"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"NaN", b'{"instances": [{"tenure": NaN}]}', b"\xff"]
)
def test_what_is_no_json_is_a_bad_request(client: TestClient, content: bytes) -> None:
    response = client.post(
        "/predict", content=content, headers={"content-type": "application/json"}
    )

    problem(response, 400, "not-json")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ("instances", ""),
        ({}, "/instances"),
        ({"instances": []}, "/instances"),
        ({"instances": {}}, "/instances"),
        ({"instances": [{}], "dataframe_split": {}}, "/dataframe_split"),
    ],
)
def test_a_body_of_another_shape_is_refused_by_its_place(
    client: TestClient, body: object, pointer: str
) -> None:
    errors = problem(client.post("/predict", json=body), 422, "body-invalid")["errors"]

    assert [error["pointer"] for error in errors] == [pointer]


def test_more_rows_than_the_limit_are_too_many(client: TestClient, row: dict[str, Any]) -> None:
    response = client.post("/predict", json={"instances": [row] * 51})

    assert problem(response, 413, "too-many-rows")["limit"] == 50


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-www-form-urlencoded"])
def test_another_media_type_is_unsupported(client: TestClient, media_type: str) -> None:
    response = client.post("/predict", content=b"a,b", headers={"content-type": media_type})

    problem(response, 415, "unsupported-media-type")
    assert response.headers["accept"] == "application/json"


def test_json_with_a_character_set_is_json(client: TestClient, row: dict[str, Any]) -> None:
    response = client.post(
        "/predict",
        content=json.dumps({"instances": [row]}),
        headers={"content-type": "Application/JSON; charset=utf-8"},
    )

    assert response.status_code == 200


def test_an_explanation_adds_up_to_the_log_odds_of_the_score(
    client: TestClient, row: dict[str, Any]
) -> None:
    [prediction] = client.post("/predict?explain=true", json={"instances": [row]}).json()[
        "predictions"
    ]

    [explanation] = prediction["explanations"]
    added = explanation["base"] + sum(explanation["contributions"].values())
    assert explanation["scale"] == "log-odds"
    assert list(explanation["contributions"]) == list(row)
    assert 1 / (1 + math.exp(-added)) == pytest.approx(prediction["score"], abs=1e-9, rel=0)


def test_explain_is_true_or_false(client: TestClient, row: dict[str, Any]) -> None:
    response = client.post("/predict?explain=perhaps", json={"instances": [row]})

    problem(response, 422, "body-invalid")


def test_an_unknown_path_is_a_problem_too(client: TestClient) -> None:
    problem(client.get("/nothing"), 404, "not-found")


def test_a_wrong_method_is_a_problem_that_names_the_right_one(client: TestClient) -> None:
    response = client.get("/predict")

    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json()["status"] == "ready"


def test_another_answer_on_a_golden_row_stops_readiness_and_scoring(
    churn: Trained, row: dict[str, Any]
) -> None:
    whole = ModelPackage.open(churn.package)
    first = whole.golden[0].row
    wrong = GoldenRow(name="the odd one", row=first, scores=(0.5, 0.5), labels=("No",))
    package = ModelPackage(whole.path, whole.manifest, whole.signature, whole.model, (wrong,))
    client = client_of(Predictor(package))

    ready = client.get("/health/ready")
    scored = client.post("/predict", json={"instances": [row]})

    assert problem(ready, 503, "not-ready")["golden_row"] == "the odd one"
    assert problem(scored, 503, "not-ready")["golden_row"] == "the odd one"
    assert client.get("/health/live").status_code == 200


def test_the_model_shows_its_manifest_and_signature(client: TestClient, churn: Trained) -> None:
    whole = ModelPackage.open(churn.package)

    card = client.get("/model").json()

    assert card["manifest"]["id"] == whole.manifest.id
    assert [feature["name"] for feature in card["signature"]["features"]] == list(
        whole.signature.names
    )


def test_openapi_names_the_features_with_types_and_an_example(
    client: TestClient, row: dict[str, Any]
) -> None:
    written = client.get("/openapi.json").json()
    document = inline(written)

    post = document["paths"]["/predict"]["post"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    instance = body["properties"]["instances"]["items"]
    assert instance["properties"]["tenure"]["type"] == ["integer", "null"]
    assert instance["properties"]["Contract"]["examples"] == [
        "Month-to-month",
        "One year",
        "Two year",
    ]
    assert instance["required"] == list(row)
    assert body["example"] == {"instances": [row]}
    answer = post["responses"]["200"]["content"]["application/json"]["schema"]
    assert "Prediction" in json.dumps(answer)
    assert list(post["responses"]) == ["200", "400", "413", "415", "422", "503", "500"]
    post = written["paths"]["/predict"]["post"]
    [(media_type, problem)] = post["responses"]["422"]["content"].items()
    assert media_type == "application/problem+json"
    assert problem["schema"]["$ref"].removeprefix("#/components/schemas/") == "Problem"
    assert "detail" in document["components"]["schemas"]["Problem"]["required"]


class Broken(Predictor):
    """Fails with an unexpected error."""

    def encode(self, rows: Any) -> Any:
        if len(rows) == 1:
            raise RuntimeError(f"went wrong at {rows[0]}")
        return super().encode(rows)


def test_an_unexpected_error_is_hidden_from_the_client_and_logged_with_its_place(
    churn: Trained, row: dict[str, Any]
) -> None:
    log = StringIO()
    client = client_of(Broken(ModelPackage.open(churn.package)), log)

    response = client.post("/predict", json={"instances": [row | {"Contract": SECRET}]})

    problem(response, 500, "internal-server-error")
    line = json.loads(log.getvalue())
    assert (line["message"], line["path"]) == ("request failed", "/predict")
    assert line["error"] == "RuntimeError"
    assert line["frames"][-1].endswith(" encode")
    assert SECRET not in response.text + log.getvalue()
