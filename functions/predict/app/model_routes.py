"""The routes of all models: those of the default one as they are, and those of each by its name."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from pydantic_core import to_json

from functions.predict.http import exchange, problems, schemas
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from functions.predict.registry import Registry
from functions.predict.service import Service

_BY_NAME: Final = "/models/{model}"
"""What stands before a path that names no model."""

type RoutesOf = Callable[[Service], Iterable[Route]]
"""Returns the routes of a model."""


def model_routes(registry: Registry, routes_of: RoutesOf) -> Iterator[Route]:
    """Return the routes of the models of a service."""
    default, *others = [(service, list(routes_of(service))) for service in registry]
    yield from default[1]
    yield Route("GET", "/model", Card(default[0]).model, schemas.model_card)
    yield from _Models(registry).routes(default[1])
    yield from _routes_by_name(*default, is_default=True)
    for service, routes in others:
        yield from _routes_by_name(service, routes, is_default=False)


def path_by_name(path: str) -> str:
    """Return the path that names a model, for one that names none."""
    return f"{_BY_NAME}{path}"


def _routes_by_name(service: Service, routes: Iterable[Route], is_default: bool) -> Iterator[Route]:
    """Return the routes of a model by its name; the default one has those with a name already."""
    name = {"model": service.model.name}
    for route in routes:
        if route.model is None:
            describe = None if is_default else route.describe
            path = path_by_name(route.path)
            yield replace(route, path=path, path_parameters=name, describe=describe)
        elif not is_default:
            yield route


class Card:
    """The card of a model.

    Parameters
    ----------
    service : Service
        The service of the model.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def model(self, request: Request) -> Response:
        """Return the manifest and the signature of the model, and the challenger if any."""
        package = self._service.model.predictor.package
        card = {"manifest": package.manifest, "signature": package.signature}
        card |= self._service.challenger_card
        return Response(to_json(card, indent=2, fallback=vars))


class _Models:
    """The list of the models, and what names none of them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self, routes: Iterable[Route]) -> Iterator[Route]:
        """Return the route of the list, and one for each path by name of an unknown model."""
        yield Route("GET", "/models", self.models, schemas.models)
        describe = partial(schemas.model_card, *self._registry.names)
        yield Route("GET", _BY_NAME, self.card, describe)
        for route in routes:
            if route.model is None:
                yield Route(route.method, path_by_name(route.path), self.unknown, None)

    def models(self, request: Request) -> Response:
        """Return the models: each with its package, the default one first."""
        models: list[dict[str, Any]] = [
            {
                "name": service.model.name,
                "id": service.model.id,
                "task": service.model.signature.target.task,
                "ready": service.model.mismatch is None,
            }
            for service in self._registry
        ]
        return Response(exchange.to_json({"default": models[0]["name"], "models": models}))

    def card(self, request: Request) -> Response:
        """Return the manifest and the signature of a model, and its challenger if any."""
        service = self._registry.named(request.path_parameters["model"])
        request.model = service.model.name
        return Card(service).model(request)

    def unknown(self, request: Request) -> Response:
        """Refuse the name of a model that is not served."""
        raise problems.unknown_model(self._registry.names)
