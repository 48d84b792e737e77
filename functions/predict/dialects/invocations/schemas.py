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

_TEXT: Final[Schema] = {"type": "string"}


def described(signature: Signature) -> dict[str, Any]:
    """Describe the route as FastAPI takes it: parameter, bodies and answers."""
    request = {"requestBody": {"required": True, "content": _bodies(signature)}}
    answers = schemas.answer(_answers(signature.target))
    return {
        "openapi_extra": {"parameters": [_attributes(signature.target)]} | request,
        "responses": answers | schemas.refusals(406, *schemas.SCORED),
    }


def endpoint(signature: Signature, name: str) -> dict[str, Any]:
    """Describe the route that has the model's name in its path."""
    route = described(signature)
    named = {"name": "name", "in": "path", "required": True, "schema": _TEXT | {"enum": [name]}}
    route["openapi_extra"]["parameters"].append(named)
    route["responses"] |= schemas.refusals(404)
    return route


def ping() -> dict[str, Any]:
    """Describe the routes that tell whether the model is ready."""
    from starlette.responses import Response

    return {"response_class": Response, "responses": schemas.refusals(503)}


def version() -> dict[str, Any]:
    """Describe the route that tells the version of the protocol."""
    from starlette.responses import PlainTextResponse

    return {"response_class": PlainTextResponse, "responses": schemas.refusals()}


def _bodies(signature: Signature) -> dict[str, Any]:
    record = schemas.request(signature)["properties"]["instances"]["items"]
    rows = {"type": "array", "items": {"anyOf": [record, _cells(record, signature)]}, "minItems": 1}
    example = {"dataframe_records": [signature.example]}
    return {
        JSON: {"schema": _shapes(signature, rows, record["properties"]) | {"example": example}},
        CSV: {"schema": _TEXT | {"description": "With a header, or columns in their order."}},
        JSON_LINES: {"schema": _TEXT | {"description": "A row of features a line."}},
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
        "properties": {"method": {"enum": list(methods.offered(signature.target))}},
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
        "description": "Lists of one value a row.",
        "properties": columns,
        "required": list(signature.names),
        "additionalProperties": False,
    }


def _split() -> Schema:
    members = {
        "columns": {"type": "array", "items": _TEXT},
        "data": {"type": "array", "items": {"type": "array"}, "minItems": 1},
        "index": {"description": "Changes nothing."},
    }
    return {
        "type": "object",
        "properties": members,
        "required": ["data"],
        "additionalProperties": False,
    }


def _answers(target: Target) -> dict[str, Any]:
    choices = " or ".join(methods.offered(target))
    predictions = {"type": "array", "description": f"What {choices} gives for each row."}
    whole = {
        "type": "object",
        "properties": {"predictions": predictions},
        "required": ["predictions"],
    }
    return {
        JSON: {"schema": whole},
        CSV: {"schema": _TEXT | {"description": "A line for each row, without a header."}},
        JSON_LINES: {"schema": _TEXT | {"description": "An answer a line."}},
    }


def _attributes(target: Target) -> dict[str, Any]:
    choices = " or ".join(f"method={name}" for name in methods.offered(target))
    return {
        "name": ATTRIBUTES,
        "in": "header",
        "required": False,
        "description": f"{choices}; other attributes change nothing.",
        "schema": _TEXT,
    }
