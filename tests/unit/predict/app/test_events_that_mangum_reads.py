"""Mangum reads events and writes results, and is given no event that it would stumble over."""

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from functions.predict.app.api import Application
from functions.predict.app.gateway import Gateway
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import app_of

type Json = dict[str, Any]

ROW = json.loads(json.loads((REPOSITORY / "events/predict.json").read_text())["body"])
SOURCES = ["predict-http-api", "predict-function-url", "predict-alb"]


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture(scope="module")
def gateway(app: Application) -> Gateway:
    return Gateway(app)


def event(source: str, headers: dict[str, str], **changes: Any) -> Json:
    document: Json = json.loads((REPOSITORY / f"events/{source}.json").read_text())
    document["headers"] = {"content-type": "application/json"} | headers
    document.pop("multiValueHeaders", None)
    return document | changes


def at(path: str, source: str, headers: dict[str, str], body: object) -> Json:
    found = event(source, headers, path=path, rawPath=path, body=json.dumps(body))
    if source == "predict-alb":
        del found["rawPath"]
    else:
        del found["path"]
        found["pathParameters"] = None
        found["requestContext"]["http"]["path"] = path
    return found


@pytest.mark.parametrize("source", [*SOURCES, "predict"])
@pytest.mark.parametrize(
    "headers",
    [{"Host": "[::1]:8080"}, {"host": "a:b"}, {"X-Forwarded-Port": "x"}, {"x-forwarded-port": ""}],
)
def test_a_port_that_is_no_number_has_an_answer(
    gateway: Gateway, source: str, headers: dict[str, str]
) -> None:
    assert gateway(event(source, headers), None)["statusCode"] == 200


@pytest.mark.parametrize("source", SOURCES)
def test_a_header_keeps_its_letters(source: str) -> None:
    def echo(request: Request) -> Response:
        return Response(b"{}", headers={"x-echo": request.headers["x-split-key"]})

    routes = [Route("POST", "/predict", echo)]
    limits = Limits(50, 200_000)
    app = Application(routes, lambda request, endpoint: endpoint(request), limits, openapi=dict)

    answer = Gateway(app)(event(source, {"X-Split-Key": "Zoë ☃"}), None)

    assert answer["headers"]["x-echo"] == "Zoë ☃"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("coding", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_a_compressed_answer_is_base64(
    gateway: Gateway, source: str, coding: str, unpack: Any
) -> None:
    body = {"instances": ROW["instances"] * 20}

    answer = gateway(at("/predict", source, {"accept-encoding": coding}, body), None)

    assert (answer["isBase64Encoded"], answer["headers"]["content-encoding"]) == (True, coding)
    document = json.loads(unpack(base64.b64decode(answer["body"])))
    assert len(document["predictions"]) == 20


def test_of_a_repeated_parameter_the_last_counts(gateway: Gateway) -> None:
    changes = {"rawQueryString": "explain=false&explain=true", "queryStringParameters": None}

    answer = gateway(event("predict-http-api", {}, **changes), None)

    assert json.loads(answer["body"])["predictions"][0]["explanations"]


@pytest.mark.parametrize(
    "body", ["###", "e30", "e30=e30=", "e 30=", "e30=\n", "====", "e30==", "é30="]
)
@pytest.mark.parametrize("source", SOURCES)
def test_base64_is_strict(gateway: Gateway, source: str, body: str) -> None:
    answer = gateway(event(source, {}, body=body, isBase64Encoded=True), None)

    assert json.loads(answer["body"])["type"] == "urn:sklambda:problem:not-base64"


@pytest.mark.parametrize("value", [None, {"a": 5}, [5], True])
def test_a_request_id_that_is_no_text_is_replaced(gateway: Gateway, value: object) -> None:
    sent = event("predict-http-api", {})
    sent["requestContext"]["requestId"] = value

    answer = gateway(sent, None)

    assert answer["statusCode"] == 200
    assert isinstance(answer["headers"]["x-request-id"], str)
