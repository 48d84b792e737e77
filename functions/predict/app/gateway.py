"""The Lambda handler: API Gateway's events to the application."""

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

_TEXT_MEDIA_TYPES: Final = (JSON, MEDIA_TYPE, JSON_LINES, "text/")
"""Prefixes of the media types that pass the gateway as text; all others are base64."""


class Gateway:
    """The Lambda handler of an application.

    An event of a REST API with the exact path of a route is read here, in a tenth of the time that
    Mangum, an event loop and a framework take together, and without importing them.

    Parameters
    ----------
    app : Application
        The application.
    wrapped : ASGIApp, optional
        The application inside ASGI middleware, which then serves every event.
    """

    def __init__(self, app: Application, wrapped: Any = None) -> None:
        self._app, self._wrapped = app, wrapped
        self._by_exact_path = {} if wrapped else app.by_exact_path

    def __call__(self, event: Event, context: Any) -> Result:
        """Return the response to an event."""
        route = self._by_exact_path.get((event.get("httpMethod", ""), event.get("path", "")))
        if route is None or "resource" not in event:
            return self._mangum(event, context)
        return _result(self._app.dispatch(_request(event, route), route.endpoint))

    @cached_property
    def _mangum(self) -> Callable[[Any, Any], Result]:
        import asyncio

        from mangum import Mangum

        # Mangum runs on the current loop; since Python 3.12 there is none by default.
        asyncio.set_event_loop(asyncio.new_event_loop())
        text = list(_TEXT_MEDIA_TYPES)
        return Mangum(self._wrapped or self._app, lifespan="off", text_mime_types=text)


def _request(event: Event, route: Route) -> Request:
    lists = event.get("multiValueHeaders")
    headers = (
        {name.lower(): ", ".join(values) for name, values in lists.items()}
        if lists
        else {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    )
    return Request(
        headers=headers,
        content=_content(event),
        query=event.get("queryStringParameters") or {},
        path_parameters=route.path_parameters,
        caller=exchange.identify_caller(headers, event["requestContext"]),
        route=route.path,
    )


def _content(event: Event) -> bytes:
    body: str = event.get("body") or ""
    return b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _result(response: Response) -> Result:
    headers = response.all_headers
    is_text = headers.get("content-type", JSON).startswith(_TEXT_MEDIA_TYPES)
    content = response.content
    return {
        "statusCode": response.status,
        "headers": headers,
        "multiValueHeaders": {},
        "body": content.decode() if is_text else b64encode(content).decode(),
        "isBase64Encoded": not is_text,
    }
