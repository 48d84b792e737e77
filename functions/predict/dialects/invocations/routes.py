"""``POST /invocations``: the protocols of MLflow's scoring server and of SageMaker's containers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.invocations import csv_tables, methods, schemas, tables
from functions.predict.dialects.invocations.schemas import ATTRIBUTES, CSV
from functions.predict.dialects.invocations.tables import Table
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Caller, Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.problems import BodyFault, ProblemRaised
from functions.predict.http.response import JSON, JSON_LINES, Response
from functions.predict.http.routes import Route
from functions.predict.model import PredictionRequest, PredictionResponse
from sklambda.errors import RowsInvalid

MEDIA_TYPES: Final = (JSON, CSV, JSON_LINES)
VARIANT: Final = "x-amzn-invoked-production-variant"
VERSION: Final = b"2.0.0"
"""The version of MLflow that introduced this form of its scoring protocol."""

_HEADERS: Final = {None: None, "present": True, "absent": False}


class Invocations(Dialect):
    """The dialects of MLflow and SageMaker, which share their routes."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the routes of both."""
        model = self.service.model
        describe = partial(schemas.invocations, model.signature)
        yield Route("POST", "/invocations", self.invocations, describe)
        endpoint = partial(schemas.endpoint, model.signature, model.name)
        expected = {"name": model.name}
        yield Route("POST", "/endpoints/{name}/invocations", self.endpoint, endpoint, expected)
        for path in ("/ping", "/health"):
            yield Route("GET", path, self.ping, schemas.ping)
        yield Route("GET", "/version", self.version, schemas.version)

    def ping(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions; 503 names one that fails."""
        self.service.require_ready()
        return Response(media_type=None)

    def version(self, request: Request) -> Response:
        """Return the version of MLflow's scoring protocol."""
        return Response(VERSION, "text/plain")

    def endpoint(self, request: Request) -> Response:
        """Score as SageMaker's runtime does, for an endpoint with the model's name."""
        if request.path_parameters["name"] != self.service.model.name:
            raise problems.from_status(404)
        return self.invocations(request)

    def invocations(self, request: Request) -> Response:
        """Score a table of rows, by default with the result of scikit-learn's predict."""
        try:
            return self._invoke(request)
        except ProblemRaised as raised:
            # MLflow and boto3 read the message of an error from here.
            members = {**raised.members, "message": raised.detail}
            raise replace(raised, members=members) from None

    def _invoke(self, request: Request) -> Response:
        request_type = exchange.require_media_type(request, MEDIA_TYPES)
        response_type = exchange.negotiate_media_type(request, MEDIA_TYPES)
        header = _has_header(request)
        content = exchange.read_body(request, self.limits)
        attributes = request.headers.get(ATTRIBUTES, "")
        table, method = self._read(request_type, content, header, attributes)
        response = self._predict(table, request.caller)
        body = _WRITERS[response_type](methods.predictions(response, method))
        return Response(
            body, response_type, headers={VARIANT: response.model.id}, rows=len(table.rows)
        )

    def _read(
        self, media_type: str, content: bytes, header: bool | None, attributes: str
    ) -> tuple[Table, str]:
        """Read the table and the method; the table lists the faults of both."""
        signature = self.service.model.signature
        params = None
        if media_type == CSV:
            table = csv_tables.read(content, signature, self.limits, header)
        elif media_type == JSON_LINES:
            table = tables.read_json_lines(content, signature, self.limits)
        else:
            document = parse_json(content, inf_nan=True)
            table = tables.read_json(document, signature, self.limits)
            params = document.get(tables.PARAMETERS)
        method, faults = methods.requested_method(params, attributes, signature.target)
        return replace(table, faults=[*faults, *table.faults]), method

    def _predict(self, table: Table, caller: Caller) -> PredictionResponse:
        if table.faults:
            raise problems.body_invalid(*table.faults, *self._row_faults(table))
        request = PredictionRequest(table.rows, caller, coerced=table.coerced)
        try:
            return self.service.predict(request)
        except RowsInvalid as invalid:
            raise problems.rows_invalid(invalid, table.locate) from None

    def _row_faults(self, table: Table) -> list[BodyFault]:
        """Return the faults of the rows of a table that is refused already."""
        try:
            self.service.model.predictor.encode(table.rows)
        except RowsInvalid as invalid:
            return [
                (table.locate(fault), fault.code.value, fault.detail)
                for fault in invalid.faults
                if not table.reports(fault)
            ]
        return []


def _has_header(request: Request) -> bool | None:
    """Return whether the media type declares a CSV header (RFC 4180); None if it does not say."""
    header = exchange.content_parameters(request).get("header")
    if header not in _HEADERS:
        choices = [f"{CSV}; header={name}" for name in _HEADERS if name]
        raise problems.unsupported_media_type(choices)
    return _HEADERS[header]


def _json(predictions: Sequence[Any]) -> bytes:
    return exchange.to_json({"predictions": predictions})


def _json_lines(predictions: Sequence[Any]) -> bytes:
    return b"".join(exchange.to_json(prediction) + b"\n" for prediction in predictions)


_WRITERS: Final[dict[str, Callable[[Sequence[Any]], bytes]]] = {
    JSON: _json,
    CSV: csv_tables.write,
    JSON_LINES: _json_lines,
}
