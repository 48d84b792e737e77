"""``POST /invocations``: what MLflow's scoring server and SageMaker's containers answer to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.invocations import csv_tables, json_tables, methods, schemas
from functions.predict.dialects.invocations.schemas import ATTRIBUTES, CSV
from functions.predict.dialects.invocations.tables import Misfit, Table
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Caller, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import JSON, JSON_LINES, Response
from functions.predict.http.routes import Route
from functions.predict.model import Question, Reply
from sklambda.errors import RowsInvalid

MEDIA_TYPES: Final = (JSON, CSV, JSON_LINES)
VARIANT: Final = "x-amzn-invoked-production-variant"
VERSION: Final = b"2.0.0"
"""The version of MLflow that gave its scoring protocol the shape that is spoken here."""

_CHARSETS: Final = ("utf-8", "utf8", "us-ascii")
_HEADERS: Final = {None: None, "present": True, "absent": False}


class Invocations(Dialect):
    """The dialects of MLflow and SageMaker, which share their routes."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Give the routes of both."""
        model = self.service.model
        described = partial(schemas.described, model.signature)
        yield Route("POST", "/invocations", self.invocations, described)
        endpoint = partial(schemas.endpoint, model.signature, model.name)
        known = {"name": model.name}
        yield Route("POST", "/endpoints/{name}/invocations", self.endpoint, endpoint, known)
        for path in ("/ping", "/health"):
            yield Route("GET", path, self.ping, schemas.ping)
        yield Route("GET", "/version", self.version, schemas.version)

    def ping(self, request: Request) -> Response:
        """Tell whether the golden rows get scikit-learn's answers; 503 names one that fails."""
        self.service.require_ready()
        return Response(media_type=None)

    def version(self, request: Request) -> Response:
        """Tell the version of MLflow's scoring protocol."""
        return Response(VERSION, "text/plain")

    def endpoint(self, request: Request) -> Response:
        """Answer as SageMaker's runtime does for an endpoint with the model's name."""
        if request.parts["name"] != self.service.model.name:
            raise problems.of_status(404)
        return self.invocations(request)

    def invocations(self, request: Request) -> Response:
        """Score a table of rows, by default with the answers of scikit-learn's predict."""
        try:
            return self._answer(request)
        except ProblemRaised as raised:
            # Where MLflow and boto3 look for what went wrong.
            told = {**raised.members, "message": raised.detail}
            raise replace(raised, members=told) from None

    def _answer(self, request: Request) -> Response:
        announced = exchange.media_type(request, MEDIA_TYPES)
        given = exchange.accepted(request, MEDIA_TYPES)
        header = _header(request)
        content = exchange.body(request, self.limits)
        table, method = self._read(announced, content, header, request.headers.get(ATTRIBUTES, ""))
        reply = self._ask(table, request.caller)
        written = _WRITERS[given](methods.answers(reply, method))
        return Response(written, given, headers={VARIANT: reply.model.id})

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
    return exchange.written({"predictions": answers})


def _json_lines(answers: Sequence[Any]) -> bytes:
    return b"".join(exchange.written(answer) + b"\n" for answer in answers)


_WRITERS: Final[dict[str, Callable[[Sequence[Any]], bytes]]] = {
    JSON: _json,
    CSV: csv_tables.write,
    JSON_LINES: _json_lines,
}
