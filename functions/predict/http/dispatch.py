"""The one place where an endpoint is called, and where errors become problems."""

from collections.abc import Callable

from functions.predict.http import problems
from functions.predict.http.exchange import REQUEST_ID, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint
from sklambda.telemetry import Log, describe_exception

type Dispatch = Callable[[Request, Endpoint], Response]


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
            self._log.error("request failed", extra=context)
            return problems.from_status(500).response()
