"""KServe's protocols: V1, and what its client adds to V2."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import client_of
from tests.support.tensors import tensors
from training.frames import client_rows, kinds_of

PREDICT = "/v1/models/churn:predict"
INFER = "/v2/models/churn/infer"


@pytest.fixture(scope="module")
def client(churn: Trained) -> TestClient:
    return client_of(Predictor.open(churn.package))


@pytest.fixture
def rows(churn: Trained) -> list[dict[str, Any]]:
    frame = churn.frame.head(20)
    return client_rows(frame, kinds_of(frame))


@pytest.fixture
def inputs(churn: Trained, predictor: Predictor) -> list[dict[str, Any]]:
    return tensors(predictor.package.signature, churn.frame.dropna().head(3))


def test_the_model_is_listed_and_ready(client: TestClient) -> None:
    assert client.get("/v1/models").json() == {"models": ["churn"]}
    assert client.get("/v1/models/churn").json() == {"name": "churn", "ready": True}


@pytest.mark.parametrize("member", ["instances", "inputs"])
@pytest.mark.parametrize("as_list", [True, False])
def test_instances_get_what_predict_gives(
    client: TestClient, churn: Trained, rows: list[dict[str, Any]], member: str, as_list: bool
) -> None:
    sent = [list(row.values()) if as_list else row for row in rows]

    response = client.post(PREDICT, json={member: sent})

    expected = churn.pipeline.predict(churn.frame.head(20)).tolist()
    assert response.json() == {"predictions": expected}


def test_params_ask_for_another_method(
    client: TestClient, churn: Trained, rows: list[dict[str, Any]]
) -> None:
    body = {"instances": rows, "params": {"method": "predict_proba"}}

    found = client.post(PREDICT, json=body).json()["predictions"]

    expected = churn.pipeline.predict_proba(churn.frame.head(20))
    assert found == [pytest.approx(row, abs=1e-9, rel=0) for row in expected.tolist()]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/models/other", None, 404),
        ("POST", "/v1/models/other:predict", {"instances": [{}]}, 404),
        ("POST", PREDICT, {"instances": [{}]}, 422),
        ("POST", PREDICT, {"dataframe_records": [{}]}, 422),
        ("POST", PREDICT, [], 422),
        ("GET", "/v2/models/other", None, 404),
        ("POST", INFER, {"inputs": []}, 422),
    ],
)
def test_an_error_is_json_with_the_reason(
    client: TestClient, method: str, path: str, body: Any, status: int
) -> None:
    response = client.request(method, path, json=body)

    # KServe's client shows the error of no other media type.
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"] == response.json()["detail"]


def test_members_that_the_client_adds_are_read(
    client: TestClient, inputs: list[dict[str, Any]]
) -> None:
    added = {"id": None, "model_name": "churn", "parameters": None, "from_grpc": False}

    response = client.post(INFER, json={"inputs": inputs, **added})

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"model_name": "other"}, 422),
        ({"model_version": "2"}, 404),
        ({"model_version": 1}, 422),
        ({"model_version": "champion"}, 200),
        ({"model_version": None, "model_name": None}, 200),
        ({"model_version": ""}, 200),
    ],
)
def test_the_model_of_the_body_must_be_that_of_the_path(
    client: TestClient, inputs: list[dict[str, Any]], members: dict[str, Any], status: int
) -> None:
    response = client.post(f"{INFER}", json={"inputs": inputs, **members})

    assert response.status_code == status


@pytest.mark.parametrize("version", ["1", "champion", "prefix"])
def test_versions_have_aliases(
    client: TestClient, predictor: Predictor, inputs: list[dict[str, Any]], version: str
) -> None:
    known = predictor.package.manifest.id
    name = known[:12] if version == "prefix" else version

    response = client.post(f"/v2/models/churn/versions/{name}/infer", json={"inputs": inputs})

    assert response.json()["model_version"] == known
    for unknown in ("challenger", known[:11], known[:13], "2", "Champion"):
        assert client.get(f"/v2/models/churn/versions/{unknown}").status_code == 404


def test_results_of_methods_are_outputs_where_they_are_named(
    client: TestClient, churn: Trained, inputs: list[dict[str, Any]]
) -> None:
    body = {"inputs": inputs, "outputs": [{"name": "predict"}, {"name": "predict_proba"}]}

    labels, proba = client.post(INFER, content=json.dumps(body)).json()["outputs"]

    frame = churn.frame.dropna().head(3)
    assert labels["data"] == churn.pipeline.predict(frame).tolist()
    expected = churn.pipeline.predict_proba(frame).ravel().tolist()
    assert proba["data"] == pytest.approx(expected, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/v2", 405),
        ("POST", "/v1/models/churn:explain", 404),
        ("POST", "/v1/models/other:explain", 404),
        ("GET", "/v2/models/churn/config", 404),
        ("GET", "/v2/models/churn/infer", 405),
        ("PUT", PREDICT, 405),
        ("GET", "/v2/nothing", 404),
        ("GET", "/stage/v2/models/churn/config", 404),
    ],
)
def test_an_address_that_kserve_does_not_have_is_refused_in_json(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path, json={})

    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    assert response.json()["error"]


def test_another_address_is_refused_as_a_problem(client: TestClient) -> None:
    answers = [client.get("/nothing"), client.put("/predict", json={})]

    kinds = {answer.headers["content-type"] for answer in answers}
    assert kinds == {"application/problem+json"}


def test_explain_is_said_to_be_unsupported(client: TestClient) -> None:
    answer = client.post("/v1/models/churn:explain", json={"instances": []}).json()

    assert answer["error"].startswith("The verb :explain is not supported: POST /predict?explain")
