"""The Open Inference Protocol, version 2: metadata, tensors in JSON and as bytes."""

import json
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.openapi import inline
from tests.support.tensors import INFER, LENGTH, ROWS, Tensor, as_bytes, binary, packed, place_of


@pytest.fixture
def expected(churn: Trained, frame: pd.DataFrame) -> Any:
    return churn.pipeline.predict_proba(frame)


def output(response: httpx2.Response, name: str) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = next(o for o in response.json()["outputs"] if o["name"] == name)
    return found


def test_the_server_has_the_binary_extension(client: TestClient) -> None:
    body = client.get("/v2").json()

    assert sorted(body) == ["extensions", "name", "version"]
    assert body["extensions"] == ["binary_tensor_data"]


def test_the_server_and_the_model_are_live_and_ready(client: TestClient) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/churn/ready").json() == {"name": "churn", "ready": True}


def test_metadata_has_a_tensor_for_each_feature_and_answer(
    client: TestClient, predictor: Predictor
) -> None:
    body = client.get("/v2/models/churn").json()

    signature, manifest = predictor.package.signature, predictor.package.manifest
    assert body["versions"] == [manifest.id]
    assert [tensor["name"] for tensor in body["inputs"]] == list(signature.names)
    shown = {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in body["inputs"]}
    assert shown["tenure"] == ("INT64", [-1])
    assert shown["TotalCharges"] == ("FP64", [-1])
    assert shown["Contract"] == ("BYTES", [-1])
    assert [(o["name"], o["datatype"], o["shape"]) for o in body["outputs"]] == [
        ("prediction_id", "BYTES", [-1]),
        ("label", "BYTES", [-1]),
        ("score", "FP64", [-1]),
        ("probabilities", "FP64", [-1, 2]),
        ("warnings", "BYTES", [-1]),
        ("base", "FP64", [-1]),
        ("contributions", "FP64", [-1, len(signature.names)]),
        ("explanation", "BYTES", [-1]),
    ]
    assert body["outputs"][3]["parameters"] == {"columns": ["No", "Yes"]}


@pytest.mark.parametrize("path", ["", "/ready", "/infer"])
def test_a_version_is_the_id_of_the_package(
    client: TestClient, predictor: Predictor, inputs: list[Tensor], path: str
) -> None:
    def ask(model: str, version: str) -> httpx2.Response:
        address = f"/v2/models/{model}/versions/{version}{path}"
        return (
            client.post(address, json={"inputs": inputs})
            if path == "/infer"
            else client.get(address)
        )

    known = predictor.package.manifest.id

    assert ask("churn", known).status_code == 200
    for model, version in (("churn", "2"), ("other", known)):
        response = ask(model, version)
        assert response.status_code == 404
        assert response.json()["type"] == "urn:sklambda:problem:unknown-model"
        assert isinstance(response.json()["error"], str)


def test_json_tensors_get_every_output(
    client: TestClient, predictor: Predictor, churn: Trained, inputs: list[Tensor], expected: Any
) -> None:
    response = client.post(INFER, json={"id": "mine", "inputs": inputs})

    body = response.json()
    assert (body["id"], body["model_name"]) == ("mine", "churn")
    assert body["model_version"] == predictor.package.manifest.id
    probabilities = output(response, "probabilities")
    assert probabilities["shape"] == [ROWS, 2]
    assert probabilities["data"] == pytest.approx(expected.ravel().tolist(), abs=1e-9, rel=0)
    assert output(response, "score")["data"] == probabilities["data"][1::2]
    assert (
        output(response, "label")["data"]
        == churn.pipeline.predict(churn.frame.dropna().head(ROWS)).tolist()
    )
    ids = output(response, "prediction_id")["data"]
    request_part = ids[0].removesuffix("-0")
    assert ids == [f"{request_part}-{row}" for row in range(ROWS)]


def test_an_id_that_was_not_given_is_not_answered(client: TestClient, inputs: list[Tensor]) -> None:
    assert "id" not in client.post(INFER, json={"inputs": inputs}).json()


def test_only_the_outputs_that_were_asked_for_are_answered(
    client: TestClient, inputs: list[Tensor]
) -> None:
    response = client.post(INFER, json={"inputs": inputs, "outputs": [{"name": "score"}]})

    assert [one["name"] for one in response.json()["outputs"]] == ["score"]


def test_bytes_score_as_json_does(client: TestClient, inputs: list[Tensor], expected: Any) -> None:
    pairs = [as_bytes(tensor) for tensor in inputs]
    document = {"inputs": [tensor for tensor, _ in pairs], "outputs": [{"name": "probabilities"}]}
    body, headers = binary(document, [content for _, content in pairs])

    response = client.post(INFER, content=body, headers=headers)

    assert LENGTH not in response.headers
    data = output(response, "probabilities")["data"]
    assert data == pytest.approx(expected.ravel().tolist(), abs=1e-9, rel=0)


def test_some_tensors_may_be_bytes_and_others_json(
    client: TestClient, inputs: list[Tensor], expected: Any
) -> None:
    inputs[2], content = as_bytes(inputs[2])
    body, headers = binary({"inputs": inputs}, [content])

    response = client.post(INFER, content=body, headers=headers)

    assert output(response, "score")["data"] == pytest.approx(expected[:, 1], abs=1e-9, rel=0)


