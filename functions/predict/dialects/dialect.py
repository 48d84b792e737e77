"""The base of the dialects: protocols in which clients request predictions."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from functions.predict.http import problems
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Route
from functions.predict.registry import Registry
from functions.predict.service import Service


@dataclass(frozen=True, slots=True)
class Dialect(ABC):
    """The routes of one protocol, for one model.

    Attributes
    ----------
    service : Service
        The prediction service of the model.
    limits : Limits
        Limits of one request.
    registry : Registry
        All models of the service.
    """

    service: Service
    limits: Limits
    registry: Registry

    @abstractmethod
    def routes(self) -> Iterator[Route]:
        """Return the routes of the model."""

    def server_routes(self) -> Iterator[Route]:
        """Return the routes that are not of one model."""
        yield from ()

    def require_name(self, name: str) -> None:
        """Raise the problem of a name that is not that of the model."""
        if name != self.service.model.name:
            raise problems.unknown_model(self.registry.names)


def with_json_problems(route: Route) -> Route:
    """Return a route whose problems have the media type of JSON.

    KServe's client shows the error of a response only if its media type is ``application/json``.
    """
    endpoint, describe = route.endpoint, route.describe

    @wraps(endpoint)
    def respond(request: Request) -> Response:
        try:
            return endpoint(request)
        except ProblemRaised as raised:
            raise replace(raised, media_type=JSON) from None

    def described() -> dict[str, Any]:
        description = dict(describe() if describe else {})
        responses = {
            status: response | {"content": _with_json(response["content"])}
            if "content" in response
            else response
            for status, response in description.get("responses", {}).items()
        }
        return description | {"responses": responses}

    return replace(route, endpoint=respond, describe=described if describe else None)


def _with_json(content: dict[str, Any]) -> dict[str, Any]:
    return {JSON if name == problems.MEDIA_TYPE else name: each for name, each in content.items()}
