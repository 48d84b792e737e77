"""One service of several models, invoked without HTTP: the payload names the model."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.predict.app.gateway import Gateway
from functions.predict.assembly import Dependencies, assemble
from functions.predict.settings import Settings
from sklambda.telemetry import Log
from tests.conftest import REPOSITORY
from tests.support.several_models import Several

BOTH = pytest.mark.parametrize("name", ["churn", "numeric"])


@pytest.fixture(scope="module")
def gateway(several: Several) -> Gateway:
    settings = Settings(
        Path(), 100, 100_000, "ERROR", models_dir=several.folder, default_model="churn"
    )

    def no_client() -> Any:
        raise AssertionError("no client is needed")

    log = Log("several without http", "ERROR")
    return assemble(settings, Dependencies(log, lambda line: None, no_client)).handler


def expected(several: Several, name: str) -> Any:
    return pytest.approx([row[1] for row in several.probabilities(name)], abs=1e-9, rel=0)


@BOTH
def test_an_event_of_the_gateway_names_a_model_in_its_path(
    gateway: Gateway, several: Several, name: str
) -> None:
    event = json.loads((REPOSITORY / "events/predict.json").read_text())
    path = f"models/{name}/predict"
    event |= {"path": f"/{path}", "pathParameters": {"proxy": path}, "isBase64Encoded": False}
    event["body"] = json.dumps({"instances": several.rows(name)})

    result = gateway(event, None)

    body = json.loads(result["body"])
    assert result["statusCode"] == 200, body
    assert [each["score"] for each in body["predictions"]] == expected(several, name)


@BOTH
def test_a_direct_invocation_names_a_model(gateway: Gateway, several: Several, name: str) -> None:
    answer = gateway({"model": name, "instances": several.rows(name), "explain": True}, None)

    assert [each["score"] for each in answer["predictions"]] == expected(several, name)
    assert all(each["explanations"] for each in answer["predictions"])


def test_a_direct_invocation_without_a_name_is_the_default_ones(
    gateway: Gateway, several: Several
) -> None:
    answer = gateway({"instances": several.rows("churn")}, None)

    assert answer["model"]["name"] == "churn"


@BOTH
def test_tables_of_a_direct_invocation_name_a_model(
    gateway: Gateway, several: Several, name: str
) -> None:
    answer = gateway({"model": name, "dataframe_records": several.rows(name)}, None)

    assert answer["predictions"] == several.labels(name)


@pytest.mark.parametrize("member", ["model", "model_name"])
def test_tensors_of_a_direct_invocation_name_a_model(
    gateway: Gateway, several: Several, member: str
) -> None:
    rows = several.rows("numeric")
    data = [[float(value) for value in row.values()] for row in rows]
    matrix = {"name": "rows", "shape": [len(rows), 4], "datatype": "FP64", "data": data}

    answer = gateway({member: "numeric", "inputs": [matrix]}, None)

    assert answer["model_name"] == "numeric"
    assert answer["outputs"][0]["data"] == several.labels("numeric")


@pytest.mark.parametrize("model", ["secret", "", 7, ["churn"], {"name": "churn"}])
@pytest.mark.parametrize("body", [{"instances": [{}]}, {"dataframe_split": {}}])
def test_an_unknown_model_of_a_direct_invocation_is_a_problem(
    gateway: Gateway, body: dict[str, Any], model: object
) -> None:
    answer = gateway({**body, "model": model}, None)

    assert (answer["status"], answer["models"]) == (404, ["churn", "numeric"])


@pytest.mark.parametrize(
    "function", ["numeric", "Numeric_predict", "public.numeric_v2", "numeric_predict_proba"]
)
def test_a_function_of_redshift_names_a_model(
    gateway: Gateway, several: Several, function: str
) -> None:
    rows = [list(row.values()) for row in several.rows("numeric")]
    event = {"external_function": function, "num_records": len(rows), "arguments": rows}

    answer = json.loads(gateway(event, None))

    assert answer["success"], answer
    if function.endswith("proba"):
        assert answer["results"] == expected(several, "numeric")
    else:
        assert answer["results"] == several.labels("numeric")


@pytest.mark.parametrize("function", ["score", "numerical", "numeric.score", ""])
def test_a_function_of_redshift_that_names_no_model_fails_the_query(
    gateway: Gateway, function: str
) -> None:
    event = {"external_function": function, "num_records": 1, "arguments": [[1]]}

    answer = json.loads(gateway(event, None))

    assert not answer["success"]
    assert "must be churn or numeric" in answer["error_msg"]
