"""The HTTP application: all routes of the service, without AWS and without the environment."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from functions.predict.app.model_routes import model_routes
from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.invocations.routes import Invocations
from functions.predict.dialects.kserve import KServe
from functions.predict.dialects.native import Native
from functions.predict.dialects.oip.protocol import OpenInference
from functions.predict.http import exchange, problems, schemas
from functions.predict.http.dispatch import Dispatch, Dispatcher
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Address, Route, Router, by_exact_path
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.telemetry import Log

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from functions.predict.http.cors import CrossOrigin

DIALECTS: Final[tuple[type[Dialect], ...]] = (Native, OpenInference, Invocations, KServe)
"""The protocols in which clients request predictions."""

_PROTOCOL: Final = re.compile(r"^/v[12](/|$)|/v[12]/(models|health)\b")
"""A path of KServe's protocols, whose client reads no error but JSON; a stage may be `v1` too."""


class Application:
    """Routes and their dispatcher; an ASGI application for servers.

    Parameters
    ----------
    routes : iterable of Route
        The routes.
    dispatch : callable
        Returns the response of an endpoint to a request.
    limits : Limits
        Limits of one request.
    openapi : callable
        Returns the OpenAPI document.
    cors : CrossOrigin, optional
        The origin whose pages may read responses.
    models : sequence of str
        The names of the models, the default one first.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        dispatch: Dispatch,
        limits: Limits,
        openapi: Callable[[], dict[str, Any]],
        cors: "CrossOrigin | None" = None,
        models: Sequence[str] = (),
    ) -> None:
        self.routes, self.models, self.limits = tuple(routes), models, limits
        self._openapi, self._cors = openapi, cors
        self.dispatch = cors.around(dispatch) if cors else dispatch
        self.by_exact_path = by_exact_path(self.routes)
        self._router = Router(self.routes)

    def respond(self, method: str, address: Address, request: Request) -> Response:
        """Return the response to a request whose route is not known yet."""
        if self._cors is not None and self._cors.is_preflight(method, request):
            return self._cors.preflight()
        found = self._router.find(address)
        if found is None:
            problem = problems.from_status(404)
            return self.refuse(request, _as_read(problem, (address.outer, *address.inner)))
        match = found.methods.get("GET" if method == "HEAD" else method)
        if match is None:
            problem = problems.from_status(405, {"allow": found.allowed})
            return self.refuse(
                request, _as_read(problem, (it.path for it, _ in found.methods.values()))
            )
        route, request.path_parameters = match
        request.route, request.root, request.model = route.path, found.root, route.model
        return self.dispatch(request, route.endpoint)

    def refuse(self, request: Request, problem: ProblemRaised) -> Response:
        """Return the response to a request that no endpoint sees."""
        return self.dispatch(request, lambda _: problem.response())

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve a request of a server."""
        await self.asgi(scope, receive, send)

    @cached_property
    def asgi(self) -> "FastAPI":
        """The FastAPI application, which an event of Lambda does not need."""
        from functions.predict.app import asgi

        return asgi.application(self.respond, self.limits, self._openapi)


def _as_read(problem: ProblemRaised, paths: Iterable[str]) -> ProblemRaised:
    """Return a problem of some paths in the media type that the clients of their protocol read."""
    return replace(problem, media_type=JSON) if any(map(_PROTOCOL.search, paths)) else problem


def create_app(
    registry: Registry,
    limits: Limits,
    log: Log,
    feedback: Callable[[Service], Iterable[Route]] = lambda service: (),
    middleware: Callable[[Dispatch], Dispatch] = lambda dispatch: dispatch,
    cors: "CrossOrigin | None" = None,
) -> Application:
    """Return the application of a service.

    Parameters
    ----------
    registry : Registry
        The models of the service.
    limits : Limits
        Limits of one request.
    log : Log
        Log of the service's own errors.
    feedback : callable
        Returns the routes that take outcomes of a model.
    middleware : callable
        Wraps the dispatcher, for example to measure requests.
    cors : CrossOrigin, optional
        The origin whose pages may read responses.
    """

    def dialects(service: Service) -> list[Dialect]:
        return [dialect(service, limits, registry) for dialect in DIALECTS]

    def routes_of(service: Service) -> Iterator[Route]:
        for dialect in dialects(service):
            yield from dialect.routes()
        yield from feedback(service)

    routes = [*model_routes(registry, routes_of)]
    routes += (route for dialect in dialects(registry.default) for route in dialect.server_routes())
    routes += _Status(registry).routes()

    @cache
    def openapi() -> dict[str, Any]:
        from functions.predict.app import openapi

        model, (default, *others) = registry.default.model, registry.names
        named = f" The models are {default} (the default one), {', '.join(others)}."
        return openapi.document(
            routes,
            title=f"{model.name}: predictions",
            version=model.version,
            description=f"Scores equal to scikit-learn's own.{named if others else ''}",
            default=default,
        )

    pages = _Pages(registry, openapi)
    routes += pages.routes()
    return Application(routes, middleware(Dispatcher(log)), limits, openapi, cors, registry.names)


class _Status:
    """Routes for the health of the service."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/health/live", self.live, schemas.liveness)
        yield Route("GET", "/health/ready", self.ready, schemas.readiness)

    def live(self, request: Request) -> Response:
        """Check that the process runs."""
        return Response(b'{"status":"live"}')

    def ready(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions; 503 names one that fails."""
        self._registry.require_ready()
        golden = sum(len(each.model.predictor.package.golden) for each in self._registry)
        card = self._registry.default.challenger_card
        return Response(exchange.to_json({"status": "ready", "golden_rows": golden, **card}))


class _Pages:
    """Routes for people: the form and the API reference, made at the first visit."""

    def __init__(self, registry: Registry, openapi: Callable[[], dict[str, Any]]) -> None:
        self._registry, self._openapi = registry, openapi

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/", self.form, describe=None)
        yield Route("GET", "/docs", self.docs, describe=None)
        yield Route("GET", "/openapi.json", self.document, describe=None)

    def form(self, request: Request) -> Response:
        from functions.predict.pages import pages

        name = request.query.get("model", self._registry.names[0])
        return pages.form(self._registry.named(name).model, request.root, self._registry.names)

    def docs(self, request: Request) -> Response:
        from functions.predict.pages import pages

        return pages.reference(self._openapi(), request.root)

    def document(self, request: Request) -> Response:
        from functions.predict.app import openapi

        # Relative to the document's own address, which may end with a slash.
        document = self._openapi() | {"servers": [{"url": request.root.rstrip("/")}]}
        media = request.query.get("media")
        if media not in (None, "json"):
            raise problems.body_invalid(("", "type", "media must be json"))
        return Response(exchange.to_json(openapi.only_json(document) if media else document))
