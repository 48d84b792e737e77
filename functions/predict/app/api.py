"""The prediction service as an application; it knows neither AWS nor the environment."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from functions.predict.dialects.known import DIALECTS
from functions.predict.http import exchange, schemas
from functions.predict.http.answering import Answer, Answering
from functions.predict.http.exchange import Limits, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route, by_place
from functions.predict.pages.page import Page
from functions.predict.service import Service
from sklambda.telemetry import Log

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Application:
    """Routes, and the one way to answer by them; to a server, an ASGI application.

    Parameters
    ----------
    routes : iterable of Route
        The table.
    answer : callable
        Answers a request by a route.
    limits : Limits
        The most that one request may hold.
    """

    def __init__(self, routes: Iterable[Route], answer: Answer, limits: Limits) -> None:
        self._routes, self._limits = tuple(routes), limits
        self.answer = answer
        self.by_place = by_place(self._routes)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request of a server."""
        await self._asgi(scope, receive, send)

    @cached_property
    def _asgi(self) -> "ASGIApp":
        # A start that only predicts does not wait for a framework.
        from functions.predict.app import asgi

        return asgi.application(self._routes, self.answer, self._limits)


def create_app(
    service: Service,
    limits: Limits,
    log: Log,
    further: Iterable[Route] = (),
    watch: Callable[[Answer], Answer] = lambda answer: answer,
) -> Application:
    """Make the application around one service.

    Parameters
    ----------
    service : Service
        What answers.
    limits : Limits
        The most that one request may hold.
    log : Log
        Where faults of the service itself are written.
    further : iterable of Route
        Further routes.
    watch : callable
        Puts what measures requests around the answering.
    """
    routes = [route for dialect in DIALECTS for route in dialect(service, limits).routes()]
    routes += [*further, *_About(service).routes()]

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

    page = Page(service.model, openapi)
    return Application([*routes, *page.routes()], watch(Answering(log)), limits)


class _About:
    """What the service says of itself."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/health/live", self.live, schemas.told)
        yield Route("GET", "/health/ready", self.ready, partial(schemas.told, 503))
        yield Route("GET", "/model", self.model, schemas.told)

    def live(self, request: Request) -> Response:
        """Tell that the process runs."""
        return Response(b'{"status":"live"}')

    def ready(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers; 503 names one that fails."""
        self._service.require_ready()
        golden = len(self._service.model.predictor.package.golden)
        return Response(exchange.written({"status": "ready", "golden_rows": golden}))

    def model(self, request: Request) -> Response:
        """Show the model's manifest and signature."""
        package = self._service.model.predictor.package
        card = {"manifest": package.manifest, "signature": package.signature}
        return Response(to_json(card, indent=2, fallback=vars))
