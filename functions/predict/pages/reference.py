"""``GET /docs``: the OpenAPI document as a page."""

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any, Final

from functions.predict.http.named_schemas import member_schemas
from functions.predict.http.response import Response
from functions.predict.pages import markup
from functions.predict.pages.markup import attributes, isolated, text

type _Object = Mapping[str, Any]

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_MAX_DEPTH: Final = 8


def document(openapi: _Object, root: str = "./") -> Response:
    """Return the page of an OpenAPI document; `root` leads to the root of the service."""
    operations = [
        _Operation(openapi, path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    info = openapi["info"]
    return markup.document(
        "reference.html",
        root=text(root),
        title=isolated(info["title"]),
        version=text(info["version"]),
        description=text(info.get("description", "")),
        links="".join(operation.link() for operation in operations),
        operations="".join(operation.section() for operation in operations),
    )


class _Operation:
    """One method of one path."""

    def __init__(self, openapi: _Object, path: str, method: str, operation: _Object) -> None:
        self._openapi, self._path, self._method = openapi, path, method
        self._operation = operation
        self._id = f"{method}{path.replace('/', '-')}"

    def link(self) -> str:
        return f"<li><a{attributes(href='#' + self._id)}>{self._name()}</a></li>"

    def section(self) -> str:
        description = self._operation.get("description") or self._operation.get("summary", "")
        title = f"{self._id}-title"
        return (
            f'<section class="card route"{attributes(id=self._id, aria_labelledby=title)}>'
            f"<h2{attributes(id=title)}>{self._name()}</h2><p>{text(description)}</p>"
            f"{self._parameters()}{self._body()}{self._responses()}</section>"
        )

    def _name(self) -> str:
        method = self._method.upper()
        return (
            f'<span class="method {self._method}">{method}</span> <code>{text(self._path)}</code>'
        )

    def _parameters(self) -> str:
        parameters = [self._resolved(each) for each in self._operation.get("parameters", ())]
        members = {
            f"{each['name']} ({each['in']})": {
                "description": each.get("description", ""),
                **self._resolved(each.get("schema", {})),
            }
            for each in parameters
        }
        required = [f"{each['name']} ({each['in']})" for each in parameters if each.get("required")]
        schema = {"properties": members, "required": required}
        return f"<h3>Parameters</h3>{self._properties(schema, 0)}" if members else ""

    def _body(self) -> str:
        body = self._resolved(self._operation.get("requestBody", {}))
        contents = "".join(
            f"<details><summary><code>{text(media)}</code></summary>{self._content(content)}</details>"
            for media, content in body.get("content", {}).items()
        )
        return f"<h3>Request body</h3>{contents}" if contents else ""

    def _responses(self) -> str:
        responses = "".join(
            self._response(status, self._resolved(response))
            for status, response in self._operation.get("responses", {}).items()
        )
        return f"<h3>Responses</h3>{responses}" if responses else ""

    def _response(self, status: str, response: _Object) -> str:
        contents = "".join(
            f"<p><code>{text(media)}</code></p>{self._content(content)}"
            for media, content in response.get("content", {}).items()
        )
        title = f"<code>{text(status)}</code> {text(response.get('description', ''))}"
        if not contents:
            return f"<p>{title}</p>"
        return f"<details><summary>{title}</summary>{contents}</details>"

    def _content(self, content: _Object) -> str:
        schema = self._resolved(content.get("schema", {}))
        example = content.get("example", schema.get("example"))
        return self._members(schema) + (_example(example) if example is not None else "")

    def _members(self, schema: _Object) -> str:
        return self._nested(schema, 0) or (f"<p>{self._type(schema)}</p>" if schema else "")

    def _nested(self, schema: _Object, depth: int) -> str:
        """Return the HTML of the inside of a schema: members, items, or alternatives."""
        if depth > _MAX_DEPTH:
            return ""
        if member_schemas(schema):
            return self._properties(schema, depth)
        if "items" in schema:
            return self._nested(self._resolved(schema["items"]), depth + 1)
        choices = [self._resolved(each) for each in _choices(schema)]
        return "".join(
            f"<p>{self._type(each)}</p>{self._nested(each, depth + 1)}"
            for each in choices
            if "const" not in each
        )

    def _properties(self, schema: _Object, depth: int) -> str:
        required = schema.get("required", ())
        rows = (
            self._member(name, self._resolved(member), name in required, depth)
            for name, member in member_schemas(schema).items()
        )
        return f'<dl class="members">{"".join(rows)}</dl>'

    def _member(self, name: str, member: _Object, required: bool, depth: int) -> str:
        optional = "" if required else ' <span class="quiet">optional</span>'
        description = member.get("description", "")
        return (
            f"<dt><code>{isolated(name)}</code> {self._type(member)}{optional}</dt>"
            f"<dd>{text(description)}{_values(member)}{self._nested(member, depth + 1)}</dd>"
        )

    def _type(self, schema: _Object) -> str:
        types = schema.get("type", "")
        name = " or ".join(types) if isinstance(types, list) else types
        items = self._resolved(schema.get("items", {})).get("type")
        if isinstance(items, str):
            name = f"{name} of {items}"
        return f'<span class="type">{text(name)}</span>' if name else ""

    def _resolved(self, schema: _Object) -> _Object:
        resolved: Any = schema
        while "$ref" in resolved:
            path = resolved["$ref"].removeprefix("#/").split("/")
            resolved = self._openapi
            for part in path:
                resolved = resolved[part.replace("~1", "/").replace("~0", "~")]
        return resolved  # type: ignore[no-any-return]  # JSON has any type


def _choices(schema: _Object) -> Iterator[_Object]:
    for name in ("oneOf", "anyOf", "allOf"):
        yield from schema.get(name, ())


def _values(schema: _Object) -> str:
    constants = [each["const"] for each in _choices(schema) if "const" in each]
    only = schema.get("enum") or constants
    values = only or schema.get("examples")
    if not values:
        return ""
    word = "One of" if only else "For example"
    listed = ", ".join(f"<code>{text(dumps(value, ensure_ascii=False))}</code>" for value in values)
    return f' <span class="values">{word} {listed}</span>'


def _example(example: object) -> str:
    content = text(dumps(example, indent=2, ensure_ascii=False))
    shape = attributes(tabindex="0", role="group", aria_label="Example")
    return f"<p>Example</p><pre{shape}><code>{content}</code></pre>"
