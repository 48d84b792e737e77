"""SnapStart: what is worth doing once, before Lambda keeps the process for later starts.

Nothing is done after a restore, for the process holds nothing that grows old: no connection, no
clock, and its request ids are from the system's randomness.
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final

from functions.predict.model import Model

type Handler = Callable[[dict[str, Any], Any], Mapping[str, Any]]

_ROUNDS: Final = 3
"""After two calls the interpreter has its specialised code, and onnxruntime its memory."""


def register(warm: Callable[[], None]) -> None:
    """Have `warm` called before a snapshot; where no snapshots are taken, nothing happens."""
    try:
        hooks = import_module("snapshot_restore_py")  # Lambda's runtime has it
    except ImportError:
        return
    hooks.register_before_snapshot(warm)


def warm(handler: Handler, model: Model) -> None:
    """Answer as requests are answered: codec, session, decision, JSON.

    Parameters
    ----------
    handler : Handler
        A function around the model.
    model : Model
        What is asked, with the example of its signature.

    Raises
    ------
    RuntimeError
        There was no answer; Lambda then keeps no snapshot.
    """
    event = _event(json.dumps({"instances": [model.signature.example]}))
    for _ in range(_ROUNDS):
        status = handler(event, None)["statusCode"]
        if status != HTTPStatus.OK:
            raise RuntimeError(f"the model's own example was answered with {status}")


def _event(body: str) -> dict[str, Any]:
    """Make the part of API Gateway's event that the application reads."""
    return {
        "resource": "/{proxy+}",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": {"content-type": "application/json"},
        "multiValueHeaders": {"content-type": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "snapshot", "identity": {"sourceIp": "127.0.0.1"}},
        "body": body,
        "isBase64Encoded": False,
    }