def test_outputs_come_as_bytes_where_they_are_asked_for_so(
    client: TestClient, inputs: list[Tensor], expected: Any
) -> None:
    asked = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "score"}]
    parameters = {"binary_data_output": True}

    response = client.post(
        INFER, json={"inputs": inputs, "outputs": asked, "parameters": parameters}
    )

    length = int(response.headers[LENGTH])
    assert response.headers["content-type"] == "application/octet-stream"
    label, score = json.loads(response.content[:length])["outputs"]
    assert len(label["data"]) == ROWS
    assert score["parameters"] == {"binary_data_size": 8 * ROWS}
    scores = np.frombuffer(response.content[length:], "<f8")
    assert scores == pytest.approx(expected[:, 1], abs=1e-9, rel=0)


def test_texts_as_bytes_have_their_length_before_them(
    client: TestClient, inputs: list[Tensor]
) -> None:
    asked = [{"name": "label", "parameters": {"binary_data": True}}]

    labels = output(client.post(INFER, json={"inputs": inputs}), "label")["data"]
    response = client.post(INFER, json={"inputs": inputs, "outputs": asked})

    assert response.content[int(response.headers[LENGTH]) :] == packed(labels)


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [
        ("FP64", "<f8"),
        ("FP32", "<f4"),
        ("FP16", "<f2"),
        *[(f"INT{bits}", f"<i{bits // 8}") for bits in (8, 16, 32, 64)],
        *[(f"UINT{bits}", f"<u{bits // 8}") for bits in (8, 16, 32, 64)],
    ],
)
@pytest.mark.parametrize("name", ["tenure", "MonthlyCharges"])
def test_a_number_may_come_in_any_numeric_datatype(
    client: TestClient, inputs: list[Tensor], name: str, datatype: str, dtype: str
) -> None:
    place = place_of(inputs, name)
    inputs[place]["data"] = list(range(1, ROWS + 1))
    reference = output(client.post(INFER, json={"inputs": inputs}), "score")["data"]

    inputs[place]["datatype"] = datatype
    in_json = client.post(INFER, json={"inputs": inputs})
    inputs[place], content = as_bytes(inputs[place], dtype, datatype)
    body, headers = binary({"inputs": inputs}, [content])
    in_bytes = client.post(INFER, content=body, headers=headers)

    assert output(in_json, "score")["data"] == reference
    assert output(in_bytes, "score")["data"] == reference


def test_numbers_of_fewer_bits_have_a_warning(client: TestClient, inputs: list[Tensor]) -> None:
    place = place_of(inputs, "MonthlyCharges")
    inputs[place], content = as_bytes(inputs[place], "<f4", "FP32")
    body, headers = binary({"inputs": inputs}, [content])

    response = client.post(INFER, content=body, headers=headers)

    warned = [json.loads(row) for row in output(response, "warnings")["data"]]
    assert all({"feature": "MonthlyCharges", "code": "coerced"} in row for row in warned)


def test_columns_of_one_may_have_two_dimensions(
    client: TestClient, inputs: list[Tensor], expected: Any
) -> None:
    for tensor in inputs:
        tensor["shape"] = [ROWS, 1]
    inputs[0]["data"] = [[value] for value in inputs[0]["data"]]

    response = client.post(INFER, json={"inputs": inputs})

    assert output(response, "score")["data"] == pytest.approx(expected[:, 1], abs=1e-9, rel=0)


def test_nan_and_null_are_missing(client: TestClient, churn: Trained, inputs: list[Tensor]) -> None:
    frame = churn.frame.dropna().head(ROWS).assign(TotalCharges=np.nan)
    expected = churn.pipeline.predict_proba(frame)[:, 1]
    place = place_of(inputs, "TotalCharges")

    inputs[place]["data"] = [None] * ROWS
    null = client.post(INFER, json={"inputs": inputs})
    inputs[place]["data"] = [float("nan")] * ROWS
    content = json.dumps({"inputs": inputs})
    json_nan = client.post(INFER, content=content, headers={"content-type": "application/json"})
    inputs[place], packed_nan = as_bytes(inputs[place])
    body, headers = binary({"inputs": inputs}, [packed_nan])
    binary_nan = client.post(INFER, content=body, headers=headers)

    for response in (null, json_nan, binary_nan):
        assert output(response, "score")["data"] == pytest.approx(expected, abs=1e-9, rel=0)
    warned = json.loads(output(null, "warnings")["data"][0])
    assert {"feature": "TotalCharges", "code": "missing"} in warned


def test_openapi_describes_the_routes_of_this_model(
    client: TestClient, predictor: Predictor
) -> None:
    document = inline(client.get("/openapi.json").json())
    known = predictor.package.manifest.id

    infer = document["paths"]["/v2/models/{model}/versions/{version}/infer"]["post"]
    names = [(one["name"], one["schema"].get("enum")) for one in infer["parameters"]]
    assert names == [
        ("model", ["churn"]),
        ("version", [known, known[:12], "champion", "1"]),
        (LENGTH, None),
    ]
    content = infer["requestBody"]["content"]
    assert sorted(content) == ["application/json", "application/octet-stream"]
    example = content["application/json"]["schema"]["example"]
    assert client.post(INFER, json=example).status_code == 200
    assert {"/v2", "/v2/health/live", "/v2/models/{model}/ready"} <= document["paths"].keys()
