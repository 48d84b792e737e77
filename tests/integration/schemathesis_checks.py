"""What Schemathesis checks besides the OpenAPI document; it loads this in .venv-schemathesis."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

_SHORTEST: Final = 7  # what is shorter stands in sentences by chance
_INSIDE: Final = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|0x[0-9a-f]{6}|/(?:opt|tmp|usr|var|home|root)/"
)


def a_refusal_is_a_problem(_: CheckContext, response: Response, case: Case) -> None:
    """Fail where a refusal is no problem+json, whatever was asked, or names another status."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    # KServe's client reads no other type than JSON.
    kserve = re.match(r"/v[12](/|$)", case.path)
    expected = "application/json" if kserve else "application/problem+json"
    assert response.headers["content-type"] == [expected]
    assert json.loads(response.content)["status"] == response.status_code


def no_value_is_echoed(_: CheckContext, response: Response, case: Case) -> None:
    """Fail where a refusal repeats a value of the request, or shows a path or a stack."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    problem = json.loads(response.content)
    del problem["type"]  # a name of ours
    headers = {name: one for name, one in response.headers.items() if name != "x-request-id"}
    said = "\n".join([*texts(problem), *texts(headers)])
    sent = texts([case.body, case.query, dict(case.headers), case.path_parameters])
    repeated = {text for text in sent if len(text) >= _SHORTEST and text in said}
    document = case.operation.schema.raw_schema
    ours = texts([*names([document["paths"], document.get("components", {})])]) if repeated else ()
    pointed = members(case.body) if repeated else ()  # a place in the body is no value
    echoed = repeated.difference(ours, pointed)
    assert not echoed, f"echoed: {sorted(echoed)}"
    assert not _INSIDE.search(said), "shows a path or a stack"


def texts(value: object) -> Iterator[str]:
    """Give the values in a document as texts; of plain text its cells too."""
    match value:
        case Mapping():
            for member in value.values():
                yield from texts(member)
        case list():
            for item in value:
                yield from texts(item)
        case bytes():
            yield from texts(value.decode(errors="replace"))
        case str():
            yield value
            yield from re.split(r"[\s,;=\"{}\[\]]+", value)
        case int() | float():
            yield json.dumps(value)


def names(schema: Any) -> Iterator[str]:
    """Give the names that the service itself has for things: members, and choices of a name."""
    if isinstance(schema, list):
        for item in schema:
            yield from names(item)
    elif isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from filter(lambda one: isinstance(one, str), schema.get("enum", ()))
        for member in schema.values():
            yield from names(member)


def members(body: object) -> Iterator[str]:
    """Give the names of the members of a body."""
    if isinstance(body, list):
        for item in body:
            yield from members(item)
    elif isinstance(body, Mapping):
        yield from body
        for member in body.values():
            yield from members(member)


def map_body(context: HookContext, body: Any) -> Any:
    """Take outcomes to this century's past: no schema can say that a time must be over."""
    outcomes = body.get("outcomes") if isinstance(body, dict) else None
    for outcome in outcomes if isinstance(outcomes, list) else ():
        if isinstance(outcome, dict) and isinstance(time := outcome.get("time"), str):
            outcome["time"] = re.sub(r"^\d{4}", "2020", time)
    return body


schemathesis.hook(map_body)
schemathesis.check(a_refusal_is_a_problem)
schemathesis.check(no_value_is_echoed)
