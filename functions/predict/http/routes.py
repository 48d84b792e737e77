"""Routes: an endpoint by method and path, and its description for the OpenAPI document."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.predict.http.exchange import Request
from functions.predict.http.response import Response

type Endpoint = Callable[[Request], Response]
type Description = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes
    ----------
    method : str
        The HTTP method.
    path : str
        The path, with its parameters in braces.
    endpoint : callable
        Answers the requests.
    describe : callable or None
        Returns the parameters and the body in ``openapi_extra``, and the ``responses`` by status;
        None leaves the route out of the document.
    path_parameters : mapping of str to str
        The values of the path's parameters that requests are expected to have.
    """

    method: str
    path: str
    endpoint: Endpoint
    describe: Callable[[], Description] | None = dict
    path_parameters: Mapping[str, str] = field(default_factory=dict)


def by_exact_path(routes: Iterable[Route]) -> dict[tuple[str, str], Route]:
    """Return the routes by method and expected path, for one look-up a request.

    Matching paths one by one would take as long as a prediction.
    """
    return {
        (route.method, route.path.format_map(route.path_parameters)): route
        for route in routes
        if route.path_parameters or "{" not in route.path
    }
