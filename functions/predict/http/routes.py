"""Routes: an endpoint by method and path, its description, and which route an address leads to."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from functions.predict.http.exchange import Request
from functions.predict.http.response import Response

type Endpoint = Callable[[Request], Response]
type Description = Mapping[str, Any]
type Parameters = Mapping[str, str]

_MAX_PREFIX: Final = 8
"""Number of segments of the longest prefix: each costs another search."""
_VERSION: Final = re.compile(r"v\d+")
_NAMING: Final = ("model", "name")
"""The parameters of paths that name a model."""


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
    model : str or None
        The model that the path names, if it has to name one.
    """

    method: str
    path: str
    endpoint: Endpoint
    describe: Callable[[], Description] | None = dict
    path_parameters: Parameters = field(default_factory=dict)
    model: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Find the model that the path names."""
        object.__setattr__(self, "model", _model_of(self.path_parameters))

    @property
    def own_path(self) -> str:
        """The path with the name of its model in it, and its other parameters in braces."""
        path = self.path
        for name in _NAMING:
            if name in self.path_parameters:
                path = path.replace(f"{{{name}}}", quote(self.path_parameters[name], safe=""))
        return path

    @property
    def expected_path(self) -> str | None:
        """The path with the expected parameters; None for a path that expects none."""
        if self.path_parameters or "{" not in self.path:
            return self.path.format_map(self.path_parameters)
        return None


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a request, which may have a prefix before the path of a route.

    Attributes
    ----------
    outer : str
        The path as the client knows it.
    inner : tuple of str
        The paths that the carrier says are meant, the likeliest first.
    may_have_prefix : bool
        Whether there may be a prefix that the carrier does not name.
    may_be_prefix : bool
        Whether a path that ends with a slash may be such a prefix as a whole, of the root.
    """

    outer: str
    inner: tuple[str, ...]
    may_have_prefix: bool = True
    may_be_prefix: bool = False


class Found(NamedTuple):
    """The routes at an address, by method with the path's parameters.

    `root` leads from the address to the root of the service, as a relative reference.
    """

    methods: Mapping[str, tuple[Route, Parameters]]
    root: str

    @property
    def allowed(self) -> str:
        """The methods, as the header Allow lists them."""
        implied = ["HEAD"] if "GET" in self.methods else []
        return ", ".join(sorted([*self.methods, *implied]))


class Router:
    """Finds the routes at an address.

    Parameters
    ----------
    routes : iterable of Route
        The routes; of two at one path the first counts, unless they are of two models.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, address: Address) -> Found | None:
        """Return the routes at an address; None where there is none.

        A prefix that the carrier does not name is found by the path that follows it. It never has
        a segment with which a path of the service begins: a rule for `/health/*` in front of the
        service does not let `/health/predict` pass as `/predict`.
        """
        for path in self._paths(address):
            segments = [segment for segment in path.split("/") if segment]
            methods = self._methods("/" + "/".join(segments))
            if methods:
                return Found(methods, _root(address.outer, len(segments)))
        return None

    def _paths(self, address: Address) -> Iterator[str]:
        yield from address.inner
        segments = [segment for segment in address.outer.split("/") if segment]
        names = map(unquote, segments[:_MAX_PREFIX])
        length = next((k for k, name in enumerate(names) if name in self._reserved), _MAX_PREFIX)
        if address.may_have_prefix:
            for k in range(1, min(length + 1, len(segments))):
                yield "/" + "/".join(segments[k:])
        if address.may_be_prefix and address.outer.endswith("/") and length >= len(segments):
            yield "/"

    def _methods(self, path: str) -> dict[str, tuple[Route, Parameters]]:
        """Return the routes of a path, percent-encoded or not."""
        plain = unquote(path)
        found: dict[str, tuple[Route, Parameters]] = {}
        for route in self._by_path.get(path) or self._by_path.get(plain) or ():
            found.setdefault(route.method, (route, route.path_parameters))
        for pattern, route in self._patterns:
            match = pattern.fullmatch(path) or pattern.fullmatch(plain)
            if match:
                values = {name: unquote(value) for name, value in match.groupdict().items()}
                own = self._of_models.get((route.method, route.path, _model_of(values)), route)
                found.setdefault(route.method, (own, values))
        return found

    @cached_property
    def _by_path(self) -> dict[str, list[Route]]:
        paths: dict[str, list[Route]] = {}
        for route in self._routes:
            if route.expected_path is not None:
                paths.setdefault(route.expected_path, []).append(route)
        return paths

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], Route]]:
        """The patterns with the first route of each; how many models there are costs no search."""
        first: dict[tuple[str, str], Route] = {}
        for route in self._routes:
            if "{" in route.path:
                first.setdefault((route.method, route.path), route)
        return [(_pattern(path), route) for (_, path), route in first.items()]

    @cached_property
    def _of_models(self) -> dict[tuple[str, str, str | None], Route]:
        return {(it.method, it.path, it.model): it for it in self._routes if it.model is not None}

    @cached_property
    def _reserved(self) -> frozenset[str]:
        """The first segments of the paths; a version may be a prefix's too: a stage `v1`."""
        first = {route.path.split("/")[1] for route in self._routes}
        return frozenset(name for name in first if name and not _VERSION.fullmatch(name))


def _model_of(values: Parameters) -> str | None:
    return next((values[name] for name in _NAMING if name in values), None)


def _pattern(path: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", path)
    named = [f"(?P<{name}>[^/]+)" for name in pieces[1::2]]
    literal = map(re.escape, pieces[::2])
    return re.compile("".join(map("".join, zip(literal, [*named, ""], strict=True))))


def _root(outer: str, depth: int) -> str:
    """Return the relative reference from an address to the root that is `depth` segments above."""
    if outer.endswith("/"):
        return "../" * depth or "./"
    if depth:
        return "../" * (depth - 1) or "./"
    last = outer.rpartition("/")[2]
    return f"./{quote(unquote(last), errors='replace')}/" if last else "./"


def by_exact_path(routes: Iterable[Route]) -> dict[tuple[str, str], Route]:
    """Return the routes by method and expected path, for one look-up a request.

    Matching paths one by one would take as long as a prediction.
    """
    found: dict[tuple[str, str], Route] = {}
    for route in routes:
        if route.expected_path is not None:
            found.setdefault((route.method, route.expected_path), route)
    return found
