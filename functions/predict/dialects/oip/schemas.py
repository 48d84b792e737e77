"""The OpenAPI description of the Open Inference Protocol's routes, for one model."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from functions.predict.dialects.oip import tensors
from functions.predict.dialects.oip.inputs import accepted_datatypes, preferred_datatypes
from functions.predict.dialects.oip.outputs import thresholds
from functions.predict.http import schemas
from functions.predict.http.named_schemas import ANY_JSON, Schema, choice, named_object
from functions.predict.http.response import JSON
from functions.predict.service import Service
from sklambda.signature import Scalar, Signature, Target

BINARY: Final = "application/octet-stream"
MEDIA_TYPES: Final = (JSON, BINARY)
HEADER_LENGTH: Final = "Inference-Header-Content-Length"

type Description = dict[str, Any]

_STRING: Final[Schema] = {"type": "string"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SHAPE: Final[Schema] = {"type": "array", "items": {"type": "integer"}}
_DATA: Final[Schema] = {"type": "array", "items": ANY_JSON}
_PARAMETERS: Final[Schema] = {"title": "TensorParameters", "type": "object"}
_BYTES: Final[Schema] = {
    "type": "string",
    "format": "binary",
    "description": f"JSON with the length in {HEADER_LENGTH}, then binary tensors.",
}


def server(*errors: int, **members: Schema) -> Description:
    """Return the description of a route about the server."""
    return {"responses": schemas.json_responses(named_object("Server", members), *errors)}


def server_metadata() -> Description:
    """Return the description of the server metadata route."""
    return server(name=_STRING, version=_STRING, extensions=_list(_STRING))


def repository_index() -> Description:
    """Return the description of the route that lists the models."""
    members = {"name": _STRING, "version": _STRING, "state": _STRING, "reason": _STRING}
    models = _list(named_object("IndexedModel", members))
    body = schemas.json_body(named_object("IndexRequest", {}, {"ready": _BOOLEAN}))
    body["requestBody"]["required"] = False
    responses = schemas.json_responses(models, 400, 413, 415, 422)
    return {"openapi_extra": body, "responses": responses}


def health(name: str) -> Description:
    """Return the description of a server health route."""
    return server(503, **{name: _BOOLEAN})


def readiness(service: Service, path: str) -> Description:
    """Return the description of the model readiness route."""
    response = named_object("ModelReady", {"name": _STRING, "ready": _BOOLEAN})
    return _path_parameters(service, path) | {
        "responses": schemas.json_responses(response, 404, 503)
    }


def metadata(service: Service, path: str) -> Description:
    """Return the description of the model metadata route."""
    tensor = _tensor("MetadataTensor", {}, {"parameters": _PARAMETERS})
    members = {"name": _STRING, "versions": _list(_STRING), "platform": _STRING}
    tensors = {"inputs": _list(tensor), "outputs": _list(tensor)}
    response = named_object("ModelMetadata", members | tensors)
    return _path_parameters(service, path) | {"responses": schemas.json_responses(response, 404)}


def inference(service: Service, path: str, outputs: Iterable[str]) -> Description:
    """Return the description of the inference route."""
    extra = _path_parameters(service, path)["openapi_extra"]
    header = {"name": HEADER_LENGTH, "in": "header", "required": False, "schema": _COUNT}
    body = {
        "required": True,
        "content": _json_or_binary(_request(service.model.signature, outputs)),
    }
    return {
        "openapi_extra": {"parameters": [*extra["parameters"], header], "requestBody": body},
        "responses": {
            **schemas.success(_json_or_binary(_response(service.model.signature.target, outputs))),
            **schemas.problem_responses(404, *schemas.SCORING_ERRORS),
        },
    }


def _json_or_binary(schema: Schema) -> dict[str, Any]:
    return {JSON: {"schema": schema}, BINARY: {"schema": _BYTES}}


def _path_parameters(service: Service, path: str) -> Description:
    """Return the description of the parameters of a path: the model and its versions."""
    values = {
        "model": choice("ModelName", [service.model.name]),
        "version": choice("ModelVersion", service.version_names),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in values.items()
        if f"{{{name}}}" in path
    ]
    return {"openapi_extra": {"parameters": parameters}}


def _request(signature: Signature, outputs: Iterable[str]) -> Schema:
    datatypes = {"datatype": choice("Datatype", list(tensors.DATATYPES))}
    names = {"name": choice("InputName", list(accepted_datatypes(signature)))}
    content = {"parameters": _PARAMETERS, "data": _DATA}
    output = named_object("RequestedOutput", {"name": choice("OutputName", list(outputs))})
    output["properties"]["parameters"] = named_object("OutputForm", {}, {"binary_data": _BOOLEAN})
    flags = {"binary_data_output": _BOOLEAN, "explain": _BOOLEAN}
    required = {"inputs": _list(_tensor("InputTensor", names | datatypes, content))}
    optional = {
        "id": _STRING,
        "model_name": {"description": "The model of the path, as KServe's client sends it."},
        "model_version": {"description": "A version; of the path's too, if it has one."},
        "from_grpc": {"description": "Ignored."},
        "parameters": {"title": "RequestParameters", "type": "object", "properties": flags},
        "outputs": _list(output),
    }
    return named_object("InferenceRequest", required, optional) | {"example": example(signature)}


def example(signature: Signature) -> dict[str, Any]:
    """Return a request with one row."""
    values: dict[str, Scalar | None] = signature.example
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": datatype, "data": [values[name]]}
            for name, datatype in preferred_datatypes(signature).items()
        ]
    }


def _response(target: Target, outputs: Iterable[str]) -> Schema:
    content = {"parameters": _PARAMETERS, "data": _DATA}
    name = choice("OutputName", list(outputs))
    tensor = _tensor("OutputTensor", {"name": name}, content)
    required = {"model_name": _STRING, "model_version": _STRING, "outputs": _list(tensor)}
    optional = {"id": _STRING}
    parameters = {name: {"type": "number"} for name in thresholds(target)}
    if parameters:
        optional["parameters"] = named_object("Thresholds", parameters)
    return named_object("InferenceResponse", required, optional)


def _tensor(title: str, members: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    required = {"name": _STRING, "datatype": _STRING, "shape": _SHAPE}
    return named_object(title, {**required, **members}, optional)


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}
