"""The application for servers: ASGI's messages to requests, and responses to messages."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from functions.predict.http import exchange
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Address

type Message = MutableMapping[str, Any]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Respond = Callable[[str, Address, Request], Response]
type Run = Callable[[str, Request, Callable[[], Response]], Awaitable[Response]]

_DISCONNECTED: Final = "http.disconnect"

WORKERS: Final = "sklambda.workers"
"""The member of the scope with the `Run` of a server that works beside its event loop."""

_PROBES: Final = frozenset(
    ("/health", "/health/live", "/health/ready", "/ping", "/v2/health/live", "/v2/health/ready")
)


async def serve(
    respond: Respond, limits: Limits, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve one connection of a server, by a function that responds to a request."""
    if scope["type"] == "http":
        response = await _response(respond, limits, scope, receive)
        if response is not None:
            await _send(response, send)
    elif scope["type"] == "lifespan":
        await _serve_lifespan(receive, send)
    else:
        await send({"type": "websocket.close"})


async def _response(
    respond: Respond, limits: Limits, scope: Scope, receive: Receive
) -> Response | None:
    """Return the response to a request; None for a client that has left."""
    headers = _headers(scope)
    content = await _content(headers, receive, limits)
    if content is None:
        return None
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    caller = exchange.identify_caller(headers, {})
    request = Request(headers, content, dict(query), {}, caller)
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    work = partial(respond, scope["method"], Address(path, (path,)), request)
    run: Run | None = None if path.rstrip("/") in _PROBES else scope.get(WORKERS)
    return work() if run is None else await run(path, request, work)


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: exchange.combine(name, values) for name, values in headers.items()}


async def _content(headers: dict[str, str], receive: Receive, limits: Limits) -> bytes | None:
    """Read a body up to the limit; nothing of one that is declared longer, None of a broken one."""
    content = bytearray()
    more = (exchange.byte_count(headers) or 0) <= limits.bytes
    while more:
        message = await receive()
        if message["type"] == _DISCONNECTED:
            return None
        content += message.get("body", b"")
        more = message.get("more_body", False) and len(content) <= limits.bytes
    return bytes(content)


async def _send(response: Response, send: Send) -> None:
    headers = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in response.all_headers.items()
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


async def _serve_lifespan(receive: Receive, send: Send) -> None:
    """Confirm start and end: the application has nothing to do at either."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
