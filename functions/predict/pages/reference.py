"""``GET /docs``: an OpenAPI document as a page for people."""

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any, Final

from functions.predict.http.response import Response
from functions.predict.pages import markup
from functions.predict.pages.markup import attributes, shown, text

type _Object = Mapping[str, Any]

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_DEEPEST: Final = 8


def document(openapi: _Object) -> Response:
    """Answer with the page of an OpenAPI document."""
    operations = [
        _Operation(openapi, path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    info = openapi["info"]
    return markup.document(
        "reference.html",
        title=shown(info["title"]),
        version=text(info["version"]),
        description=text(info.get("description", "")),
        links="".join(operation.link() for operation in operations),
        operations="".join(operation.section() for operation in operations),
    )


class _Operation:
    """One method of one path."""

    def __init__(self, openapi: _Object, path: str, method: str, operation: _Object) -> None:
        self._openapi, self._path, self._method, self._said = openapi, path, method, operation
        self._id = f"{method}{path.replace('/', '-')}"

    def link(self) -> str:
        return f"<li><a{attributes(href='#' + self._id)}>{self._name()}</a></li>"

    def section(self) -> str:
        said = self._said
        meaning = said.get("description") or said.get("summary", "")
        title = f"{self._id}-title"
        return (
            f'<section class="card route"{attributes(id=self._id, aria_labelledby=title)}>'
            f"<h2{attributes(id=title)}>{self._name()}</h2><p>{text(meaning)}</p>"
            f"{self._parameters()}{self._body()}{self._answers()}</section>"
        )

    def _name(self) -> str:
        method = self._method.upper()
        return (
            f'<span class="method {self._method}">{method}</span> <code>{text(self._path)}</code>'
        )

    def _parameters(self) -> str:
        given = [self._resolved(parameter) for parameter in self._said.get("parameters", ())]
        members = {
            f"{one['name']} ({one['in']})": {
                "description": one.get("description", ""),
                **self._resolved(one.get("schema", {})),
            }
            for one in given
        }
        required = [f"{one['name']} ({one['in']})" for one in given if one.get("required")]
        schema = {"properties": members, "required": required}
        return f"<h3>Parameters</h3>{self._properties(schema, 0)}" if members else ""

    def _body(self) -> str:
        body = self._resolved(self._said.get("requestBody", {}))
        kinds = "".join(
            f"<details><summary><code>{text(media)}</code></summary>{self._content(content)}</details>"
            for media, content in body.get("content", {}).items()
        )
        return f"<h3>Body</h3>{kinds}" if kinds else ""

    def _answers(self) -> str:
        answers = self._said.get("responses", {}).items()
        told = "".join(self._answer(status, self._resolved(answer)) for status, answer in answers)
        return f"<h3>Answers</h3>{told}" if told else ""

    def _answer(self, status: str, answer: _Object) -> str:
        contents = "".join(
            f"<p><code>{text(media)}</code></p>{self._content(content)}"
            for media, content in answer.get("content", {}).items()
        )
        meaning = f"<code>{text(status)}</code> {text(answer.get('description', ''))}"
        if not contents:
            return f"<p>{meaning}</p>"
        return f"<details><summary>{meaning}</summary>{contents}</details>"

    def _content(self, content: _Object) -> str:
        schema = self._resolved(content.get("schema", {}))
        example = content.get("example", schema.get("example"))
        return self._members(schema) + (_example(example) if example is not None else "")

    def _members(self, schema: _Object) -> str:
        return self._nested(schema, 0) or (f"<p>{_type(schema)}</p>" if schema else "")

    def _nested(self, schema: _Object, depth: int) -> str:
        """Write what is inside a schema: members, items, or one of several."""
        if depth > _DEEPEST:
            return ""
        if schema.get("properties"):
            return self._properties(schema, depth)
        if "items" in schema:
            return self._nested(self._resolved(schema["items"]), depth + 1)
        choices = [self._resolved(one) for one in _choices(schema)]
        return "".join(f"<p>{_type(one)}</p>{self._nested(one, depth + 1)}" for one in choices)

    def _properties(self, schema: _Object, depth: int) -> str:
        required = schema.get("required", ())
        rows = (
            self._member(name, self._resolved(member), name in required, depth)
            for name, member in schema["properties"].items()
        )
        return f'<dl class="members">{"".join(rows)}</dl>'

    def _member(self, name: str, member: _Object, required: bool, depth: int) -> str:
        need = "" if required else ' <span class="quiet">optional</span>'
        meaning = member.get("description", "")
        return (
            f"<dt><code>{shown(name)}</code> {_type(member)}{need}</dt>"
            f"<dd>{text(meaning)}{_values(member)}{self._nested(member, depth + 1)}</dd>"
        )

    def _resolved(self, schema: _Object) -> _Object:
        found: Any = schema
        while "$ref" in found:
            path = found["$ref"].removeprefix("#/").split("/")
            found = self._openapi
            for part in path:
                found = found[part.replace("~1", "/").replace("~0", "~")]
        return found  # type: ignore[no-any-return]  # JSON has any type


def _choices(schema: _Object) -> Iterator[_Object]:
    for name in ("oneOf", "anyOf", "allOf"):
        yield from schema.get(name, ())


def _type(schema: _Object) -> str:
    said = schema.get("type", "")
    name = " or ".join(said) if isinstance(said, list) else said
    if "items" in schema and isinstance(schema["items"].get("type"), str):
        name = f"{name} of {schema['items']['type']}"
    return f'<span class="type">{text(name)}</span>' if name else ""


def _values(schema: _Object) -> str:
    values = schema.get("enum") or schema.get("examples")
    if not values:
        return ""
    word = "One of" if "enum" in schema else "Such as"
    listed = ", ".join(f"<code>{text(dumps(one, ensure_ascii=False))}</code>" for one in values)
    return f' <span class="values">{word} {listed}</span>'


def _example(example: object) -> str:
    content = text(dumps(example, indent=2, ensure_ascii=False))
    shape = attributes(tabindex="0", role="group", aria_label="Example")
    return f"<p>Example</p><pre{shape}><code>{content}</code></pre>"
