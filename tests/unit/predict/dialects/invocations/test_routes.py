"""MLflow's and SageMaker's dialects: tables and predictions in several media types."""

import json
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from sklambda.manifest import GoldenRow
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import CSV, LINES, PROBABILITIES, SHAPES, client_of, shapes
from tests.support.openapi import inline


@pytest.fixture
def labels(churn: Trained, frame: pd.DataFrame) -> list[str]:
    found: list[str] = churn.pipeline.predict(frame).tolist()
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_mlflow_gets_what_predict_gives(
    client: TestClient, rows: list[dict[str, Any]], labels: list[str], shape: str
) -> None:
    response = client.post("/invocations", json=shapes(rows)[shape])

    assert response.json() == {"predictions": labels}
    assert response.headers["x-request-id"]
    assert (
        response.headers["x-amzn-invoked-production-variant"]
        == client.get("/model").json()["manifest"]["id"]
    )


@pytest.mark.parametrize("header", [True, False])
def test_a_csv_gets_the_same(
    client: TestClient, frame: pd.DataFrame, labels: list[str], header: bool
) -> None:
    content = frame.to_csv(index=False, header=header)

    response = client.post("/invocations", content=content, headers=CSV)

    assert response.json() == {"predictions": labels}


def test_json_lines_get_the_same(
    client: TestClient, rows: list[dict[str, Any]], labels: list[str]
) -> None:
    content = "\r\n\n".join(
        json.dumps(row if place % 2 else list(row.values())) for place, row in enumerate(rows)
    )

    response = client.post("/endpoints/churn/invocations", content=content, headers=LINES)

    assert response.json() == {"predictions": labels}


def test_params_ask_for_another_method(
    client: TestClient, churn: Trained, frame: pd.DataFrame, rows: list[dict[str, Any]]
) -> None:
    body = {"dataframe_records": rows, "params": {"method": "predict_proba"}}

    predictions = client.post("/invocations", json=body).json()["predictions"]

    expected = churn.pipeline.predict_proba(frame)
    assert pd.DataFrame(predictions).to_numpy() == pytest.approx(expected, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    ("media", "read"),
    [
        ("text/csv", str.splitlines),
        ("application/jsonlines", lambda text: [json.loads(line) for line in text.splitlines()]),
        ("application/json", lambda text: json.loads(text)["predictions"]),
    ],
)
def test_the_answer_comes_as_it_is_accepted(
    client: TestClient, frame: pd.DataFrame, labels: list[str], media: str, read: Any
) -> None:
    content = frame.to_csv(index=False)

    response = client.post("/invocations", content=content, headers=CSV | {"accept": media})

    assert response.headers["content-type"].partition(";")[0] == media
    assert read(response.text) == labels


@pytest.mark.parametrize(
    ("media", "read"),
    [
        ("text/csv", lambda line: [float(cell) for cell in line.split(",")]),
        ("application/jsonlines", json.loads),
    ],
)
def test_custom_attributes_ask_for_another_method(
    client: TestClient, frame: pd.DataFrame, media: str, read: Any
) -> None:
    headers = CSV | PROBABILITIES
    content = frame.to_csv(index=False)

    exact = client.post("/invocations", content=content, headers=headers).json()["predictions"]
    response = client.post("/invocations", content=content, headers=headers | {"accept": media})

    assert [read(line) for line in response.text.splitlines()] == exact


def test_a_csv_says_whether_it_has_a_header(client: TestClient, frame: pd.DataFrame) -> None:
    headers = {"content-type": 'Text/CSV; charset="UTF-8"; header=absent'}

    response = client.post("/invocations", content=frame.to_csv(index=False), headers=headers)

    assert response.json()["errors"][0]["pointer"] == "/0/SeniorCitizen"


def test_nan_is_missing_as_the_client_of_mlflow_writes_it(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    row = rows[0] | {"TotalCharges": None}
    content = json.dumps({"dataframe_records": [row]}).replace("null", "NaN")

    headers = {"content-type": "application/json"}

    assert client.post("/invocations", content=content, headers=headers).status_code == 200
    assert (
        client.post("/invocations", content=content.replace("NaN", "-Infinity"), headers=headers)
        .json()["errors"][0]["code"]
        .startswith("not_finite")
    )


def test_a_string_is_no_number_in_json_and_is_one_in_csv(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    row = rows[0] | {"tenure": "12"}
    content = pd.DataFrame([row]).to_csv(index=False)

    as_json = client.post("/invocations", json={"instances": [row]})
    as_csv = client.post("/invocations", content=content, headers=CSV)

    assert as_json.json()["errors"][0]["pointer"] == "/instances/0/tenure"
    assert as_csv.status_code == 200


def test_an_endpoint_has_the_name_of_the_model(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    assert client.post("/endpoints/other/invocations", json={"instances": rows}).status_code == 404


def test_ping_and_health_check_whether_the_model_is_ready(
    client: TestClient, churn: Trained, rows: list[dict[str, Any]]
) -> None:
    whole = ModelPackage.open(churn.package)
    wrong = GoldenRow(name="odd", row=whole.golden[0].row, scores=(0.5, 0.5), labels=("No",))
    package = ModelPackage(whole.path, whole.manifest, whole.signature, whole.model, (wrong,))
    broken = client_of(Predictor(package))

    paths = ("/ping", "/health")

    assert [client.get(path).status_code for path in paths] == [200, 200]
    assert [broken.get(path).status_code for path in paths] == [503, 503]
    assert broken.post("/invocations", json={"instances": rows}).status_code == 503


def test_the_version_is_that_of_the_protocol(client: TestClient) -> None:
    assert client.get("/version").text == "2.0.0"


def test_openapi_names_shapes_media_types_and_methods(client: TestClient) -> None:
    document = inline(client.get("/openapi.json").json())
    post = document["paths"]["/endpoints/{name}/invocations"]["post"]

    content = post["requestBody"]["content"]
    media = ["application/json", "text/csv", "application/jsonlines"]
    shapes = content["application/json"]["schema"]["oneOf"]
    assert list(content) == media
    assert list(post["responses"]["200"]["content"]) == media
    assert [shape["title"] for shape in shapes] == [
        "dataframe_split",
        "dataframe_records",
        "instances",
        "inputs",
    ]
    method = shapes[0]["properties"]["params"]["properties"]["method"]
    assert method["enum"] == ["predict", "predict_proba"]
    assert {parameter["name"] for parameter in post["parameters"]} == {
        "name",
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-inference-id",
        "x-amzn-sagemaker-target-model",
        "x-amzn-sagemaker-target-variant",
    }


def test_openapi_has_the_kind_of_each_value_of_a_row_that_is_a_list(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    post = inline(client.get("/openapi.json").json())["paths"]["/invocations"]["post"]

    [*_, inputs] = post["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    by_row, by_column = inputs["properties"]["inputs"]["anyOf"]
    cells = by_row["items"]["anyOf"][1]
    assert cells["prefixItems"][4]["type"] == ["integer", "null"]
    assert cells["minItems"] == cells["maxItems"] == len(rows[0])
    assert list(by_column["properties"]) == by_column["required"] == list(rows[0])
