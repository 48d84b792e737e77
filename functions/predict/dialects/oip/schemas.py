"""The OpenAPI description of the Open Inference Protocol's routes, for one model."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from functions.predict.dialects.oip import inputs, tensors
from functions.predict.dialects.oip.outputs import Output, thresholds
from functions.predict.http import schemas
from functions.predict.http.response import JSON
from functions.predict.http.schemas import Schema
from functions.predict.service import Service
from sklambda.signature import Scalar, Signature, Target

BINARY: Final = "application/octet-stream"
MEDIA_TYPES: Final = (JSON, BINARY)
HEADER_LENGTH: Final = "Inference-Header-Content-Length"

type Route = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TRUTH: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SHAPE: Final[Schema] = {"type": "array", "items": {"type": "integer"}}
_BYTES: Final[Schema] = {
    "type": "string",
    "format": "binary",
    "description": f"JSON of the length that {HEADER_LENGTH} tells; behind it, tensors.",
}


def server(*refused: int, **members: Schema) -> Route:
    """Describe a route that tells something of the service."""
    return {"responses": schemas.answers(_object("Server", members), *refused)}


def about() -> Route:
    """Describe the route of the server's metadata."""
    return server(name=_TEXT, version=_TEXT, extensions=_list(_TEXT))


def health(name: str) -> Route:
    """Describe a route of the server's health."""
    return server(503, **{name: _TRUTH})


def readiness(service: Service, path: str) -> Route:
    """Describe the route that tells whether the model is ready."""
    answer = _object("ModelReady", {"name": _TEXT, "ready": _TRUTH})
    return _named(service, path) | {"responses": schemas.answers(answer, 404, 503)}


def metadata(service: Service, path: str) -> Route:
    """Describe the route of the model's metadata."""
    tensor = _tensor("MetadataTensor", {}, {"parameters": {"type": "object"}})
    members = {"name": _TEXT, "versions": _list(_TEXT), "platform": _TEXT}
    both = {"inputs": _list(tensor), "outputs": _list(tensor)}
    answer = _object("ModelMetadata", members | both)
    return _named(service, path) | {"responses": schemas.answers(answer, 404)}


def inference(service: Service, path: str, outputs: Mapping[str, Output]) -> Route:
    """Describe the route that scores."""
    extra = _named(service, path)["openapi_extra"]
    header = {"name": HEADER_LENGTH, "in": "header", "required": False, "schema": _COUNT}
    body = {"required": True, "content": _either(_request(service.model.signature, outputs))}
    return {
        "openapi_extra": {"parameters": [*extra["parameters"], header], "requestBody": body},
        "responses": {
            **schemas.answer(_either(_response(service.model.signature.target, outputs))),
            **schemas.refusals(404, *schemas.SCORED),
        },
    }


def _either(schema: Schema) -> dict[str, Any]:
    return {JSON: {"schema": schema}, BINARY: {"schema": _BYTES}}


def _named(service: Service, path: str) -> Route:
    """Describe the parts of a path: the one model, and the versions of it that answer."""
    parts = {"model": [service.model.name], "version": list(service.versions)}
    parameters = [
        {"name": part, "in": "path", "required": True, "schema": {"enum": names, **_TEXT}}
        for part, names in parts.items()
        if f"{{{part}}}" in path
    ]
    return {"openapi_extra": {"parameters": parameters}}


def _request(signature: Signature, outputs: Iterable[str]) -> Schema:
    datatypes = {"datatype": {"enum": list(tensors.DATATYPES)}}
    names = {"name": {"enum": list(inputs.datatypes(signature))}}
    content = {"parameters": {"type": "object"}, "data": {"type": "array"}}
    output = _object("RequestedOutput", {"name": {"enum": list(outputs)}})
    output["properties"]["parameters"] = _object("OutputForm", {}, {"binary_data": _TRUTH})
    flags = {"binary_data_output": _TRUTH, "explain": _TRUTH}
    required = {"inputs": _list(_tensor("InputTensor", names | datatypes, content))}
    optional = {
        "id": _TEXT,
        "parameters": {"type": "object", "properties": flags},
        "outputs": _list(output),
    }
    return _object("InferenceRequest", required, optional) | {"example": example(signature)}


def example(signature: Signature) -> dict[str, Any]:
    """Give a request of one row."""
    values: dict[str, Scalar | None] = signature.example
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": datatype, "data": [values[name]]}
            for name, datatype in inputs.preferred(signature).items()
        ]
    }


def _response(target: Target, outputs: Iterable[str]) -> Schema:
    content = {"parameters": {"type": "object"}, "data": {"type": "array"}}
    tensor = _tensor("OutputTensor", {"name": {"enum": list(outputs)}}, content)
    required = {"model_name": _TEXT, "model_version": _TEXT, "outputs": _list(tensor)}
    optional = {"id": _TEXT}
    decided = {name: {"type": "number"} for name in thresholds(target)}
    if decided:
        optional["parameters"] = _object("Thresholds", decided)
    return _object("InferenceResponse", required, optional)


def _tensor(title: str, members: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    required = {"name": _TEXT, "datatype": _TEXT, "shape": _SHAPE}
    return _object(title, {**required, **members}, optional)


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(
    title: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    return {
        "type": "object",
        "title": title,
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
