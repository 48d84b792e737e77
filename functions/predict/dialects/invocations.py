"""``POST /invocations``: what MLflow's scoring server and SageMaker's containers answer to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from functions.predict import exchange, problems, schemas
from functions.predict.application import Application
from functions.predict.dialects import csv_tables, invocations_schemas, json_tables, methods
from functions.predict.dialects.invocations_schemas import ATTRIBUTES, CSV, JSON_LINES
from functions.predict.dialects.tables import Misfit, Table
from functions.predict.exchange import JSON, Limits
from functions.predict.problems import ProblemRaised
from functions.predict.service import Caller, Question, Reply, Service
from sklambda.errors import RowsInvalid

MEDIA_TYPES: Final = (JSON, CSV, JSON_LINES)
VARIANT: Final = "x-amzn-invoked-production-variant"
VERSION: Final = b"2.0.0"
"""The version of MLflow that gave its scoring protocol the shape that is spoken here."""

_CHARSETS: Final = ("utf-8", "utf8", "us-ascii")
_HEADERS: Final = {None: None, "present": True, "absent": False}


@dataclass(frozen=True, slots=True)
class Invocations:
    """The dialects of MLflow and SageMaker, which share their routes.

    Attributes
    ----------
    service : Service
        What answers.
    limits : Limits
        The most that a request may hold.
    """

    service: Service
    limits: Limits

    def mount(self, app: Application) -> None:
        """Add the routes to an application."""
        signature = self.service.model.signature
        described = invocations_schemas.described(signature)
        app.post("/invocations", **described)(self.invocations)
        app.post("/endpoints/{name}/invocations", **described)(self.endpoint)
        for path in ("/ping", "/health"):
            app.get(path, response_class=Response, responses=schemas.refusals())(self.ping)
        app.get("/version", response_class=PlainTextResponse)(self.version)

    async def ping(self) -> Response:
        """Tell whether the golden rows get scikit-learn's answers; 503 names one that fails."""
        self.service.require_ready()
        return Response()

    async def version(self) -> Response:
        """Tell the version of MLflow's scoring protocol."""
        return PlainTextResponse(VERSION)

    async def endpoint(self, request: Request, name: str) -> Response:
        """Answer as SageMaker's runtime does for an endpoint with the model's name."""
        if name != self.service.model.name:
            raise problems.of_status(404)
        return await self.invocations(request)

    async def invocations(self, request: Request) -> Response:
        """Score a table of rows, by default with the answers of scikit-learn's predict."""
        try:
            return await self._answer(request)
        except ProblemRaised as raised:
            # Where MLflow and boto3 look for what went wrong.
            told = {**raised.members, "message": raised.detail}
            raise replace(raised, members=told) from None

    async def _answer(self, request: Request) -> Response:
        caller = exchange.caller(request)
        announced = exchange.media_type(request, MEDIA_TYPES)
        given = exchange.accepted(request, MEDIA_TYPES)
        header = _header(request)
        content = await exchange.body(request, self.limits)
        table, method = self._read(announced, content, header, request.headers.get(ATTRIBUTES, ""))
        reply = self._ask(table, caller)
        response = exchange.answer(_WRITERS[given](methods.answers(reply, method)), caller, given)
        response.headers[VARIANT] = reply.model.id
        return response

    def _read(
        self, announced: str, content: bytes, header: bool | None, attributes: str
    ) -> tuple[Table, str]:
        """Read the table and the method; what is wrong with either is among the misfits."""
        signature = self.service.model.signature
        params = None
        if announced == CSV:
            table = csv_tables.read(content, signature, self.limits, header)
        elif announced == JSON_LINES:
            table = json_tables.read_lines(content, signature, self.limits)
        else:
            document = exchange.document(content, inf_nan=True)
            table = json_tables.read(document, signature, self.limits)
            params = document.get(json_tables.PARAMETERS)
        method, misfits = methods.asked(params, attributes, signature.target)
        return replace(table, misfits=[*misfits, *table.misfits]), method

    def _ask(self, table: Table, caller: Caller) -> Reply:
        if table.misfits:
            raise problems.body_invalid(*table.misfits, *self._faults(table))
        try:
            return self.service.ask(Question(table.rows, caller, coerced=table.coerced))
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, table.locate) from None

    def _faults(self, table: Table) -> list[Misfit]:
        """Find what is wrong with the rows of a table that is not scored anyway."""
        try:
            self.service.model.predictor.encode(table.rows)
        except RowsInvalid as invalid:
            return [
                (table.locate(fault), fault.code.value, fault.detail)
                for fault in invalid.faults
                if not table.tells_of(fault)
            ]
        return []


def _header(request: Request) -> bool | None:
    """Tell whether a CSV is announced with a header (RFC 4180), as far as that is said."""
    pieces = request.headers.get("content-type", "").lower().split(";")[1:]
    said = {
        name.strip(): value.strip(' "') for name, _, value in (p.partition("=") for p in pieces)
    }
    header = said.get("header")
    if said.get("charset", "utf-8") not in _CHARSETS or header not in _HEADERS:
        raise problems.unsupported_media_type([f"{media}; charset=utf-8" for media in MEDIA_TYPES])
    return _HEADERS[header]


def _json(answers: Sequence[Any]) -> bytes:
    return to_json({"predictions": answers}, inf_nan_mode="null")


def _json_lines(answers: Sequence[Any]) -> bytes:
    return b"".join(to_json(answer, inf_nan_mode="null") + b"\n" for answer in answers)


_WRITERS: Final[dict[str, Callable[[Sequence[Any]], bytes]]] = {
    JSON: _json,
    CSV: csv_tables.write,
    JSON_LINES: _json_lines,
}
