"""The OpenAPI description of ``/invocations``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from functions.predict.dialects import matrix, methods
from functions.predict.dialects.invocations.media_types import CSV, NPY
from functions.predict.dialects.options import fields_of
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
from functions.predict.service import Service
from sklambda.signature import Signature, Target

ATTRIBUTES: Final = "x-amzn-sagemaker-custom-attributes"
INFERENCE_ID: Final = "x-amzn-sagemaker-inference-id"
TARGET_MODEL: Final = "x-amzn-sagemaker-target-model"
TARGET_VARIANT: Final = "x-amzn-sagemaker-target-variant"

_STRING: Final[Schema] = {"type": "string"}
_ANY_LIST: Final[Schema] = {"type": "array", "items": ANY_JSON}


def invocations(service: Service, names: Sequence[str]) -> dict[str, Any]:
    """Return the description of ``/invocations``: parameters, bodies and responses."""
    signature = service.model.signature
    request = {"requestBody": {"required": True, "content": _request_bodies(signature)}}
    success = schemas.success(_response_bodies(signature))
    return {
        "openapi_extra": {"parameters": _parameters(service, names)} | request,
        "responses": success | schemas.problem_responses(404, 406, *schemas.SCORING_ERRORS),
    }


def endpoint(service: Service, names: Sequence[str]) -> dict[str, Any]:
    """Return the description of the route with the model's name in its path."""
    route = invocations(service, names)
    schema = choice("ModelName", [service.model.name])
    parameter = {"name": "name", "in": "path", "required": True, "schema": schema}
    route["openapi_extra"]["parameters"].append(parameter)
    return route


def v1_models() -> dict[str, Any]:
    """Return the description of the models of KServe's first protocol."""
    names = {"type": "array", "items": _STRING}
    return {"responses": schemas.json_responses(named_object("V1Models", {"models": names}))}


def v1_model(name: str) -> dict[str, Any]:
    """Return the description of a model's readiness in KServe's first protocol."""
    response = named_object("V1Model", {"name": _STRING, "ready": {"type": "boolean"}})
    return {
        "openapi_extra": {"parameters": [_model_parameter(name)]},
        "responses": schemas.json_responses(response, 404, 503),
    }


def v1_predict(service: Service) -> dict[str, Any]:
    """Return the description of predictions in KServe's first protocol."""
    signature = service.model.signature
    shapes = _request_bodies(signature)[JSON]["schema"]["oneOf"]
    body = {
        "oneOf": [shape for shape in shapes if shape["title"] in ("instances", "inputs")],
        "example": {"instances": [signature.example]},
    }
    response = _response_bodies(signature)[JSON]["schema"]
    return {
        "openapi_extra": {"parameters": [_model_parameter(service.model.name)]}
        | schemas.json_body(body),
        "responses": schemas.json_responses(response, 404, *schemas.SCORING_ERRORS),
    }


def _model_parameter(name: str) -> dict[str, Any]:
    schema = choice("ModelName", [name])
    return {"name": "model", "in": "path", "required": True, "schema": schema}


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
        **_array(signature, "An array [N, F] with the features in order."),
    }


def _array(signature: Signature, description: str) -> dict[str, Any]:
    """Return the description of a body with an array, for a model with numeric features only."""
    if matrix.why_refused(signature) is not None:
        return {}
    return {NPY: {"schema": _STRING | {"format": "binary", "description": description}}}


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
    names = [*fields_of(signature.target), "warnings"]
    options = {
        "method": choice("Method", list(methods.available_methods(signature.target))),
        "fields": {
            "type": "array",
            "items": choice("PredictionField", names),
            "minItems": 1,
            "description": "Members of each prediction, in place of the result of a method.",
        },
        "on_error": schemas.on_error(),
    }
    params = named_object("Params", {}, options) | typed("object", nullable=True)
    params |= {"not": {"required": ["method", "fields"]}}
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


def _response_bodies(signature: Signature) -> dict[str, Any]:
    choices = " or ".join(methods.available_methods(signature.target))
    predictions = _ANY_LIST | {"description": f"Result of {choices} for each row."}
    document = named_object("InvocationResponse", {"predictions": predictions}, _SKIPPED)
    return {
        JSON: {"schema": document},
        CSV: {"schema": _STRING | {"description": "One line per row, without a header."}},
        JSON_LINES: {"schema": _STRING | {"description": "One prediction per line."}},
        **_array(signature, "The predictions as an array."),
    }


_SKIPPED: Final[dict[str, Schema]] = {
    "indices": {
        "type": "array",
        "items": {"type": "integer"},
        "description": "With on_error=skip: the positions of the rows of the predictions.",
    },
    "rejects": schemas.rejects(),
}


def _parameters(service: Service, names: Sequence[str]) -> list[dict[str, Any]]:
    variants = choice("ModelVersion", service.version_names)
    return [
        _attributes(service.model.signature.target),
        {
            "name": TARGET_MODEL,
            "in": "header",
            "required": False,
            "description": "The model, in place of the one of the path; rows are those of its own.",
            "schema": choice("AnyModelName", names),
        },
        {"name": TARGET_VARIANT, "in": "header", "required": False, "schema": variants},
        {
            "name": INFERENCE_ID,
            "in": "header",
            "required": False,
            "description": "The id of the request, as the header x-request-id.",
            "schema": _STRING | {"pattern": "^[A-Za-z0-9_-]{1,128}$"},
        },
    ]


def _attributes(target: Target) -> dict[str, Any]:
    choices = " or ".join(f"method={name}" for name in methods.available_methods(target))
    return {
        "name": ATTRIBUTES,
        "in": "header",
        "required": False,
        "description": f"{choices}; other attributes are ignored.",
        "schema": _STRING,
    }
