"""The OpenAPI description of ``/invocations``."""

from collections.abc import Mapping
from typing import Any, Final

from functions.predict.dialects.invocations import methods
from functions.predict.http import schemas
from functions.predict.http.named_schemas import (
    ANY_JSON,
    Schema,
    choice,
    member_schemas,
    named_object,
    typed,
)
from functions.predict.http.response import JSON, JSON_LINES
from sklambda.signature import Signature, Target

CSV: Final = "text/csv"
ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"

_STRING: Final[Schema] = {"type": "string"}
_ANY_LIST: Final[Schema] = {"type": "array", "items": ANY_JSON}


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
    schema = choice("ModelName", [name])
    parameter = {"name": "name", "in": "path", "required": True, "schema": schema}
    route["openapi_extra"]["parameters"].append(parameter)
    route["responses"] |= schemas.problem_responses(404)
    return route


def ping() -> dict[str, Any]:
    """Return the description of the readiness routes."""
    return {"responses": schemas.success() | schemas.problem_responses(503)}


def version() -> dict[str, Any]:
    """Return the description of the protocol's version route."""
    content = {"text/plain": {"schema": _STRING}}
    return {"responses": schemas.success(content) | schemas.problem_responses()}


def _request_bodies(signature: Signature) -> dict[str, Any]:
    record = schemas.predict_request(signature)["properties"]["instances"]["items"]
    rows = {"type": "array", "items": {"anyOf": [record, _cells(record, signature)]}, "minItems": 1}
    example = {"dataframe_records": [signature.example]}
    return {
        JSON: {"schema": _shapes(signature, rows, member_schemas(record)) | {"example": example}},
        CSV: {
            "schema": _STRING
            | {"description": "With a header, or with the columns in the order of the features."}
        },
        JSON_LINES: {"schema": _STRING | {"description": "One row per line."}},
    }


def _cells(record: Schema, signature: Signature) -> Schema:
    features = member_schemas(record)
    return {
        "type": "array",
        "description": "Values in the order of the features.",
        "prefixItems": [features[name] for name in signature.names],
        "minItems": len(signature.names),
        "maxItems": len(signature.names),
    }


def _shapes(signature: Signature, rows: Schema, features: Mapping[str, Schema]) -> Schema:
    method = choice("Method", list(methods.available_methods(signature.target)))
    params = named_object("Params", {}, {"method": method}) | typed("object", nullable=True)
    tables = {
        "dataframe_split": _split(),
        "dataframe_records": rows,
        "instances": rows,
        "inputs": {"anyOf": [rows, _columns(signature, features)]},
    }
    return {
        "oneOf": [
            named_object(name, {name: schema}, {"params": params})
            for name, schema in tables.items()
        ]
    }


def _columns(signature: Signature, features: Mapping[str, Schema]) -> Schema:
    columns = {
        name: {"type": "array", "items": feature, "minItems": 1}
        for name, feature in features.items()
    }
    required = {name: columns.pop(name) for name in signature.names}
    description = {"description": "One list of values per feature."}
    return named_object("Columns", required, columns) | description


def _split() -> Schema:
    data = {"type": "array", "items": _ANY_LIST, "minItems": 1}
    columns = {"type": "array", "items": _STRING}
    optional: dict[str, Schema] = {"columns": columns, "index": {"description": "Ignored."}}
    return named_object("Table", {"data": data}, optional)


def _response_bodies(target: Target) -> dict[str, Any]:
    choices = " or ".join(methods.available_methods(target))
    predictions = _ANY_LIST | {"description": f"Result of {choices} for each row."}
    document = named_object("InvocationResponse", {"predictions": predictions})
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
