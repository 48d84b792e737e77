"""Action groups of Amazon Bedrock's agents, by an OpenAPI schema or by details of a function.

With a schema the agent names path, method and body as HTTP has them. With function details its
parameters are the features of one row, or `instances` as JSON.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from functions.predict.app import direct
from functions.predict.app.api import Application
from functions.predict.app.http_events import as_body, members, text
from functions.predict.app.results import written_bytes
from functions.predict.http import problems
from functions.predict.http.exchange import Request
from functions.predict.http.json_reader import duplicate, parse_text
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Address

type Event = Mapping[str, Any]

_READ_AS_JSON: Final = ("array", "object", "number", "integer", "boolean")
_ROWS: Final = "instances"
"""The parameter that is JSON whatever its type: some agents know no lists of objects."""
_OWN_FAULT: Final = 500


def matches(event: Event, context: Any) -> bool:
    """Return whether an event is an action of an agent."""
    return "actionGroup" in event and not {"apiPath", "function"}.isdisjoint(event)


def answer(app: Application, event: Event, context: Any) -> dict[str, Any]:
    """Return the action's result; a problem is shown to the model, which may ask again."""
    respond = _call if "function" in event else _request
    try:
        response = respond(app, event, context)
    except ProblemRaised as raised:  # before there was a body for an endpoint
        problem = raised.response()
        response = direct.dispatch(app, None, b"", context, lambda _: problem)
    return _reply(event, response)


def _reply(event: Event, response: Response) -> dict[str, Any]:
    shape = _function_response if "function" in event else _path_response
    session = {
        name: event[name]
        for name in ("sessionAttributes", "promptSessionAttributes")
        if isinstance(event.get(name), dict)
    }
    reply = {"actionGroup": event["actionGroup"], **shape(event, response)}
    return {"messageVersion": "1.0", "response": reply, **session}


def _call(app: Application, event: Event, context: Any) -> Response:
    values = _values(event.get("parameters"))
    query = {"explain": direct.word(values.pop("explain"))} if "explain" in values else {}
    body = values if _ROWS in values else {_ROWS: [values]}
    route = direct.route_at(app, direct.PREDICT)
    return direct.dispatch(
        app, route, as_body(body), context, query=query, written=partial(_reply, event)
    )


def _request(app: Application, event: Event, context: Any) -> Response:
    content = members(members(event.get("requestBody")).get("content"))
    body: object = next(iter(content.values()), None)
    parameters = _values(event.get("parameters"))
    path = text(event.get("apiPath"))
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", str(value))
    request = Request(
        headers=direct.HEADERS,
        content=as_body(_values(members(body).get("properties"))),
        query={name: direct.word(value) for name, value in parameters.items()},
        path_parameters={},
        caller=direct.caller(context),
        measure=lambda response: written_bytes(_reply(event, response)),
    )
    method = text(event.get("httpMethod")) or "POST"
    return app.respond(method.upper(), Address(path, (path,)), request)


def _values(listed: object) -> dict[str, Any]:
    """Return values by name, each in the type that the agent says it has.

    Raises the problem of names that occur twice, here and in values that are JSON.
    """
    each: Iterable[Any] = listed if isinstance(listed, list) else ()
    pairs = [(text(it.get("name")), it) for it in map(members, each) if it]
    counts = Counter(name for name, _ in pairs)
    if doubled := [duplicate(name) for name, count in counts.items() if count > 1]:
        raise problems.body_invalid(*doubled)
    return {name: _value(name, it) for name, it in pairs}


def _value(name: str, member: Mapping[str, Any]) -> Any:
    value = member.get("value")
    is_json = name == _ROWS or member.get("type") in _READ_AS_JSON
    if isinstance(value, str) and is_json:
        try:
            return parse_text(value, name)
        except ValueError:
            return value
    return value


def _path_response(event: Event, response: Response) -> dict[str, Any]:
    media_type = response.media_type or JSON
    return {
        "apiPath": event["apiPath"],
        "httpMethod": event.get("httpMethod"),
        "httpStatusCode": response.status,
        "responseBody": {media_type: {"body": _body(response)}},
    }


def _function_response(event: Event, response: Response) -> dict[str, Any]:
    state = "FAILURE" if response.status >= _OWN_FAULT else "REPROMPT"
    failed = {"responseState": state} if response.problem else {}
    body = {"TEXT": {"body": _body(response)}}
    return {"function": event["function"], "functionResponse": {**failed, "responseBody": body}}


def _body(response: Response) -> str:
    return response.content.decode("utf-8", "replace")
