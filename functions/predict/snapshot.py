"""SnapStart: warms the function before Lambda takes its snapshot.

Nothing has to be restored after a start from the snapshot: the process holds no connection and no
clock, and request ids come from the system's randomness.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final

from functions.predict.model import ServedModel

type Handler = Callable[[dict[str, Any], Any], Mapping[str, Any]]

_CALLS: Final = 3
"""After two calls the interpreter has its specialised code, and onnxruntime its memory."""


def register(warm: Callable[[], None]) -> None:
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
    event = _event(json.dumps({"instances": [model.signature.example]}))
    for _ in range(_CALLS):
        status = handler(event, None)["statusCode"]
        if status != HTTPStatus.OK:
            raise RuntimeError(f"the model's own example must be scored, got status {status}")


def _event(body: str) -> dict[str, Any]:
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
