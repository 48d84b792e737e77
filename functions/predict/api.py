"""The prediction service as an ASGI application; it knows neither AWS nor the environment."""

from typing import Any, Final

from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from pydantic_core import from_json, to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.predict import problems, schemas
from functions.predict.problems import ProblemRaised
from sklambda.codec import Row
from sklambda.errors import RowsInvalid
from sklambda.predictor import Predictor
from sklambda.settings import Settings
from sklambda.telemetry import anatomy

_JSON: Final = "application/json"


def create_app(predictor: Predictor, settings: Settings, logger: Logger) -> FastAPI:
    """Make the application around one model.

    Parameters
    ----------
    predictor : Predictor
        Its golden rows are replayed here, once: a model that does not give scikit-learn's answers
        on this machine scores nothing.
    settings : Settings
        The limits of a request.
    logger : Logger
        Where faults of the service itself are written.
    """
    manifest, signature = predictor.package.manifest, predictor.package.signature
    app = FastAPI(
        title=f"{manifest.name}: predictions",
        version=manifest.id[:12],
        description="Probabilities equal to scikit-learn's own.",
        docs_url=None,
        redoc_url=None,
    )
    service = _Service(predictor, settings)
    body = _body(schemas.request(signature))
    app.post("/predict", openapi_extra=body, responses=_answers())(service.predict)
    app.get("/health/live")(service.live)
    app.get("/health/ready", responses=_answers())(service.ready)
    app.get("/model")(service.model)
    _describe(app, schemas.response(signature))
    _translate_errors(app, logger)
    return app


class _Service:
    """The routes; their docstrings stand in the OpenAPI document."""

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        manifest = predictor.package.manifest
        self._predictor = predictor
        self._most_rows = settings.max_rows
        self._mismatch = predictor.replay()
        self._model = {"name": manifest.name, "id": manifest.id}
        self._card = {"manifest": manifest, "signature": predictor.package.signature}

    async def predict(self, request: Request) -> Response:
        """Score instances: label, score and the probability of each class."""
        self._require_ready()
        rows = _rows(request.headers.get("content-type"), await request.body(), self._most_rows)
        try:
            predictions = self._predictor.predict(rows)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid) from None
        shown = [prediction.members for prediction in predictions]
        return _json(to_json({"model": self._model, "predictions": shown}))

    async def live(self) -> Response:
        """Tell that the process runs."""
        return _json(b'{"status":"live"}')

    async def ready(self) -> Response:
        """Tell whether the golden rows get scikit-learn's answers; 503 names one that fails."""
        self._require_ready()
        golden = len(self._predictor.package.golden)
        return _json(to_json({"status": "ready", "golden_rows": golden}))

    async def model(self) -> Response:
        """Show the model's manifest and signature."""
        return _json(to_json(self._card, indent=2))

    def _require_ready(self) -> None:
        if self._mismatch is not None:
            raise problems.not_ready(self._mismatch.name)


def _rows(content_type: str | None, body: bytes, most: int) -> list[Row]:
    if content_type is not None and content_type.partition(";")[0].strip().lower() != _JSON:
        raise problems.unsupported_media_type()
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise problems.not_json(str(error)) from None
    rows = _instances(document)
    if len(rows) > most:
        raise problems.too_many_rows(most)
    return rows


def _instances(document: object) -> list[Row]:
    if not isinstance(document, dict):
        raise problems.body_invalid(("", "type", "must be an object"))
    strangers = [
        (problems.pointer(name), "unknown_member", "is not a member of a request")
        for name in document
        if name != "instances"
    ]
    if strangers:
        raise problems.body_invalid(*strangers[: problems.MOST_ERRORS])
    rows = document.get("instances")
    if not isinstance(rows, list) or not rows:
        raise problems.body_invalid(("/instances", "type", "must be a list of at least one object"))
    return rows


def _json(content: bytes) -> Response:
    return Response(content, media_type=_JSON)


def _body(schema: schemas.Schema) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {_JSON: {"schema": schema}}}}


def _answers() -> dict[int | str, dict[str, Any]]:
    content = {problems.MEDIA_TYPE: {"schema": schemas.problem()}}
    return {"default": {"description": "A problem.", "content": content}}


def _describe(app: FastAPI, response: schemas.Schema) -> None:
    """Give the application its OpenAPI document; the answer's schema is the model's own."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            answer = document["paths"]["/predict"]["post"]["responses"]["200"]
            answer["content"] = {_JSON: {"schema": response}}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the documented way to replace it


def _translate_errors(app: FastAPI, logger: Logger) -> None:
    """Make a problem of every error, in this one place."""

    @app.exception_handler(ProblemRaised)
    async def problem(_: Request, raised: ProblemRaised) -> Response:
        return raised.response()

    @app.exception_handler(HTTPException)
    async def of_framework(_: Request, raised: HTTPException) -> Response:
        return problems.of_status(raised.status_code, raised.headers).response()

    app.add_middleware(_LastResort, logger=logger)


class _LastResort:
    """Answers what nobody expected. Left to the framework, the error's message would be logged."""

    def __init__(self, app: ASGIApp, logger: Logger) -> None:
        self._app, self._logger = app, logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            where = {"path": scope["path"], **anatomy(error)}
            self._logger.error("request failed", extra=where)
            await problems.of_status(500).response()(scope, receive, send)
