"""The pages: self-contained, with every value escaped.

``GET /`` is a form with an input for each feature, filled in with the example; ``GET /docs`` is the
OpenAPI document as a page.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from json import dumps
from pathlib import Path
from string import Template
from typing import Any, Final
from urllib.parse import quote

from functions.predict.http.named_schemas import member_schemas
from functions.predict.http.response import Response
from functions.predict.model import ServedModel
from sklambda.signature import Feature, Kind, Scalar, Target, Task

_FILES: Final = Path(__file__).parent
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M2 14V9h3v5zm4.5 0V5h3v9zM11 14V2h3v12z' fill='%23147a6d'/%3E%3C/svg%3E"
)
type _Object = Mapping[str, Any]

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_MAX_DEPTH: Final = 8
_MAX_OPTIONS: Final = 60
"""With more categories, the list becomes an input with completion."""

_MAX_HINT: Final = 1e30
"""Larger bounds are those of a number type, and no hint."""

_DATETIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?")


def text(value: object) -> str:
    """Escape a value, as text or as the value of an attribute."""
    # An HTML parser would turn a bare carriage return into a line feed.
    return escape(str(value)).replace("\r", "&#13;")


def isolated(value: str) -> str:
    """Return a string as an element that isolates the direction of its script.

    A name in a right-to-left script would otherwise reverse the text around it.
    """
    return f"<bdi>{text(quoted(value))}</bdi>"


def quoted(value: str) -> str:
    """Return a string, in quotes where it is empty or begins or ends with white space."""
    return value if value and value == value.strip() else dumps(value, ensure_ascii=False)


def attributes(**values: object) -> str:
    """Return attributes; an underscore becomes a hyphen, None and False omit one, True is bare."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{text(value)}"')
    return "".join(parts)


