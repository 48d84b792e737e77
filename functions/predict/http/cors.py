"""Cross-origin requests: which pages may call the service from a browser and read its responses."""

from dataclasses import dataclass
from typing import Final

from functions.predict.http.dispatch import Dispatch
from functions.predict.http.exchange import REQUEST_ID, Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Endpoint

ALLOWED_METHODS: Final = "GET,POST"
ALLOWED_HEADERS: Final = (
    "accept",
    "authorization",
    "content-encoding",
    "content-type",
    "inference-header-content-length",
    "x-amz-date",
    "x-amz-security-token",
    "x-api-key",
    "x-request-id",
    "x-split-key",
)
MAX_AGE: Final = "3600"
"""Seconds for which a browser may remember the answer to its preflight."""


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """The one origin whose pages may read responses.

    Attributes
    ----------
    origin : str
        Scheme and host, with the port where it is not the scheme's own.
    """

    origin: str

    def is_preflight(self, method: str, request: Request) -> bool:
        """Return whether a browser asks for leave to send a request of the origin."""
        asks = "access-control-request-method" in request.headers
        return method == "OPTIONS" and asks and request.headers.get("origin") == self.origin

    def preflight(self) -> Response:
        """Return the response to a preflight of the origin."""
        headers = {
            "access-control-allow-origin": self.origin,
            "access-control-allow-methods": ALLOWED_METHODS,
            "access-control-allow-headers": ",".join(ALLOWED_HEADERS),
            "access-control-max-age": MAX_AGE,
            "vary": "Origin",
        }
        return Response(media_type=None, status=204, headers=headers)

    def around(self, dispatch: Dispatch) -> Dispatch:
        """Return a dispatcher whose responses the pages of the origin may read."""

        def dispatch_to_origin(request: Request, endpoint: Endpoint) -> Response:
            response = dispatch(request, endpoint)
            response.vary("Origin")
            if request.headers.get("origin") == self.origin:
                response.headers["access-control-allow-origin"] = self.origin
                response.headers["access-control-expose-headers"] = REQUEST_ID
            return response

        return dispatch_to_origin
