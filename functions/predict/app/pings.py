"""Pings that keep the function warm: no request reaches the service, so that none is counted."""

from collections.abc import Mapping
from typing import Any, Final

from functions.predict.app.api import Application

type Event = Mapping[str, Any]

_PLUGIN: Final = "serverless-plugin-warmup"
_CLOCKS: Final = ("aws.events", "aws.scheduler")
"""EventBridge's rules, and its Scheduler's default payload."""
_FLAGS: Final = ("warmer", "warmup")


def matches(event: Event, context: Any) -> bool:
    """Return whether an event only keeps the function warm."""
    if event.get("source") == _PLUGIN or any(event.get(name) is True for name in _FLAGS):
        return True
    if event.get("source") in _CLOCKS and event.get("detail-type") == "Scheduled Event":
        return True
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    return isinstance(custom, dict) and custom.get("source") == _PLUGIN


def answer(app: Application, event: Event, context: Any) -> dict[str, Any]:
    """Return the answer to a ping."""
    return {"statusCode": 200, "body": '{"status":"warm"}'}
