"""The HTTP application: all routes of the service, without AWS and without the environment."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

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
    """

    def __init__(
        self,
        routes: Iterable[Route],
        dispatch: Dispatch,
        limits: Limits,
        openapi: Callable[[], dict[str, Any]],
        cors: "CrossOrigin | None" = None,
    ) -> None:
        self.routes, self.limits, self._openapi, self._cors = tuple(routes), limits, openapi, cors
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
        request.route, request.root = route.path, found.root
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
    service: Service,
    limits: Limits,
    log: Log,
    extra_routes: Iterable[Route] = (),
    middleware: Callable[[Dispatch], Dispatch] = lambda dispatch: dispatch,
    cors: "CrossOrigin | None" = None,
) -> Application:
    """Return the application of a service.

    Parameters
    ----------
    service : Service
        The prediction service.
    limits : Limits
        Limits of one request.
    log : Log
        Log of the service's own errors.
    extra_routes : iterable of Route
        Further routes.
    middleware : callable
        Wraps the dispatcher, for example to measure requests.
    cors : CrossOrigin, optional
        The origin whose pages may read responses.
    """
    routes = [route for dialect in DIALECTS for route in dialect(service, limits).routes()]
    routes += [*extra_routes, *_Status(service).routes()]

    @cache
    def openapi() -> dict[str, Any]:
        from functions.predict.app import openapi

        model = service.model
        return openapi.document(
            routes,
            title=f"{model.name}: predictions",
            version=model.version,
            description="Scores equal to scikit-learn's own.",
        )

    pages = _Pages(service, openapi)
    return Application(
        [*routes, *pages.routes()], middleware(Dispatcher(log)), limits, openapi, cors
    )


class _Status:
    """Routes for the health and the model of the service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/health/live", self.live, schemas.liveness)
        yield Route("GET", "/health/ready", self.ready, schemas.readiness)
        yield Route("GET", "/model", self.model, schemas.model_card)

    def live(self, request: Request) -> Response:
        """Check that the process runs."""
        return Response(b'{"status":"live"}')

    def ready(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions; 503 names one that fails."""
        self._service.require_ready()
        golden = len(self._service.model.predictor.package.golden)
        details = {"status": "ready", "golden_rows": golden, **self._service.challenger_card}
        return Response(exchange.to_json(details))

    def model(self, request: Request) -> Response:
        """Return the manifest and the signature of the model, and the challenger if any."""
        package = self._service.model.predictor.package
        card = {"manifest": package.manifest, "signature": package.signature}
        card |= self._service.challenger_card
        return Response(to_json(card, indent=2, fallback=vars))


class _Pages:
    """Routes for people: the form and the API reference, made at the first visit."""

    def __init__(self, service: Service, openapi: Callable[[], dict[str, Any]]) -> None:
        self._service, self._openapi = service, openapi

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/", self.form, describe=None)
        yield Route("GET", "/docs", self.docs, describe=None)
        yield Route("GET", "/openapi.json", self.document, describe=None)

    def form(self, request: Request) -> Response:
        from functions.predict.pages import pages

        return pages.form(self._service.model, request.root)

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
