"""The usual event is read by the short way, with the same answer as by the long one."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest

from functions.predict.app import event_sources
from functions.predict.app.api import Application
from functions.predict.app.gateway import Gateway
from sklambda.predictor import Predictor
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import LENGTH, app_of, as_bytes, binary, tensors

ROWS = 3


@pytest.fixture
def event() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((REPOSITORY / "events/predict.json").read_text())
    return document


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture
def gateway(app: Application) -> Gateway:
    return Gateway(app)


def at(path: str, **changes: Any) -> dict[str, Any]:
    return {"path": path, "pathParameters": {"proxy": path[1:]}, **changes}


UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"body": "{"},
        {"body": None},
        {"body": "x" * 200_001},
        {"body": base64.b64encode(b"{}").decode(), "isBase64Encoded": True},
        {"queryStringParameters": {"explain": "true"}},
        {"multiValueHeaders": None},
        {"path": "/invocations"},
        at("/invocations"),
        at("/v2/models/churn/infer"),
        at("/ping", httpMethod="GET", body=None),
        at("/version", httpMethod="GET", body=None),
        at("/v2/models/churn", httpMethod="GET", body=None),
        at("/docs", httpMethod="GET", body=None),
        at("/predict", httpMethod="GET", body=None),
        at("/nowhere"),
    ],
)
def test_both_ways_give_the_same_answer(
    app: Application, gateway: Gateway, event: dict[str, Any], change: dict[str, Any]
) -> None:
    answer = gateway(event | change, None)

    other = event_sources.answer(app, event | change, None)
    assert without_ids(answer) == without_ids(other)
    assert isinstance(answer["body"], str)


def without_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the ids of predictions, which each request draws anew."""
    return answer | {"body": re.sub(UUID, "", answer["body"])}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("POST", "/v2/models/other/infer", 404), ("GET", "/nowhere", 404)],
)
def test_other_paths_and_methods_are_problems(
    gateway: Gateway, event: dict[str, Any], method: str, path: str, status: int
) -> None:
    answer = gateway(event | {"httpMethod": method, "path": path}, None)

    assert answer["statusCode"] == json.loads(answer["body"])["status"] == status
    assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]


def test_bytes_pass_through_in_base64(
    gateway: Gateway, churn: Trained, event: dict[str, Any]
) -> None:
    signature = Predictor.open(churn.package).package.signature
    pairs = [as_bytes(one) for one in tensors(signature, churn.frame.dropna().head(ROWS))]
    document = {
        "inputs": [tensor for tensor, _ in pairs],
        "outputs": [{"name": "score", "parameters": {"binary_data": True}}],
    }
    body, headers = binary(document, [content for _, content in pairs])
    change = at(
        "/v2/models/churn/infer",
        body=base64.b64encode(body).decode(),
        isBase64Encoded=True,
        multiValueHeaders={name: [value] for name, value in headers.items()},
    )

    answer = gateway(event | change, None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    content = base64.b64decode(answer["body"])
    scores = np.frombuffer(content[int(answer["headers"][LENGTH.lower()]) :], "<f8")
    expected = churn.pipeline.predict_proba(churn.frame.dropna().head(ROWS))[:, 1]
    assert scores == pytest.approx(expected, abs=1e-9, rel=0)
