"""The short way to routes that take a request as it is and stand at a fixed path."""

from collections.abc import Mapping, Sequence
from inspect import signature

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.predict.problems import ProblemRaised


class Shortcut:
    """Finds such a route by one look-up; leaves every other request to the framework.

    Matching routes one by one would take as long as a prediction.

    Parameters
    ----------
    app : ASGIApp
        What answers all other requests.
    routes : mapping of (str, str) to APIRoute
        Such routes by method and path.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[tuple[str, str], APIRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        route = self._routes.get((scope.get("method", ""), scope.get("path", "")))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.endpoint(Request(scope, receive, send))
        except ProblemRaised as raised:
            response = raised.response()
        await response(scope, receive, send)


def fixed(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], APIRoute]:
    """Give the routes that the short way leads to; of two at one place, the first."""
    return {
        (method, route.path): route
        for route in reversed(routes)
        if isinstance(route, APIRoute) and _takes_the_request_alone(route)
        for method in route.methods or ()
    }


def _takes_the_request_alone(route: APIRoute) -> bool:
    return "{" not in route.path and list(signature(route.endpoint).parameters) == ["request"]
