"""Events reach the application the short way or the long, and the answer is the same."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from functions.predict.gateway import Gateway
from tests.conftest import REPOSITORY

TEXTS = ["application/json"]


@pytest.fixture
def event() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((REPOSITORY / "events/predict.json").read_text())
    return document


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    message: Message = await receive()
    content = json.dumps([scope["method"], scope["path"], len(message["body"])]).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content[:5], "more_body": True})
    await send({"type": "http.response.body", "body": content[5:]})


@pytest.fixture
def _loop() -> Iterator[None]:
    """The current loop, on which Mangum runs what waits."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("_loop")
def test_both_ways_give_the_same_answer(event: dict[str, Any]) -> None:
    short = Gateway(echo, {("POST", "/predict")}, TEXTS)
    long = Gateway(echo, set(), TEXTS)

    answer = short(event, None)

    assert answer == long(event, None)
    assert json.loads(answer["body"]) == ["POST", "/predict", len(event["body"])]
    assert not answer["isBase64Encoded"]


@pytest.mark.usefixtures("_loop")
def test_a_route_that_waits_may_not_take_the_short_way(event: dict[str, Any]) -> None:
    class Waits:
        def __await__(self) -> Any:
            yield self

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await Waits()

    with pytest.raises(RuntimeError, match="has waited"):
        Gateway(slow, {("POST", "/predict")}, TEXTS)(event, None)
