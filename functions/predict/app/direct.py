"""Direct invocations: the body of a request as the payload, and the body of its response returned.

AWS's command line, its SDKs and Step Functions invoke the function like that. The document says in
which dialect it is; what HTTP has in the query may stand beside it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.predict.app.api import Application
from functions.predict.app.http_events import as_body
from functions.predict.app.model_routes import path_by_name
from functions.predict.app.results import to_result, written_bytes
from functions.predict.http import exchange, problems
from functions.predict.http.exchange import Caller, Request
from functions.predict.http.json_reader import parse_json
from functions.predict.http.response import JSON, Response
from functions.predict.http.routes import Endpoint, Route

PREDICT: Final = "/predict"
INVOCATIONS: Final = "/invocations"
INFER: Final = "/v2/models/{model}/infer"

HEADERS: Final = {"content-type": JSON, "accept-encoding": "identity"}
"""Headers of a request that came without HTTP: nothing on its way back would unpack it."""

MODEL: Final = "model"
"""The member that names a model, as the path does over HTTP."""

_QUERY: Final = ("explain", "fields", "on_error")


def answer(app: Application, event: Any, context: Any) -> Any:
    """Return the body of the response, a problem too; what is not JSON as API Gateway reads it."""
    path = _path(event)
    if path is None:
        problem = problems.event_unknown().response()
        return document(dispatch(app, None, b"", context, lambda _: problem))
    route = route_at(app, path, _model(event, path))
    if route is None:
        problem = problems.unknown_model(app.models).response()
        return document(dispatch(app, None, b"", context, lambda _: problem))
    names = [name for name in _QUERY if name in event] if path == PREDICT else []
    query = {name: word(event[name]) for name in names}
    left_out = (*query, MODEL)
    body = {name: value for name, value in event.items() if name not in left_out}
    response = dispatch(app, route, as_body(body), context, query=query)
    return document(response)


def route_at(app: Application, path: str, model: object = None) -> Route | None:
    """Return the route that predicts at a path, by the default model or the one that is named."""
    at_path = (it for it in app.routes if (it.method, it.path) == ("POST", path))
    if model is None:
        return next(at_path, None)
    by_name = path_by_name(path)
    found = (it for it in app.routes if it.path in (path, by_name) and it.model == model)
    return next(found, None)


def _model(event: Mapping[str, Any], path: str) -> object:
    """Return the model that an event names, if any; KServe's client names it in the body."""
    if event.get(MODEL) is None and path == INFER:
        return event.get("model_name") or None
    return event.get(MODEL)


def dispatch(
    app: Application,
    route: Route | None,
    content: bytes,
    context: Any,
    endpoint: Endpoint | None = None,
    query: Mapping[str, str] | None = None,
    written: Callable[[Response], Any] | None = None,
) -> Response:
    """Return the response to a body that came without HTTP.

    `written` returns what Lambda's runtime writes for a response, its document if absent.
    """
    request = Request(
        headers=HEADERS,
        content=content,
        query=query or {},
        path_parameters=route.path_parameters if route else {},
        caller=caller(context),
        route=route.path if route else None,
        model=route.model if route else None,
        measure=lambda response: written_bytes((written or document)(response)),
    )
    found = endpoint or (route.endpoint if route else None)
    assert found is not None
    return app.dispatch(request, found)


def caller(context: Any) -> Caller:
    """Return the caller of an invocation, by Lambda's own id of it."""
    name = getattr(context, "aws_request_id", None)
    return exchange.identify_caller({}, {"requestId": name} if isinstance(name, str) else {})


def document(response: Response) -> Any:
    """Return the document of a response."""
    if response.media_type is None or not response.media_type.endswith("json"):
        return to_result(response)
    return parse_json(response.content)


def _path(event: Any) -> str | None:
    """Return the route whose body an event is."""
    if not isinstance(event, dict):
        return None
    if "instances" in event and "params" not in event:
        return PREDICT
    inputs = event.get("inputs")
    if isinstance(inputs, list) and any(_is_tensor(each) for each in inputs):
        return INFER
    tables = {"dataframe_split", "dataframe_records", "instances", "inputs"}
    return None if tables.isdisjoint(event) else INVOCATIONS


def _is_tensor(value: object) -> bool:
    return isinstance(value, dict) and {"name", "datatype"} <= value.keys()


def word(value: object) -> str:
    """Return a member as the query of an address holds it: true, 5, label,score."""
    if isinstance(value, list):
        return ",".join(map(word, value))
    return value if isinstance(value, str) else as_body(value).decode("utf-8", "replace")
