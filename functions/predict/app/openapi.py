"""The OpenAPI document, written from the routes at the first request for it."""

import re
from collections.abc import Iterable, Mapping
from inspect import getdoc
from typing import Any, Final

from functions.predict.app.components import Components
from functions.predict.http import schemas
from functions.predict.http.response import JSON
from functions.predict.http.routes import Route

type Json = dict[str, Any]

_VERSION: Final = "3.1.0"
_SECURITY_SCHEMES: Final[Json] = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "With Auth=API_KEY: a key of the usage plan.",
    },
    "iam": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "x-amazon-apigateway-authtype": "awsSigv4",
        "description": "With Auth=IAM: a signature of AWS, version 4, for execute-api.",
    },
    "jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "With Auth=JWT: a token of the OpenID Connect issuer.",
    },
}
"""The three ways of the template; a process without a gateway before it requires none of them."""


def document(routes: Iterable[Route], title: str, version: str, description: str) -> Json:
    """Return the OpenAPI document of routes.

    Parameters
    ----------
    routes : iterable of Route
        The routes; one without a description is left out.
    title, version, description : str
        The ``info`` of the document.
    """
    components = Components()
    paths: dict[str, Json] = {}
    for route in routes:
        if route.describe is not None:
            operation = _operation(route, components)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": _VERSION,
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "."}],  # relative to the document: right below any stage or base path
        "security": [*({name: []} for name in _SECURITY_SCHEMES), {}],
        "paths": paths,
        "components": {"schemas": components.schemas, "securitySchemes": _SECURITY_SCHEMES},
    }


def only_json(document: Json) -> Json:
    """Return a document without request bodies that are an alternative to JSON.

    Code generators warn of each media type that they cannot write.
    """
    paths = {
        path: {method: _only_json(operation) for method, operation in operations.items()}
        for path, operations in document["paths"].items()
    }
    return document | {"paths": paths}


def _only_json(operation: Json) -> Json:
    body = operation.get("requestBody")
    if body is None or JSON not in body["content"]:
        return operation
    return operation | {"requestBody": body | {"content": {JSON: body["content"][JSON]}}}


def operation_id(method: str, path: str) -> str:
    """Return the id of an operation: the words of its path, after the method if it is not POST.

    It depends on nothing else, so that generated clients keep their names.
    """
    words = re.findall(r"[A-Za-z0-9]+", path)
    return "_".join(words if method == "POST" else [method.lower(), *words])


def _operation(route: Route, components: Components) -> Json:
    assert route.describe is not None
    described = route.describe()
    members: Mapping[str, Any] = described.get("openapi_extra", {})
    text = getdoc(route.endpoint) or ""
    operation: Json = {
        "operationId": operation_id(route.method, route.path),
        "summary": text.partition("\n")[0],
        "description": text,
        **members,
        "responses": {
            str(status): components.of_response(response)
            for status, response in described.get("responses", schemas.success()).items()
        },
    }
    if "parameters" in members:
        operation["parameters"] = [components.of_schema(each) for each in members["parameters"]]
    if "requestBody" in members:
        operation["requestBody"] = components.of_response(members["requestBody"])
    return operation
