"""The prediction service as an ASGI application; it knows neither AWS nor the environment."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_lambda_powertools import Logger
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.predict import exchange, problems, schemas
from functions.predict.application import Application
from functions.predict.dialects.known import DIALECTS, Dialect
from functions.predict.exchange import Limits
from functions.predict.naming import Named
from functions.predict.page import Page
from functions.predict.problems import ProblemRaised
from functions.predict.service import Service
from functions.predict.shortcut import Shortcut, fixed
from sklambda.telemetry import anatomy


def create_app(
    service: Service, limits: Limits, logger: Logger, parts: Sequence[Dialect] = ()
) -> Application:
    """Make the application around one service.

    Parameters
    ----------
    service : Service
        What answers.
    limits : Limits
        The most that one request may hold.
    logger : Logger
        Where faults of the service itself are written.
    parts : sequence of Dialect
        Further routes.
    """
    model = service.model
    app = Application(
        title=f"{model.name}: predictions",
        version=model.id[:12],
        description="Scores equal to scikit-learn's own.",
    )
    for dialect in DIALECTS:
        dialect(service, limits).mount(app)
    for part in parts:
        part.mount(app)
    _About(service).mount(app)
    Page(model).mount(app)
    app.state.fixed = fixed(app.routes)
    app.add_middleware(Shortcut, routes=app.state.fixed)
    _translate_errors(app, logger)
    return app


@dataclass(frozen=True, slots=True)
class _About:
    """What the service says of itself."""

    service: Service

    def mount(self, app: Application) -> None:
        app.get("/health/live")(self.live)
        app.get("/health/ready", responses=schemas.refusals())(self.ready)
        app.get("/model")(self.model)

    async def live(self) -> Response:
        """Tell that the process runs."""
        return _json(b'{"status":"live"}')

    async def ready(self) -> Response:
        """Tell whether the golden rows get scikit-learn's answers; 503 names one that fails."""
        self.service.require_ready()
        golden = len(self.service.model.predictor.package.golden)
        return _json(to_json({"status": "ready", "golden_rows": golden}))

    async def model(self) -> Response:
        """Show the model's manifest and signature."""
        package = self.service.model.predictor.package
        card = {"manifest": package.manifest, "signature": package.signature}
        return _json(to_json(card, indent=2))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def _translate_errors(app: Application, logger: Logger) -> None:
    """Make a problem of every error, in this one place."""

    app.add_exception_handler(ProblemRaised, _problem)
    app.add_exception_handler(HTTPException, _problem)
    app.add_middleware(_LastResort, logger=logger)
    app.add_middleware(Named)


async def _problem(_: Request, raised: Exception) -> Response:
    if isinstance(raised, HTTPException):
        return problems.of_status(raised.status_code, raised.headers).response()
    assert isinstance(raised, ProblemRaised)
    return raised.response()


class _LastResort:
    """Answers what nobody expected. Left to the framework, the error's message would be logged."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app, self._logger = app, logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            asked_by = exchange.caller(Request(scope))
            where = {"request_id": asked_by.request_id, "path": scope["path"], **anatomy(error)}
            self._logger.error("request failed", extra=where)
            await problems.of_status(500).response()(scope, receive, send)
