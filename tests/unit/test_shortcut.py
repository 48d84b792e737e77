"""Routes at a fixed path that take the request alone are found by one look-up."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from functions.predict import problems
from functions.predict.application import Application
from functions.predict.shortcut import Shortcut, fixed


async def plain(request: Request) -> Response:
    return Response(request.scope["route"].path)


async def first(request: Request) -> Response:
    return Response("first")


async def refusing(request: Request) -> Response:
    raise problems.not_ready("odd")


async def named(request: Request, name: str) -> Response:
    return Response(name)


async def alone() -> Response:
    return Response("alone")


@pytest.fixture
def app() -> Application:
    app = Application("title", "version", "description")
    app.get("/plain")(plain)
    app.get("/twice")(first)
    app.get("/twice")(plain)
    app.post("/refusing")(refusing)
    app.get("/of/{name}")(named)
    app.get("/alone")(alone)
    return app


def test_only_routes_that_take_the_request_alone_are_short(app: Application) -> None:
    short = {("GET", "/plain"), ("GET", "/twice"), ("POST", "/refusing")}

    assert fixed(app.routes).keys() - {("GET", "/openapi.json")} == short


def test_both_kinds_of_routes_answer(app: Application) -> None:
    app.add_middleware(Shortcut, routes=fixed(app.routes))
    client = TestClient(app)

    assert client.get("/plain").text == "/plain"
    assert client.get("/twice").text == "first"
    assert client.get("/of/me").text == "me"
    assert client.get("/alone").text == "alone"
    assert client.get("/refusing").status_code == 405
    assert client.post("/refusing").json()["golden_row"] == "odd"
