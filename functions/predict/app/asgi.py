"""The application for servers: FastAPI around the router of the service."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from http import HTTPMethod
from typing import Any, Final

from fastapi import FastAPI
from starlette import requests, responses
from starlette.exceptions import HTTPException

from functions.predict.http import exchange
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Address

type Respond = Callable[[str, Address, Request], Response]
type Run = Callable[[str, Request, Callable[[], Response]], Awaitable[Response]]

WORKERS: Final = "sklambda.workers"
"""The member of the scope with the `Run` of a server that works beside its event loop."""

_PROBES: Final = frozenset(
    ("/health", "/health/live", "/health/ready", "/ping", "/v2/health/live", "/v2/health/ready")
)
_DROPPED_BYTES: Final = 100_000_000
"""How much of a body that is too long is read, so that its client sees the response."""

_CLIENT_LEFT: Final = 499
"""The status of a response whose client has left."""


def application(respond: Respond, limits: Limits, openapi: Callable[[], dict[str, Any]]) -> FastAPI:
    """Return the FastAPI application.

    Parameters
    ----------
    respond : callable
        Returns the response to a request at an address.
    limits : Limits
        Limits of a request body.
    openapi : callable
        Returns the OpenAPI document.
    """

    async def answer(
        received: requests.Request, refused: Exception | None = None
    ) -> responses.Response:
        try:
            request = await _request(received, limits)
        except requests.ClientDisconnect:
            return responses.Response(status_code=_CLIENT_LEFT)
        path = (received.scope.get("raw_path") or received.scope["path"].encode()).decode("latin-1")
        work = partial(respond, received.method, Address(path, (path,)), request)
        run: Run | None = None if path.rstrip("/") in _PROBES else received.scope.get(WORKERS)
        response = work() if run is None else await run(path, request, work)
        return responses.Response(response.content, response.status, response.all_headers)

    app = FastAPI(
        openapi_url=None,  # document and reference are routes of the service: Lambda has them too
        redirect_slashes=False,  # the router of the service takes them as they are
        exception_handlers={HTTPException: answer},  # methods and targets that FastAPI refuses
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's way to a custom document
    app.add_route("/{path:path}", answer, [*HTTPMethod])
    return app


async def _request(received: requests.Request, limits: Limits) -> Request:
    """Read a request, its body up to the limit; nothing of one that is declared longer.

    Where the connection is closed after the response, the rest is read and dropped: a connection
    that is closed with bytes unread is reset, and its client, as a proxy, never sees the 413.
    """
    values: dict[str, list[str]] = {}
    for name, value in received.headers.items():
        values.setdefault(name.lower(), []).append(value)
    headers = {name: exchange.combine(name, each) for name, each in values.items()}
    content, most = bytearray(), limits.bytes
    if _is_last(received, headers):
        most += _DROPPED_BYTES
    length = 0
    if (exchange.byte_count(headers) or 0) <= most:
        async with aclosing(received.stream()) as chunks:
            async for chunk in chunks:
                length += len(chunk)
                if len(content) <= limits.bytes:
                    content += chunk
                if length > most:
                    break
    caller = exchange.identify_caller(headers, {})
    return Request(headers, bytes(content), dict(received.query_params), {}, caller)


def _is_last(received: requests.Request, headers: Mapping[str, str]) -> bool:
    """Return whether the client, which asked for no consent, closes the connection after this."""
    closes = (
        received.scope.get("http_version") == "1.0"
        or "close" in headers.get("connection", "").lower()
    )
    return closes and "expect" not in headers
