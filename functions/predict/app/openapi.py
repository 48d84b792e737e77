"""The OpenAPI document, which FastAPI writes from the routes at the first request for it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from inspect import getdoc
from itertools import chain, count
from json import dumps
from typing import Any, Final

from fastapi import FastAPI

from functions.predict.http import schemas
from functions.predict.http.named_schemas import title_of
from functions.predict.http.response import JSON
from functions.predict.http.routes import Route

_PREFIX: Final = "#/components/schemas/"
_MAPS: Final = ("properties", "patternProperties")
_LISTS: Final = ("oneOf", "anyOf", "allOf", "prefixItems")
_SINGLE: Final = ("items", "additionalProperties")
type Json = dict[str, Any]

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


class Components:
    """Schemas by name; every schema with a title becomes one, and a reference where it was.

    A title consists of letters, digits and underscores. Equal schemas share a name. Of different
    ones with the same title, the second is named ``TitleOwner`` by its `owner`, a model that is not
    the default one, or ``Title2``: a generator would write one class over the other, or leave both
    out.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Json] = {}
        self._names: dict[str, str] = {}  # by content
        self._taken: set[str] = set()  # as generators compare names
        self.owner = ""

    def of_response(self, response: Mapping[str, Any]) -> Json:
        """Return the description of a response, or of a request body, with references."""
        if "content" not in response:
            return dict(response)
        content = {
            media_type: self.of_schema(media) for media_type, media in response["content"].items()
        }
        return {**response, "content": content}

    def of_schema(self, holder: Mapping[str, Any]) -> Json:
        """Return a media type or a parameter with references in its ``schema``."""
        return {**holder, "schema": self.name(holder["schema"])}

    def name(self, schema: Json) -> Json:
        """Return a schema with references to those that have a title, itself included."""
        resolved = dict(schema)
        for keyword in _MAPS:
            if keyword in schema:
                members = schema[keyword].items()
                resolved[keyword] = {name: self.name(member) for name, member in members}
        for keyword in _LISTS:
            if keyword in schema:
                resolved[keyword] = [self.name(each) for each in schema[keyword]]
        for keyword in _SINGLE:
            if isinstance(schema.get(keyword), dict):
                resolved[keyword] = self.name(schema[keyword])
        return self._reference(resolved) if "title" in resolved else resolved

    def _reference(self, schema: Json) -> Json:
        content = dumps(schema)
        if content not in self._names:
            name = self._names[content] = self._free(schema["title"])
            self.schemas[name] = schema | {"title": name}
        return {"$ref": _PREFIX + self._names[content]}

    def _free(self, title: str) -> str:
        of_owner = f"{title}{self.owner}"
        numbered = (f"{of_owner}{number}" for number in count(2))
        names = chain((title, of_owner), numbered)
        name = next(name for name in names if _fold(name) not in self._taken)
        self._taken.add(_fold(name))
        return name


def _fold(name: str) -> str:
    """Return a name as generators compare it."""
    return name.replace("_", "").casefold()


def document(
    routes: Iterable[Route], title: str, version: str, description: str, default: str | None = None
) -> Json:
    """Return the OpenAPI document of routes.

    Parameters
    ----------
    routes : iterable of Route
        The routes; one without a description is left out.
    title, version, description : str
        The ``info`` of the document.
    default : str, optional
        The default model: the paths of another one are written with its name.
    """
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        servers=[{"url": "."}],  # relative to the document: right below any stage or base path
        openapi_url=None,
    )
    components = Components()
    extras = [
        (route, *_operation(route, components, default))
        for route in routes
        if route.describe is not None
    ]
    names = _operation_ids((route.method, path) for route, path, _ in extras)
    for (route, path, extra), name in zip(extras, names, strict=True):
        text = getdoc(route.endpoint) or ""
        app.add_api_route(
            path,
            _placeholder,
            methods=[route.method],
            operation_id=name,
            summary=text.partition("\n")[0],
            description=text,
            openapi_extra=extra,
        )
    document = app.openapi()
    for route, path, extra in extras:  # once more: FastAPI leaves out the nulls of examples
        document["paths"][path][route.method.lower()] |= extra
    return document | {
        "security": [*({name: []} for name in _SECURITY_SCHEMES), {}],
        "components": {"schemas": components.schemas, "securitySchemes": _SECURITY_SCHEMES},
    }


async def _placeholder() -> None:
    """Stand in for an endpoint: requests reach the router of the service."""


def _operation_ids(operations: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Return an id for each method and path; the second of equal ones ends with a 2."""
    seen: Counter[str] = Counter()
    for method, path in operations:
        name = operation_id(method, path)
        seen[_fold(name)] += 1
        yield name if seen[_fold(name)] == 1 else f"{name}_{seen[_fold(name)]}"


def _operation(route: Route, components: Components, default: str | None) -> tuple[str, Json]:
    """Return the path, and the parameters, body and responses with references."""
    other = route.model if route.model not in (None, default) and default else None
    components.owner = title_of(other) if other else ""
    path = route.own_path if other else route.path
    return path, _extra(route.describe() if route.describe else {}, path, components)


def _extra(described: Mapping[str, Any], path: str, components: Components) -> Json:
    """Return the parameters, the body and the responses of an operation, with references."""
    extra = dict(described.get("openapi_extra", {}))
    responses = described.get("responses", schemas.success())
    extra["responses"] = {
        str(status): components.of_response(response) for status, response in responses.items()
    }
    if "parameters" in extra:
        extra["parameters"] = [
            components.of_schema(each)
            for each in extra["parameters"]
            if each["in"] != "path" or f"{{{each['name']}}}" in path
        ]
    if "requestBody" in extra:
        extra["requestBody"] = components.of_response(extra["requestBody"])
    return extra


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
