"""Mangum, with a shorter way for requests whose answer waits for nothing."""

from collections.abc import Awaitable, Callable, Container
from typing import Any

from mangum import Mangum
from starlette.types import ASGIApp, Message, Scope

type Event = dict[str, Any]


class Gateway(Mangum):
    """API Gateway events to an application.

    Starting an event loop for one step takes as long as a prediction. A coroutine that waits for
    nothing needs none: it is finished by its first step.

    Parameters
    ----------
    app : ASGIApp
        The application.
    immediate : container of (str, str)
        The method and path of the routes that never wait.
    text_mime_types : list of str
        Media types that are passed on as text.
    """

    def __init__(
        self,
        app: ASGIApp,
        immediate: Container[tuple[str, str]],
        text_mime_types: list[str],
    ) -> None:
        super().__init__(_as_coroutine(app), lifespan="off", text_mime_types=text_mime_types)
        self._immediate = immediate

    def __call__(self, event: Event, context: Any) -> Event:
        """Answer an event."""
        if (event.get("httpMethod"), event.get("path")) not in self._immediate:
            return super().__call__(event, context)
        handler = self.infer(event, context)
        return handler(_finished(self.app, handler.scope, handler.body))


def _as_coroutine(app: ASGIApp) -> Callable[..., Any]:
    """Satisfy Mangum's types, which are narrower than ASGI's."""
    return app


def _finished(app: Callable[..., Awaitable[None]], scope: Scope, body: bytes) -> Any:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    step = app(scope, receive, send).__await__()
    try:
        next(step)
    except StopIteration:
        start, *parts = sent
        content = b"".join(part.get("body", b"") for part in parts)
        return {"status": start["status"], "headers": start["headers"], "body": content}
    raise RuntimeError("a route that never waits has waited")
