"""``POST /invocations``: the protocols of MLflow's scoring server and of SageMaker's containers."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final, Self

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.invocations import csv_tables, schemas, tables
from functions.predict.dialects.invocations.media_types import CSV, FORMATS, NPY, USUAL
from functions.predict.dialects.invocations.schemas import (
    ATTRIBUTES,
    INFERENCE_ID,
    TARGET_MODEL,
    TARGET_VARIANT,
)
from functions.predict.dialects.invocations.scoring import ScoredTable, score_table
from functions.predict.dialects.invocations.tables import Table
from functions.predict.dialects.options import Options, read_params
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.response import JSON, JSON_LINES, Response
from functions.predict.http.routes import Route
from functions.predict.model import ServedModel

VARIANT: Final = "x-amzn-invoked-production-variant"
VERSION: Final = b"2.0.0"
"""The version of MLflow that introduced this form of its scoring protocol."""

_UNSUPPORTED: Final = (
    "x-amzn-sagemaker-enable-explanations",
    "x-amzn-sagemaker-inference-component",
    "x-amzn-sagemaker-session-id",
    "x-amzn-sagemaker-target-container-hostname",
)
"""SageMaker's headers that would change the response, and cannot be honoured."""

_ARCHIVE: Final = ".tar.gz"
"""What SageMaker's multi-model endpoints have behind the name of a model."""

_HEADERS: Final = {None: None, "present": True, "absent": False}


class Invocations(Dialect):
    """The dialects of MLflow and SageMaker, which share their routes."""

    __slots__ = ()

    def routes(self) -> Iterator[Route]:
        """Return the routes of both."""
        describe = partial(schemas.invocations, self.service, self.registry.names)
        yield Route("POST", "/invocations", self.invocations, describe)
        endpoint = partial(schemas.endpoint, self.service, self.registry.names)
        expected = {"name": self.service.model.name}
        yield Route("POST", "/endpoints/{name}/invocations", self.endpoint, endpoint, expected)

    def server_routes(self) -> Iterator[Route]:
        """Return the routes of health and of MLflow's version."""
        for path in ("/ping", "/health"):
            yield Route("GET", path, self.ping, schemas.ping)
        yield Route("GET", "/version", self.version, schemas.version)

    def ping(self, request: Request) -> Response:
        """Check that the golden rows match scikit-learn's predictions; 503 names one that fails."""
        self.registry.require_ready()
        return Response(media_type=None)

    def version(self, request: Request) -> Response:
        """Return the version of MLflow's scoring protocol."""
        return Response(VERSION, "text/plain")

    def endpoint(self, request: Request) -> Response:
        """Score as SageMaker's runtime does, for an endpoint with the model's name."""
        self.require_name(request.path_parameters["name"])
        return self.invocations(request)

    def invocations(self, request: Request) -> Response:
        """Score a table of rows, by default with the result of scikit-learn's predict."""
        if TARGET_MODEL in request.headers:
            return self._targeted(request)._score(request)
        return self._score(request)

    def _targeted(self, request: Request) -> Self:
        """Return the dialect of the target model, which may be named as a file of SageMaker's."""
        name = request.headers[TARGET_MODEL]
        if name not in self.registry.services:
            name = name.removeprefix("/").removesuffix(_ARCHIVE)
        service = self.registry.named(name)
        request.model = name
        return replace(self, service=service)

    def _score(self, request: Request) -> Response:
        media_type = exchange.require_media_type(request, FORMATS)
        response_type = exchange.negotiate_media_type(request, FORMATS)
        header = _has_header(request)
        model = self._sagemaker(request)
        content = exchange.read_body(request, self.limits)
        attributes = request.headers.get(ATTRIBUTES, "")
        table, options = self._read(FORMATS[media_type], content, header, attributes)
        if options.skip and response_type != JSON:
            raise problems.not_acceptable([JSON])  # no other has a place for the rejects
        row_ids = _row_ids(request.headers.get(INFERENCE_ID), len(table.rows))
        scored = score_table(self.service, table, options, request.caller, model, row_ids)
        used = scored.scored.response.model if scored.scored.response else self.service.model
        headers = {VARIANT: used.id, **scored.warnings_header}
        body = _write(scored, response_type)
        return Response(body, response_type, headers=headers, rows=len(table.rows))

    def _sagemaker(self, request: Request) -> ServedModel | None:
        """Return the model of the target variant, if any; takes the inference id as request id."""
        for header in request.headers.keys() & {*_UNSUPPORTED}:
            raise problems.body_invalid(
                ("", "unsupported", f"the header {header} is not supported")
            )
        if INFERENCE_ID in request.headers:
            caller = exchange.with_request_id(request.caller, request.headers[INFERENCE_ID])
            if caller is None:
                detail = f"{INFERENCE_ID} must be up to 128 letters, digits, '-' and '_'"
                raise problems.body_invalid(("", "inference_id", detail))
            request.caller = caller
        if TARGET_VARIANT not in request.headers:
            return None
        model = self.service.version(request.headers[TARGET_VARIANT])
        if model is None:
            raise problems.unknown_version(self.service.version_names)
        return model

    def _read(
        self, media_type: str, content: bytes, header: bool | None, attributes: str
    ) -> tuple[Table, Options]:
        """Read the table and the options; the table lists the faults of both."""
        signature = self.service.model.signature
        params = None
        if media_type == CSV:
            table = csv_tables.read(
                content, signature, self.service.model.cell_parsers, self.limits, header
            )
        elif media_type == JSON_LINES:
            table = tables.read_json_lines(content, signature, self.limits)
        elif media_type == NPY:
            from functions.predict.dialects.invocations import npy

            table = npy.read(content, signature, self.limits)
        else:
            document = parse_json(content, inf_nan=True)
            table = tables.read_json(document, signature, self.limits)
            params = document.get(tables.PARAMETERS)
        options, faults = read_params(params, attributes, signature.target)
        return table.with_faults(faults), options


def _row_ids(inference_id: str | None, count: int) -> list[str]:
    """Return the client's ids of the rows of an inference; none without an id of it."""
    if inference_id is None:
        return []
    return [inference_id] if count == 1 else [f"{inference_id}-{row}" for row in range(count)]


def _has_header(request: Request) -> bool | None:
    """Return whether the media type declares a CSV header (RFC 4180); None if it does not say."""
    header = exchange.content_parameters(request).get("header")
    if header not in _HEADERS:
        choices = [f"{CSV}; header={name}" for name in _HEADERS if name]
        raise problems.unsupported_media_type(choices)
    return _HEADERS[header]


def _write(scored: ScoredTable, media_type: str) -> bytes:
    match FORMATS[media_type]:
        case "text/csv":
            return csv_tables.write(scored.predictions)
        case "application/jsonlines":
            return b"".join(exchange.to_json(each) + b"\n" for each in scored.predictions)
        case "application/x-npy":
            return _write_npy(scored.predictions)
    return exchange.to_json(scored.document)


def _write_npy(predictions: list[Any]) -> bytes:
    from functions.predict.dialects.invocations import npy

    content = npy.write(predictions)
    if content is None:
        raise problems.not_acceptable([each for each in USUAL if each != NPY])
    return content
