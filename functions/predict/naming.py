"""Every answer bears the name of its request, problems too."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.predict import exchange

_HEADER = exchange.REQUEST_ID.encode()


class Named:
    """Adds ``x-request-id`` to each answer that has none.

    Parameters
    ----------
    app : ASGIApp
        The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = exchange.caller(Request(scope)).request_id.encode()

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                if not any(key == _HEADER for key, _ in headers):
                    message["headers"] = [*headers, (_HEADER, name)]
            await send(message)

        await self._app(scope, receive, named)
