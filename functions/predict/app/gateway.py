"""The Lambda handler: an event to the application, the usual ones by the short way."""

from base64 import b64decode
from typing import Any

from functions.predict.app.api import Application
from functions.predict.app.results import Event, payload_bytes, to_result
from functions.predict.http import exchange
from functions.predict.http.exchange import Request
from functions.predict.http.routes import Route


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
