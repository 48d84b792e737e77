"""The table of routes as a Starlette application, for servers and for what Mangum brings."""

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Received
from starlette.responses import Response as Sent
from starlette.routing import Route as Path

from functions.predict.http import exchange, problems
from functions.predict.http.answering import Answer
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route


def application(routes: Iterable[Route], answer: Answer, limits: Limits) -> Starlette:
    """Make the application.

    Parameters
    ----------
    routes : iterable of Route
        The table.
    answer : callable
        Answers by one of them.
    limits : Limits
        How much of a body is read.
    """

    async def refuse(received: Received, raised: Exception) -> Sent:
        assert isinstance(raised, HTTPException)
        problem = problems.of_status(raised.status_code, raised.headers)
        return _sent(answer(_request(received, None), lambda _: problem.response()))

    paths = [
        Path(route.path, _endpoint(route, answer, limits), methods=[route.method])
        for route in routes
    ]
    app = Starlette(routes=paths, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False  # the address would lack the stage
    return app


def _endpoint(
    route: Route, answer: Answer, limits: Limits
) -> Callable[[Received], Awaitable[Sent]]:
    async def endpoint(received: Received) -> Sent:
        request = _request(received, route.path)
        request.content = await _content(received, limits)
        return _sent(answer(request, route.endpoint))

    return endpoint


def _request(received: Received, route: str | None) -> Request:
    headers = {name.lower(): ", ".join(received.headers.getlist(name)) for name in received.headers}
    context = received.scope.get("aws.event", {}).get("requestContext") or {}
    return Request(
        headers=headers,
        content=b"",
        query=dict(received.query_params),
        parts=received.path_params,
        caller=exchange.caller(headers, context),
        route=route,
    )


async def _content(received: Received, limits: Limits) -> bytes:
    """Read a body until it is longer than is taken; one that is announced as such, not at all."""
    content = bytearray()
    more = (exchange.length(received.headers) or 0) <= limits.bytes
    while more:
        message = await received.receive()
        content += message.get("body", b"")
        more = message.get("more_body", False) and len(content) <= limits.bytes
    return bytes(content)


def _sent(response: Response) -> Sent:
    return Sent(response.content, response.status, response.head)
