"""The one place where an endpoint is called, and where errors become problems."""

from collections.abc import Callable
from typing import Final

from functions.predict.http import problems
from functions.predict.http.exchange import REQUEST_ID, Request, parse_qualities
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint
from sklambda.telemetry import Log, describe_exception

type Dispatch = Callable[[Request, Endpoint], Response]


LEAST_COMPRESSED: Final = 2_000
"""Bytes of the shortest body that is compressed: a shorter one takes as many packets as before."""
_SURE_TO_FIT: Final = 1_000_000
"""Bytes of a body that fits into Lambda's limit even if each becomes the six of an escape."""


class Dispatcher:
    """Calls endpoints, translates errors into problems, and sets the request id.

    Parameters
    ----------
    log : Log
        Log of the service's own errors.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, request: Request, endpoint: Endpoint) -> Response:
        """Return the response of an endpoint to a request."""
        response = self._respond(request, endpoint)
        if len(response.content) >= LEAST_COMPRESSED:
            response = self._respond(request, lambda request: _fitted(request, response))
        response.headers[REQUEST_ID] = request.caller.request_id
        return response

    def _respond(self, request: Request, endpoint: Endpoint) -> Response:
        try:
            return endpoint(request)
        except ProblemRaised as raised:
            return raised.response()
        except Exception as error:
            request_id = request.caller.request_id
            context = {"request_id": request_id, "path": request.route, **describe_exception(error)}
            if request.model is not None:
                context["model"] = request.model
            self._log.error("request failed", extra=context)
            return problems.from_status(500).response()


def _fitted(request: Request, response: Response) -> Response:
    """Return a response, compressed if that is accepted; raise the problem of one too large."""
    accepted = request.headers.get("accept-encoding", "")
    response.vary("Accept-Encoding")
    if accepted:
        from functions.predict.http import encodings

        encodings.compress(response, parse_qualities(accepted))
    if request.measure is not None and len(response.content) > _SURE_TO_FIT:
        from functions.predict.http import payload

        payload.require_fit(response, request.measure, accepted)
    return response
