"""Events reach the application directly or by Mangum, with the same response."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

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


@pytest.fixture
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture
def short(app: Application) -> Gateway:
    """Serves exact paths directly."""
    return Gateway(app)


@pytest.fixture
def _loop() -> Iterator[None]:
    """Close the loop that Mangum ran on."""
    yield
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)


@pytest.fixture
def long(app: Application, _loop: None) -> Gateway:
    """Serves every event by Mangum, as with middleware around the application."""
    return Gateway(app, wrapped=app)


UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"queryStringParameters": {"explain": "true"}},
        {"multiValueHeaders": None},
        {"body": "{"},
        {"body": None},
        {"body": "x" * 200_001},
        {"path": "/invocations"},
        {"path": "/v2/models/churn/infer"},
        {"httpMethod": "GET", "path": "/", "body": None},
        {"httpMethod": "GET", "path": "/ping", "body": None},
        {"httpMethod": "GET", "path": "/version", "body": None},
        {"httpMethod": "GET", "path": "/v2/models/churn", "body": None},
    ],
)
def test_both_ways_give_the_same_answer(
    short: Gateway, long: Gateway, event: dict[str, Any], change: dict[str, Any]
) -> None:
    answer = short(event | change, None)

    assert without_ids(answer) == without_ids(long(event | change, None))
    assert isinstance(answer["body"], str)


def without_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the ids of predictions, which each request draws anew."""
    return answer | {"body": re.sub(UUID, "", answer["body"])}


@pytest.mark.usefixtures("_loop")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("POST", "/v2/models/other/infer", 404), ("GET", "/nowhere", 404)],
)
def test_other_paths_and_methods_go_by_mangum(
    short: Gateway, event: dict[str, Any], method: str, path: str, status: int
) -> None:
    answer = short(event | {"httpMethod": method, "path": path}, None)

    assert answer["statusCode"] == json.loads(answer["body"])["status"] == status
    assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]


def bytes_event(churn: Trained, event: dict[str, Any]) -> dict[str, Any]:
    signature = Predictor.open(churn.package).package.signature
    pairs = [as_bytes(one) for one in tensors(signature, churn.frame.dropna().head(ROWS))]
    document = {
        "inputs": [tensor for tensor, _ in pairs],
        "outputs": [{"name": "score", "parameters": {"binary_data": True}}],
    }
    body, headers = binary(document, [content for _, content in pairs])
    return event | {
        "path": "/v2/models/churn/infer",
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
    }


@pytest.mark.parametrize("way", ["short", "long"])
def test_bytes_pass_through_in_base64(
    request: pytest.FixtureRequest, churn: Trained, event: dict[str, Any], way: str
) -> None:
    gateway: Gateway = request.getfixturevalue(way)

    answer = gateway(bytes_event(churn, event), None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    content = base64.b64decode(answer["body"])
    scores = np.frombuffer(content[int(answer["headers"][LENGTH.lower()]) :], "<f8")
    expected = churn.pipeline.predict_proba(churn.frame.dropna().head(ROWS))[:, 1]
    assert scores == pytest.approx(expected, abs=1e-9, rel=0)
