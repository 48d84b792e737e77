"""The application for servers reads no more than the limit; each answer is the service's own."""

import asyncio
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from functions.predict.app import openapi
from functions.predict.app.api import Application, create_app
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import Trained

LIMIT = 2_000
PIECE = {"type": "http.request", "body": b" " * 300, "more_body": True}
LEFT = {"type": "http.disconnect"}


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    service = Service(ServedModel(Predictor.open(churn.package)))
    return create_app(Registry(service), Limits(50, LIMIT), Log("asgi", "INFO", StringIO()))


class Exchange:
    """One request to an application, and the messages that remain unread."""

    def __init__(self, app: Application, method: str, target: str, *messages: Any, **headers: str):
        self.sent: list[Any] = []
        self.unread: Iterator[Any] = iter(messages)
        names = [(name.replace("_", "-"), value) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in names],
        }
        asyncio.run(app(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        return next(self.unread, LEFT)

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def answer(self) -> Any:
        return json.loads(b"".join(message.get("body", b"") for message in self.sent))


END = {"type": "http.request"}


@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "PROPFIND", "QUERY", "X"])
@pytest.mark.parametrize("target", ["/predict", "/predict/", "//predict", "http://host/predict"])
def test_a_method_that_no_route_has_is_the_problem_of_the_service(
    app: Application, method: str, target: str
) -> None:
    got = Exchange(app, method, target, END)

    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert got.answer["type"] == "urn:sklambda:problem:method-not-allowed"
    assert got.headers["x-request-id"]


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("target", ["*", "/a\nb", "/nowhere", "/redoc", "/docs/oauth2-redirect"])
def test_a_target_that_no_route_has_is_the_problem_of_the_service(
    app: Application, method: str, target: str
) -> None:
    got = Exchange(app, method, target, END)

    assert (got.status, got.headers["content-type"]) == (404, "application/problem+json")
    assert got.answer["type"] == "urn:sklambda:problem:not-found"


def test_a_body_is_read_up_to_the_limit(app: Application) -> None:
    got = Exchange(app, "POST", "/predict", *[PIECE] * 20, content_type="application/json")

    assert (got.status, got.answer["limit"]) == (413, LIMIT)
    assert len([*got.unread]) == 20 - 7  # 7 · 300 is above 2,000


def test_nothing_is_read_of_a_body_that_is_declared_longer(app: Application) -> None:
    got = Exchange(app, "POST", "/predict", PIECE, content_length=str(LIMIT + 1))

    assert got.status == 413
    assert [*got.unread] == [PIECE]


@pytest.mark.parametrize("declared", [{}, {"content_length": "6000"}])
def test_the_rest_is_read_where_the_connection_closes(
    app: Application, declared: dict[str, str]
) -> None:
    pieces = [*[PIECE] * 19, PIECE | {"more_body": False}]
    closing = {"connection": "Close", "content_type": "application/json"} | declared

    got = Exchange(app, "POST", "/predict", *pieces, **closing)
    asking = Exchange(app, "POST", "/predict", *pieces, **closing, expect="100-continue")

    assert (got.status, got.answer["limit"]) == (413, LIMIT)
    assert [*got.unread] == []  # else the connection is reset, and the 413 lost with it
    assert (asking.status, len([*asking.unread])) == (413, 20 if declared else 20 - 7)


@pytest.mark.parametrize("before", [(), (PIECE,), (PIECE, PIECE)])
@pytest.mark.parametrize("target", ["/predict", "/health/live", "*"])
def test_a_client_that_has_left_gets_no_answer(
    app: Application, target: str, before: tuple[Any, ...]
) -> None:
    got = Exchange(app, "POST", target, *before, LEFT)

    assert (got.status, got.sent[1]["body"]) == (499, b"")


def test_the_document_of_the_application_is_the_one_that_is_served(app: Application) -> None:
    served = Exchange(app, "GET", "/openapi.json", END).answer
    own = app.asgi.openapi()

    assert served | {"servers": own["servers"]} == own
    assert own is app.asgi.openapi()


def test_nulls_of_examples_stay_in_bodies_and_responses() -> None:
    example = {"age": None, "rows": [{"city": None}]}
    media = {"application/json": {"schema": {"type": "object"}, "example": example}}
    response = {"description": "Well.", "content": media}
    described = {
        "openapi_extra": {"requestBody": {"content": media}},
        "responses": {200: response},
    }

    written = openapi.document([Route("POST", "/a", echo, lambda: described)], "A", "1", "")

    operation = written["paths"]["/a"]["post"]
    assert operation["requestBody"]["content"] == media
    assert operation["responses"] == {"200": response}


def echo(request: Request) -> Response:
    """Return the body."""
    return Response(request.content)


def test_telemetry_of_the_framework_is_off_whatever_the_environment_says(
    churn: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    service = Service(ServedModel(Predictor.open(churn.package)))
    app = create_app(Registry(service), Limits(50, LIMIT), Log("asgi", "INFO", StringIO()))

    on = {name for name, value in app.asgi._telemetry.items() if value is True}

    assert on <= {"operation_spans"}  # of traces, which are off
