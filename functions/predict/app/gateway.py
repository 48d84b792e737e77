"""The Lambda handler: an event to the application, the usual ones by the short way.

Before SnapStart takes its snapshot the handler is warmed. Nothing has to be restored after a start
from the snapshot: the process holds no connection and no clock, and request ids come from the
system's randomness.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final

from functions.predict.app.api import Application
from functions.predict.app.results import Event, payload_bytes, to_result
from functions.predict.http import exchange
from functions.predict.http.exchange import Request
from functions.predict.http.routes import Route
from functions.predict.model import ServedModel

type Handler = Callable[[dict[str, Any], Any], Mapping[str, Any]]

_CALLS: Final = 3
"""After two calls the interpreter has its specialised code, and onnxruntime its memory."""


class Gateway:
    """The Lambda handler of an application.

    An event of a REST API with the exact path of a route is read here; every other event is read by
    `event_sources`, which a cold start that only predicts does not import.

    Parameters
    ----------
    app : Application
        The application.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    def __call__(self, event: Any, context: Any) -> Any:
        """Return the response to an event.

        Raises
        ------
        EventRefused
            The event is of a source that this function does not serve.
        """
        try:
            route = self._app.by_exact_path[event["httpMethod"], event["path"]]
            request = _request(event, route)
        except (AttributeError, KeyError, TypeError, ValueError):  # any other event
            from functions.predict.app import event_sources

            return event_sources.answer(self._app, event, context)
        return to_result(self._app.dispatch(request, route.endpoint))


def _request(event: Event, route: Route) -> Request:
    """Return the request of a REST API's event; any error means that it is not one."""
    if event["queryStringParameters"] or event["path"] != f"/{event['pathParameters']['proxy']}":
        raise ValueError
    headers = {
        name.lower(): values[0] if len(values) == 1 else exchange.combine(name, values)
        for name, values in event["multiValueHeaders"].items()
    }
    caller = exchange.identify_caller(headers, event["requestContext"])
    # Raises unless all are texts that can be written.
    "".join((caller.request_id, caller.key_id or "", *headers.values())).encode()
    body: str = event["body"] or ""
    return Request(
        headers=headers,
        content=b64decode(body, validate=True) if event["isBase64Encoded"] else body.encode(),
        query={},
        path_parameters=route.path_parameters,
        caller=caller,
        route=route.path,
        model=route.model,
        measure=payload_bytes,
    )


def register_snapshot(warm: Callable[[], None]) -> None:
    """Register a function to be called before a snapshot; does nothing outside Lambda."""
    try:
        hooks = import_module("snapshot_restore_py")  # part of Lambda's runtime
    except ImportError:
        return
    hooks.register_before_snapshot(warm)


def warm(handler: Handler, model: ServedModel) -> None:
    """Score the model's own example with a handler: codec, session, decision, JSON.

    Parameters
    ----------
    handler : Handler
        A Lambda handler around the model.
    model : ServedModel
        The model, with the example of its signature.

    Raises
    ------
    RuntimeError
        The example was not scored; Lambda then keeps no snapshot.
    """
    event = _snapshot_event(json.dumps({"instances": [model.signature.example]}))
    for _ in range(_CALLS):
        status = handler(event, None)["statusCode"]
        if status != HTTPStatus.OK:
            raise RuntimeError(f"the model's own example must be scored, got status {status}")


def _snapshot_event(body: str) -> dict[str, Any]:
    """Return the part of API Gateway's event that the application reads, its body as bytes."""
    return {
        "resource": "/{proxy+}",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {"content-type": "application/json"},
        "multiValueHeaders": {"content-type": ["application/json"]},
        "pathParameters": {"proxy": "predict"},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "snapshot", "identity": {"sourceIp": "127.0.0.1"}},
        "body": b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
    }
