"""JSON that travels as a text, of Redshift and of Bedrock, is read as strictly as a body."""

import json
from typing import Any

import pytest

from functions.predict.app.gateway import Gateway
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import app_of

type Json = dict[str, Any]


def read(name: str) -> Json:
    document: Json = json.loads((REPOSITORY / name).read_text())
    return document


ROW: Json = json.loads(read("events/predict.json")["body"])["instances"][0]
DOUBLED = [
    json.dumps(ROW)[:-1] + f", {name}: 99}}"
    for name in ('"tenure"', '"\\u0074enure"', '"te\\u006eure"')
]


@pytest.fixture(scope="module")
def gateway(churn: Trained) -> Gateway:
    return Gateway(app_of(churn.package))


def redshift(gateway: Gateway, *rows: str) -> Json:
    event = read("events/predict-redshift.json")
    arguments = {"arguments": [[row] for row in rows], "num_records": len(rows)}
    answer: Json = json.loads(gateway(event | arguments, None))
    return answer


def by_schema(gateway: Gateway, *listed: Json) -> str:
    event = read("events/predict-bedrock.json") | {"parameters": []}
    event["requestBody"]["content"]["application/json"]["properties"] = [*listed]
    return json.dumps(gateway(event, None))


def by_function(gateway: Gateway, *listed: Json) -> str:
    event = read("events/predict-bedrock.json")
    del event["apiPath"]
    return json.dumps(gateway(event | {"function": "predict", "parameters": [*listed]}, None))


def rows(*texts: str, kind: str = "array") -> Json:
    return {"name": "instances", "type": kind, "value": f"[{','.join(texts)}]"}


@pytest.mark.parametrize("row", DOUBLED)
def test_a_duplicate_member_of_a_row_as_text_is_a_fault(gateway: Gateway, row: str) -> None:
    plain = json.dumps(ROW)
    answer = redshift(gateway, *[plain] * 60, row)  # in the second of its requests

    assert not answer["success"]
    assert "/arguments/60/0/tenure is a duplicate member" in answer["error_msg"]
    for ask in (by_schema, by_function):
        assert "/instances/1/tenure is a duplicate member" in ask(gateway, rows(plain, row))
        assert "duplicate" not in ask(gateway, rows(plain))


@pytest.mark.parametrize("ask", [by_schema, by_function])
def test_a_member_that_an_agent_lists_twice_is_a_fault(gateway: Gateway, ask: Any) -> None:
    answer = ask(gateway, rows(json.dumps(ROW)), rows(json.dumps(ROW)))

    assert "/instances is a duplicate member" in answer
    assert "422" in answer


def test_a_feature_that_an_agent_lists_twice_is_a_fault(gateway: Gateway) -> None:
    listed = [{"name": k, "type": "string", "value": v} for k, v in [*ROW.items()] * 2]

    answer = by_function(gateway, *listed)

    assert f"(and {len(ROW) - 1} more)" in answer
    assert "REPROMPT" in answer


@pytest.mark.parametrize("ask", [by_schema, by_function])
@pytest.mark.parametrize("kind", ["array", "string", "object", ""])
def test_rows_of_an_agent_are_json_whatever_their_type(
    gateway: Gateway, ask: Any, kind: str
) -> None:
    answer = ask(gateway, rows(json.dumps(ROW), kind=kind))

    assert "prediction_id" in answer


@pytest.mark.parametrize("value", ["", "x", "[", "[NaN]", "{", "\ud800"])
def test_rows_of_an_agent_that_are_no_json_are_a_fault(gateway: Gateway, value: str) -> None:
    for ask in (by_schema, by_function):
        answer = ask(gateway, {"name": "instances", "type": "string", "value": value})

        assert "urn:sklambda:problem:" in answer
        assert "internal" not in answer


def test_redshift_says_that_a_row_as_json_is_an_object(gateway: Gateway) -> None:
    answer = redshift(gateway, json.dumps([*ROW.values()]))

    assert "must be an object" in answer["error_msg"]