def _page(template: str, script: str | None = None, **parts: str) -> Response:
    """Return a page: a template of this folder, filled with parts that are HTML.

    The Content-Security-Policy allows the page's style and script by their hashes, and requests to
    its own origin.
    """
    style, code = read("page.css"), read(script) if script else ""
    content = Template(read(template)).substitute(parts, style=style, script=code, icon=_ICON)
    headers = {
        "content-security-policy": policy(style, code),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return Response(content.encode(), "text/html", headers=headers)


@cache
def read(name: str) -> str:
    """Read a file of this folder."""
    return (_FILES / name).read_text(encoding="utf-8")


@cache
def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy of a page with this style and this script."""
    code = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return (
        f"default-src 'none'; style-src {_hash(style)}; {code}img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def reference(openapi: _Object, root: str = "./") -> Response:
    """Return the page of an OpenAPI document; `root` leads to the root of the service."""
    operations = [
        _Operation(openapi, path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    info = openapi["info"]
    return _page(
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
        return self._members(schema) + (_schema_example(example) if example is not None else "")

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
        choices = [self._resolved(each) for each in _schema_choices(schema)]
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
            f"<dd>{text(description)}{_schema_values(member)}{self._nested(member, depth + 1)}</dd>"
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


def _schema_choices(schema: _Object) -> Iterator[_Object]:
    for name in ("oneOf", "anyOf", "allOf"):
        yield from schema.get(name, ())


def _schema_values(schema: _Object) -> str:
    constants = [each["const"] for each in _schema_choices(schema) if "const" in each]
    only = schema.get("enum") or constants
    values = only or schema.get("examples")
    if not values:
        return ""
    word = "One of" if only else "For example"
    listed = ", ".join(f"<code>{text(dumps(value, ensure_ascii=False))}</code>" for value in values)
    return f' <span class="values">{word} {listed}</span>'


def _schema_example(example: object) -> str:
    content = text(dumps(example, indent=2, ensure_ascii=False))
    shape = attributes(tabindex="0", role="group", aria_label="Example")
    return f"<p>Example</p><pre{shape}><code>{content}</code></pre>"


def field(feature: Feature, position: int) -> str:
    """Return the HTML of a feature's field: label, input, hint, and space for an error.

    The page's script reads the feature's name and the options of a list as JSON, from ``data-key``
    and the options' values.
    """
    key = f"f{position}"
    listed = _is_list(feature)
    control = _list(feature, key) if listed else _INPUTS[feature.kind](feature, key)
    hint = _hint(feature)
    hinted = f'<p class="hint" id="{key}-hint">{text(hint)}</p>' if hint else ""
    missing = "" if listed or not feature.nullable else _missing(feature, key)
    wide = " wide" if feature.kind == "text" else ""
    return (
        f'<div class="field{wide}"{attributes(data_key=dumps(feature.name))}'
        f"{attributes(data_kind=feature.kind)}>"
        f'<label class="name" for="{key}">{isolated(feature.name)}</label>{control}{missing}'
        f'{hinted}<p class="fault" id="{key}-fault"></p></div>'
    )


def _is_list(feature: Feature) -> bool:
    if feature.choices or feature.kind == "boolean":
        return True
    return feature.kind == "category" and 0 < len(feature.vocabulary) <= _MAX_OPTIONS


def _missing(feature: Feature, key: str) -> str:
    checked = attributes(checked=feature.example is None)
    name = f'<span class="unseen"> {isolated(feature.name)}</span>'
    return (
        f'<label class="missing" for="{key}-missing"><input type="checkbox" id="{key}-missing"'
        f" data-missing{checked}> missing{name}</label>"
    )


def _common_attributes(feature: Feature, key: str) -> str:
    hint = f"{key}-hint " if _hint(feature) else ""
    return attributes(id=key, data_value=True, aria_describedby=f"{hint}{key}-fault")


def _list(feature: Feature, key: str) -> str:
    choices = _choices(feature)
    other = _other(feature, key) if feature.accepts_unseen else ""
    listed = any(value == feature.example for value, _ in choices)
    options = [_option(dumps(value), name, value == feature.example) for value, name in choices]
    if feature.nullable:
        options.append(_option("null", "missing", feature.example is None))
    elif not listed and not other:
        options.insert(0, _option("", "choose …", True))
    if other:
        options.append(
            _option("other", "another value …", not listed and feature.example is not None)
        )
    return f"<select{_common_attributes(feature, key)}>{''.join(options)}</select>{other}"


def _choices(feature: Feature) -> list[tuple[Scalar, str]]:
    if feature.kind == "boolean":
        return [(True, "true"), (False, "false")]
    if feature.choices:
        return [(value, _number(value)) for value in feature.choices]
    return [(category, quoted(category)) for category in feature.vocabulary]


def _option(value: str, name: str, selected: bool) -> str:
    return f"<option{attributes(value=value, selected=selected)}>{text(name)}</option>"


def _other(feature: Feature, key: str) -> str:
    unlisted = feature.example if feature.example not in feature.vocabulary else None
    label = f"{quoted(feature.name)}: another value"
    shape = attributes(
        type="text", id=f"{key}-other", value=unlisted, aria_label=label, autocomplete="off"
    )
    return f"<input data-other{shape}{attributes(aria_describedby=f'{key}-fault', hidden=True)}>"


def _input(feature: Feature, key: str, kind: str, **others: object) -> str:
    value = None if feature.example is None else str(feature.example)
    shape = attributes(type=kind, value=others.pop("value", value), autocomplete="off", **others)
    return f"<input{_common_attributes(feature, key)}{shape}>"


def _number_input(feature: Feature, key: str) -> str:
    return _input(feature, key, "number", step="any", inputmode="decimal")


def _integer_input(feature: Feature, key: str) -> str:
    return _input(feature, key, "number", step="1", inputmode="numeric")


def _category_input(feature: Feature, key: str) -> str:
    names: Iterable[str] = feature.vocabulary
    options = "".join(f"<option{attributes(value=name)}></option>" for name in names)
    control = _input(feature, key, "text", list_=f"{key}-list", spellcheck="false")
    return f'{control}<datalist id="{key}-list">{options}</datalist>'


def _text_area(feature: Feature, key: str) -> str:
    # An HTML parser drops the first line feed.
    content = "" if feature.example is None else f"\n{text(feature.example)}"
    return f'<textarea rows="4"{_common_attributes(feature, key)}>{content}</textarea>'


def _datetime_input(feature: Feature, key: str) -> str:
    """Return a date picker where it has the precision of the data, else a text input."""
    example = [str(feature.example)] if feature.example is not None else []
    matches = [_DATETIME.fullmatch(value) for value in (*example, *map(str, feature.range or ()))]
    if not all(matches):
        return _input(feature, key, "text", placeholder="2026-11-22T10:00:00", spellcheck="false")
    days = [match[1] for match in matches if match]
    times = [f"{match[2] or '00:00'}:{match[3] or '00'}" for match in matches if match]
    if all(not time.strip("0:.") for time in times):
        return _input(feature, key, "date", value=days[0] if example else None)
    step = "1" if feature.unit == "s" else "0.001"
    value = f"{days[0]}T{times[0]}" if example else None
    return _input(feature, key, "datetime-local", step=step, value=value)


_INPUTS: Final[dict[Kind, Callable[[Feature, str], str]]] = {
    "number": _number_input,
    "integer": _integer_input,
    "category": _category_input,
    "text": _text_area,
    "datetime": _datetime_input,
}


def _hint(feature: Feature) -> str:
    parts = []
    if feature.range is not None:
        low, high = (_number(end) for end in feature.range)
        parts.append(f"{low} to {high} in training")
    if feature.least is not None and abs(feature.least) < _MAX_HINT:
        parts.append(f"at least {_number(feature.least)}")
    if feature.greatest is not None and abs(feature.greatest) < _MAX_HINT:
        parts.append(f"at most {_number(feature.greatest)}")
    if feature.kind == "category" and not _is_list(feature) and feature.vocabulary:
        parts.append(f"{len(feature.vocabulary):,} known values; type to search")
    return "; ".join(parts)


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value.replace("T", " ").removesuffix(" 00:00:00")
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


_EXPLAIN: Final = (
    '<label class="check"><input type="checkbox" id="explain" checked> Explain</label>'
)
_TASKS: Final[dict[Task, str]] = {
    "binary": "binary classification",
    "multiclass": "multiclass classification",
    "regression": "regression",
    "anomaly": "anomaly detection",
    "clustering": "clustering",
    "multioutput": "multiple outputs",
}


def form(model: ServedModel, root: str = "./", names: Sequence[str] = ()) -> Response:
    """Return the page with the form of a model.

    Parameters
    ----------
    model : ServedModel
        The model.
    root : str
        Leads to the root of the service.
    names : sequence of str
        The names of all models, the default one first.
    """
    features = model.signature.features
    is_default = model.name in (names[:1] or [model.name])
    own = "" if is_default else f"models/{quote(model.name, safe='')}/"
    return _page(
        "page.html",
        script="page.js",
        root=text(root),
        models=_models(model.name, names) if len(names) > 1 else "",
        predict=text(f"{own}predict"),
        card=text(own.rstrip("/") or "model"),
        model=isolated(model.name),
        package=text(model.id[:12]),
        purpose=_purpose(model.signature.target),
        count="1 feature" if len(features) == 1 else f"{len(features)} features",
        fields="\n".join(field(feature, index) for index, feature in enumerate(features)),
        explain=_EXPLAIN if model.predictor.explains else "",
    )


def _models(current: str, names: Sequence[str]) -> str:
    """Return links to the forms of all models; they work without the page's script."""
    links = [_link(name, "page" if name == current else None) for name in names]
    return f'<nav class="models" aria-label="Models">{" ".join(links)}</nav>'


def _link(name: str, current: str | None) -> str:
    address = attributes(href=f"?model={quote(name)}", aria_current=current)
    return f"<a{address}>{isolated(name)}</a>"


def _purpose(target: Target) -> str:
    names = [part.name for part in target.parts] or [target.name]
    listed = ", ".join(isolated(name) for name in names if name)
    task = _TASKS[target.task]
    return f"Predicts {listed} · {task}" if listed else task.capitalize()
