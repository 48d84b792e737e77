"""The one place where an answer is made of whatever a route does: returns, refuses or fails."""

from collections.abc import Callable

from functions.predict.http import problems
from functions.predict.http.exchange import REQUEST_ID, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint
from sklambda.telemetry import Log, anatomy

type Answer = Callable[[Request, Endpoint], Response]


class Answering:
    """Makes a problem of every error, and names the request in every answer.

    Parameters
    ----------
    log : Log
        Where faults of the service itself are written.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, request: Request, endpoint: Endpoint) -> Response:
        """Answer a request by a route."""
        response = self._answer(request, endpoint)
        response.headers[REQUEST_ID] = request.caller.request_id
        return response

    def _answer(self, request: Request, endpoint: Endpoint) -> Response:
        try:
            return endpoint(request)
        except ProblemRaised as raised:
            return raised.response()
        except Exception as error:
            request_id = request.caller.request_id
            where = {"request_id": request_id, "path": request.route, **anatomy(error)}
            self._log.error("request failed", extra=where)
            return problems.of_status(500).response()
