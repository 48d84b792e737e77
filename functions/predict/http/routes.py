"""The table of routes: what answers where, and how the OpenAPI document tells of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.predict.http.exchange import Request
from functions.predict.http.response import Response

type Endpoint = Callable[[Request], Response]
type Description = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the table.

    Attributes
    ----------
    method : str
        The HTTP method.
    path : str
        The path, with the names of its parameters in braces.
    endpoint : callable
        What answers.
    described : callable or None
        Gives the description as FastAPI takes it; None keeps the route out of the document.
    known : mapping of str to str
        The values of the path's parameters that requests are expected to have.
    """

    method: str
    path: str
    endpoint: Endpoint
    described: Callable[[], Description] | None = dict
    known: Mapping[str, str] = field(default_factory=dict)


def by_place(routes: Iterable[Route]) -> dict[tuple[str, str], Route]:
    """Give the routes by method and expected path, where one look-up finds them.

    Matching paths one by one would take as long as a prediction.
    """
    return {
        (route.method, route.path.format_map(route.known)): route
        for route in routes
        if route.known or "{" not in route.path
    }
