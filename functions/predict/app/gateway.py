"""API Gateway's events to the application: expected paths the short way, all else by Mangum."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from functions.predict.app.api import Application
from functions.predict.http import exchange
from functions.predict.http.exchange import Request
from functions.predict.http.problems import MEDIA_TYPE
from functions.predict.http.response import JSON, JSON_LINES, Response
from functions.predict.http.routes import Route

type Event = Mapping[str, Any]
type Result = dict[str, Any]

_TEXTS: Final = (JSON, MEDIA_TYPE, JSON_LINES, "text/")
"""How the media types begin that are passed on as text; the gateway decodes no others."""


class Gateway:
    """The Lambda handler of an application.

    A REST API's event for a path that stands in the table is read here, in a tenth of the time
    that Mangum, an event loop and a framework take together; nor are they imported for it.

    Parameters
    ----------
    app : Application
        What answers.
    opened : ASGIApp, optional
        The application with what stands around it: then everything goes through that.
    """

    def __init__(self, app: Application, opened: Any = None) -> None:
        self._app, self._opened = app, opened
        self._by_place = {} if opened else app.by_place

    def __call__(self, event: Event, context: Any) -> Result:
        """Answer an event."""
        route = self._by_place.get((event.get("httpMethod", ""), event.get("path", "")))
        if route is None or "resource" not in event:
            return self._mangum(event, context)
        return _result(self._app.answer(_request(event, route), route.endpoint))

    @cached_property
    def _mangum(self) -> Callable[[Any, Any], Result]:
        import asyncio

        from mangum import Mangum

        # Mangum runs on the current loop, and since Python 3.12 there is none to begin with.
        asyncio.set_event_loop(asyncio.new_event_loop())
        return Mangum(self._opened or self._app, lifespan="off", text_mime_types=list(_TEXTS))


def _request(event: Event, route: Route) -> Request:
    several = event.get("multiValueHeaders")
    headers = (
        {name.lower(): ", ".join(values) for name, values in several.items()}
        if several
        else {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    )
    return Request(
        headers=headers,
        content=_content(event),
        query=event.get("queryStringParameters") or {},
        parts=route.known,
        caller=exchange.caller(headers, event["requestContext"]),
        route=route.path,
    )


def _content(event: Event) -> bytes:
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _result(response: Response) -> Result:
    head = response.head
    is_text = head.get("content-type", JSON).startswith(_TEXTS)
    content = response.content
    return {
        "statusCode": response.status,
        "headers": head,
        "multiValueHeaders": {},
        "body": content.decode() if is_text else b64encode(content).decode(),
        "isBase64Encoded": not is_text,
    }
