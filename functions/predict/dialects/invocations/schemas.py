"""The OpenAPI description of ``/invocations``."""

from collections.abc import Mapping
from typing import Any, Final

from functions.predict.dialects.invocations import methods
from functions.predict.http import schemas
from functions.predict.http.response import JSON, JSON_LINES
from functions.predict.http.schemas import Schema
from sklambda.signature import Signature, Target

CSV: Final = "text/csv"
ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"

_STRING: Final[Schema] = {"type": "string"}


def invocations(signature: Signature) -> dict[str, Any]:
    """Return the description of ``/invocations``: parameter, bodies and responses."""
    request = {"requestBody": {"required": True, "content": _request_bodies(signature)}}
    success = schemas.success(_response_bodies(signature.target))
    return {
        "openapi_extra": {"parameters": [_attributes(signature.target)]} | request,
        "responses": success | schemas.problem_responses(406, *schemas.SCORING_ERRORS),
    }


def endpoint(signature: Signature, name: str) -> dict[str, Any]:
    """Return the description of the route with the model's name in its path."""
    route = invocations(signature)
    schema = _STRING | {"enum": [name]}
    parameter = {"name": "name", "in": "path", "required": True, "schema": schema}
    route["openapi_extra"]["parameters"].append(parameter)
    route["responses"] |= schemas.problem_responses(404)
    return route


def ping() -> dict[str, Any]:
    """Return the description of the readiness routes."""
    from starlette.responses import Response

    return {"response_class": Response, "responses": schemas.problem_responses(503)}


def version() -> dict[str, Any]:
    """Return the description of the protocol's version route."""
    from starlette.responses import PlainTextResponse

    return {"response_class": PlainTextResponse, "responses": schemas.problem_responses()}


def _request_bodies(signature: Signature) -> dict[str, Any]:
    record = schemas.predict_request(signature)["properties"]["instances"]["items"]
    rows = {"type": "array", "items": {"anyOf": [record, _cells(record, signature)]}, "minItems": 1}
    example = {"dataframe_records": [signature.example]}
    return {
        JSON: {"schema": _shapes(signature, rows, record["properties"]) | {"example": example}},
        CSV: {
            "schema": _STRING
            | {"description": "With a header, or with the columns in the order of the features."}
        },
        JSON_LINES: {"schema": _STRING | {"description": "One row per line."}},
    }


def _cells(record: Schema, signature: Signature) -> Schema:
    return {
        "type": "array",
        "description": "Values in the order of the features.",
        "prefixItems": [record["properties"][name] for name in signature.names],
        "minItems": len(signature.names),
        "maxItems": len(signature.names),
    }


def _shapes(signature: Signature, rows: Schema, features: Mapping[str, Schema]) -> Schema:
    params = {
        "type": ["object", "null"],
        "properties": {"method": {"enum": list(methods.available_methods(signature.target))}},
        "additionalProperties": False,
    }
    tables = {
        "dataframe_split": _split(),
        "dataframe_records": rows,
        "instances": rows,
        "inputs": {"anyOf": [rows, _columns(signature, features)]},
    }
    return {
        "oneOf": [
            {
                "type": "object",
                "title": name,
                "properties": {name: schema, "params": params},
                "required": [name],
                "additionalProperties": False,
            }
            for name, schema in tables.items()
        ]
    }


def _columns(signature: Signature, features: Mapping[str, Schema]) -> Schema:
    columns = {
        name: {"type": "array", "items": feature, "minItems": 1}
        for name, feature in features.items()
    }
    return {
        "type": "object",
        "description": "One list of values per feature.",
        "properties": columns,
        "required": list(signature.names),
        "additionalProperties": False,
    }


def _split() -> Schema:
    members = {
        "columns": {"type": "array", "items": _STRING},
        "data": {"type": "array", "items": {"type": "array"}, "minItems": 1},
        "index": {"description": "Ignored."},
    }
    return {
        "type": "object",
        "properties": members,
        "required": ["data"],
        "additionalProperties": False,
    }


def _response_bodies(target: Target) -> dict[str, Any]:
    choices = " or ".join(methods.available_methods(target))
    predictions = {"type": "array", "description": f"Result of {choices} for each row."}
    document = {
        "type": "object",
        "properties": {"predictions": predictions},
        "required": ["predictions"],
    }
    return {
        JSON: {"schema": document},
        CSV: {"schema": _STRING | {"description": "One line per row, without a header."}},
        JSON_LINES: {"schema": _STRING | {"description": "One prediction per line."}},
    }


def _attributes(target: Target) -> dict[str, Any]:
    choices = " or ".join(f"method={name}" for name in methods.available_methods(target))
    return {
        "name": ATTRIBUTES,
        "in": "header",
        "required": False,
        "description": f"{choices}; other attributes are ignored.",
        "schema": _STRING,
    }
