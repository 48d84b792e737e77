"""Requests of HTTP as any gateway, balancer or function URL hands them on, read by Mangum.

An event may come from a console or a script: whatever has another type than documented counts as
absent, so that Mangum reads every event. The path of a route is found here.
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from json import dumps
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

from functions.predict.app.api import Application
from functions.predict.app.results import TEXT_MEDIA_TYPES, Event, Result, payload_bytes
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Request
from functions.predict.http.routes import Address

if TYPE_CHECKING:
    from mangum.types import LambdaConfig, LambdaHandler

type Members = Mapping[str, Any]

_MARKS: Final = frozenset({"httpMethod", "rawPath", "raw_path"})
_PARAMETER: Final = re.compile(r"\{(\w+)(\+?)\}")
_OWN_HOSTS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".on.aws")
_MAX_DEPTH: Final = 5
_TRUE: Final = (True, "true", "True")
_QUERIES: Final = (
    "multiValueQueryStringParameters",
    "queryStringParameters",
    "query_string_parameters",
)
_CONFIG: Final["LambdaConfig"] = {
    "api_gateway_base_path": "/",  # the router finds base paths
    "text_mime_types": [*TEXT_MEDIA_TYPES],
    "exclude_headers": [],
}
_WITH_PORT: Final = ("host", "x-forwarded-port")
"""Headers that are not read here, and in which Mangum expects a number, whatever clients send."""


def matches(event: Event, context: Any) -> bool:
    """Return whether an event is a request of HTTP."""
    if not event.keys().isdisjoint(_MARKS):
        return True
    return "http" in members(event.get("requestContext")) or {"method", "path"} <= event.keys()


def answer(app: Application, event: Event, context: Any) -> Result:
    """Return the response to a request of HTTP."""
    # Not imported for direct invocations: it takes as long as hundreds of predictions.
    from mangum.handlers import ALB, APIGateway, HTTPGateway

    details = _cleaned(members(event.get("requestContext")))
    details["requestId"] = text(details.get("requestId"))
    read = _well_formed(event, details)
    kinds = (kind for kind in (ALB, HTTPGateway) if kind.infer(read, context, _CONFIG))
    handler: LambdaHandler = next(kinds, APIGateway)(read, context, _CONFIG)
    scope = handler.scope
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    caller = exchange.identify_caller(headers, details)
    request = Request(headers, b"", query, {}, caller, measure=payload_bytes)
    try:
        request.content = handler.body
        # Mangum skips what is not of base64's alphabet: the body is longer than its content then.
        if "isBase64Encoded" in read and len(read["body"]) != 4 * -(-len(request.content) // 3):
            raise ValueError
    except ValueError:
        response = app.refuse(request, problems.not_base64())
    else:
        response = app.respond(scope["method"], _address(event, details), request)
    pairs = [[name.encode(), value.encode()] for name, value in response.all_headers.items()]
    content = b"" if scope["method"] == "HEAD" else response.content
    result = handler({"status": response.status, "headers": pairs, "body": content})
    if "elb" in details:
        result["statusDescription"] = f"{response.status} {HTTPStatus(response.status).phrase}"
    return result


def _well_formed(event: Event, details: Members) -> dict[str, Any]:
    """Return what Mangum reads of an event, each member of the type that is documented.

    A content type that is repeated counts once. VPC Lattice, which Mangum does not know, gets the
    form of a REST API.
    """
    lists = _lists(event, "multiValueHeaders", "headers")
    headers = {
        name: exchange.combine(name, values)
        for name, values in lists.items()
        if name.lower() not in _WITH_PORT
    }
    query = _lists(event, *_QUERIES)
    http = {"method": _method(event, details), "path": "/", "sourceIp": None}
    found = {
        "httpMethod": http["method"],
        "path": "/",
        "headers": headers,
        "multiValueQueryStringParameters": query,
        "requestContext": {**details, "identity": {}, "http": http},
    }
    if "multiValueHeaders" in event:
        found["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    if not event.keys().isdisjoint(("rawPath", "rawQueryString")):
        raw = _writable(text(event.get("rawQueryString"))) or urlencode(query, doseq=True)
        found |= {"version": "2.0", "rawQueryString": raw}
    body = event.get("body")
    if not isinstance(body, str):  # pasted into a console without quotes
        return found | {"body": b"" if body is None else as_body(body)}
    if event.get("isBase64Encoded", event.get("is_base64_encoded")) in _TRUE:
        return found | {"body": body, "isBase64Encoded": True}
    return found | {"body": body.encode("utf-8", "surrogatepass")}


def members(value: object) -> Members:
    """Return a value if it is an object, else one without members."""
    return value if isinstance(value, dict) else {}


def text(*values: object) -> str:
    """Return the first of some values that is a string and not empty."""
    return next((value for value in values if isinstance(value, str) and value), "")


def as_body(value: object) -> bytes:
    """Return a body whose JSON was read already; an empty one of what JSON cannot hold.

    NaN and half of a surrogate pair stay what they are, for the dialect to accept or refuse.
    """
    try:
        written = dumps(value, ensure_ascii=False, separators=(",", ":"))
        return written.encode("utf-8", "surrogatepass")
    except (RecursionError, TypeError, ValueError):
        return b""


def _cleaned(value: Members, depth: int = 0) -> dict[str, Any]:
    """Return the objects and the texts of a request context: who calls is read from these."""
    kinds = dict | str | int if depth < _MAX_DEPTH else str | int
    return {
        name: _cleaned(member, depth + 1) if isinstance(member, dict) else _writable(member)
        for name, member in value.items()
        if isinstance(member, kinds)
    }


def _method(event: Event, details: Members) -> str:
    http = members(details.get("http"))
    named = (event.get("httpMethod"), http.get("method"), event.get("method"))
    default = "POST" if event.get("body") else "GET"
    return (text(*named, details.get("httpMethod")) or default).upper()


def _lists(event: Event, *names: str) -> dict[str, list[str]]:
    """Return the strings by name of the first object that has members."""
    pairs = next(filter(None, (members(event.get(name)) for name in names)), {})
    found = ((_writable(name), _strings(value)) for name, value in pairs.items())
    return {name: values for name, values in found if values}


def _writable(value: object) -> str:
    """Return a value as text; half of a surrogate pair, which no text can hold, becomes ``?``."""
    return str(value).encode("utf-8", "replace").decode()


def _strings(value: object) -> list[str]:
    """Return the strings, numbers and truth values of a value or a list of them, as strings."""
    values = value if isinstance(value, list) else [value]
    return [
        str(one).lower() if isinstance(one, bool) else _writable(one)
        for one in values
        if isinstance(one, str | int | float)
    ]


def _address(event: Event, details: Members) -> Address:
    """Return the address.

    A REST API leaves the stage out of `path` and a base path in it; an HTTP API leaves the stage in
    its path. What follows either is the path that the API's own resource or route stands for.
    """
    http = members(details.get("http"))
    plain = (event.get("path"), event.get("rawPath"), http.get("path"), details.get("path"))
    path = text(*plain, event.get("raw_path")) or "/"
    is_http_api = "rawPath" in event or "http" in details or event.get("version") == "1.0"
    outer = path if is_http_api else text(details.get("path")) or path
    of_route = text(event.get("routeKey"), details.get("routeKey")).partition(" ")[2]
    template = text(event.get("resource"), details.get("resourcePath")) or of_route
    without = _without_stage(path, text(details.get("stage")))
    both = (without, path) if is_http_api else (path, without)
    if template == "/":
        is_sure = details.get("resourcePath") == "/"
        return Address(outer, ("/",) if is_sure else (*both, "/"), may_have_prefix=False)
    named = tuple(_named(template, members(event.get("pathParameters"))))
    fitting = tuple(one for one in named if _plain(path).endswith(_plain(one)))
    return Address(outer, fitting or both, not named, not named and _is_shared(details))


def _is_shared(details: Members) -> bool:
    """Return whether a host has other services too: of a balancer, or a domain of the user's."""
    host = text(details.get("domainName"))
    return "elb" in details or bool(host and not host.endswith(_OWN_HOSTS))


def _plain(path: str) -> str:
    return unquote(path).rstrip("/")


def _without_stage(path: str, stage: str) -> str:
    prefix = f"/{stage}"
    if stage and (path == prefix or path.startswith(f"{prefix}/")):
        return path.removeprefix(prefix) or "/"
    return path


def _named(template: str, parameters: Members) -> Iterator[str]:
    """Return the paths that a resource of the API stands for: whole, and what it passes on."""
    names = {match[1]: match[2] for match in _PARAMETER.finditer(template)}
    values = {name: text(parameters.get(name)) for name in names}
    if not template.startswith("/") or not all(values.values()):
        return
    yield _PARAMETER.sub(lambda match: values[match[1]], template)
    yield from (f"/{values[name]}" for name, is_greedy in names.items() if is_greedy)
