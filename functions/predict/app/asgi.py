"""The application on Starlette: for servers, and for events that Mangum translates."""

from collections.abc import Awaitable, Callable, Iterable

from starlette import requests, responses, routing
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from functions.predict.http import exchange, problems
from functions.predict.http.dispatch import Dispatch
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route


def application(routes: Iterable[Route], dispatch: Dispatch, limits: Limits) -> Starlette:
    """Return the Starlette application.

    Parameters
    ----------
    routes : iterable of Route
        The routes.
    dispatch : callable
        Returns the response of an endpoint to a request.
    limits : Limits
        Limits of a request body.
    """

    async def handle_error(received: requests.Request, error: Exception) -> responses.Response:
        assert isinstance(error, HTTPException)
        problem = problems.from_status(error.status_code, error.headers)
        return _to_starlette(dispatch(_request(received, None), lambda _: problem.response()))

    paths = [
        routing.Route(route.path, _endpoint(route, dispatch, limits), methods=[route.method])
        for route in routes
    ]
    app = Starlette(routes=paths, exception_handlers={HTTPException: handle_error})
    app.router.redirect_slashes = False  # the address would lack the stage
    return app


def _endpoint(
    route: Route, dispatch: Dispatch, limits: Limits
) -> Callable[[requests.Request], Awaitable[responses.Response]]:
    async def endpoint(received: requests.Request) -> responses.Response:
        request = _request(received, route.path)
        request.content = await _content(received, limits)
        return _to_starlette(dispatch(request, route.endpoint))

    return endpoint


def _request(received: requests.Request, route: str | None) -> Request:
    headers = {name.lower(): ", ".join(received.headers.getlist(name)) for name in received.headers}
    context = received.scope.get("aws.event", {}).get("requestContext") or {}
    return Request(
        headers=headers,
        content=b"",
        query=dict(received.query_params),
        path_parameters=received.path_params,
        caller=exchange.identify_caller(headers, context),
        route=route,
    )


async def _content(received: requests.Request, limits: Limits) -> bytes:
    """Read a body up to the limit; nothing of a body that is declared longer."""
    content = bytearray()
    more = (exchange.byte_count(received.headers) or 0) <= limits.bytes
    while more:
        message = await received.receive()
        content += message.get("body", b"")
        more = message.get("more_body", False) and len(content) <= limits.bytes
    return bytes(content)


def _to_starlette(response: Response) -> responses.Response:
    return responses.Response(response.content, response.status, response.all_headers)
