"""The server of the plain process: uvicorn with limits on how long clients and work may take."""

import asyncio
import json
import shlex
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import uvicorn
from h11 import IDLE, SEND_BODY
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from functions.predict.app.asgi import WORKERS
from functions.predict.http import problems
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.service import received

_THREADS: Final = 4
"""Requests at work beside the one that is explained; the model and the codec release the GIL."""

_LEAVING: Final = 0.25
"""Seconds in which requests whose connections were aborted end by themselves."""

_EXPLANATIONS: Final = (b"contributions", b"explanation", b'"base"')
"""A body with one of these may request explanations by the Open Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds the server waits.

    Attributes
    ----------
    head : float
        For the request line and the headers, from the connection or their first byte on.
    body : float
        For the body, from the headers on.
    idle : float
        For the next request of a connection.
    stop : float
        For the requests at work once the process is to end.
    """

    head: float = 10
    body: float = 15
    idle: float = 5
    stop: float = 9


class Workers:
    """An ASGI application whose requests are worked on beside the event loop.

    The loop itself answers the probes, so that they wait for no other request. Explanations have a
    thread of their own, one after the other; all other requests share a few.

    Parameters
    ----------
    app : ASGIApp
        The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._explaining = ThreadPoolExecutor(1, "explain")
        self._others = ThreadPoolExecutor(_THREADS, "predict")
        self._running: set[Future[Response]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of a server."""
        await self._app({**scope, WORKERS: self.run}, receive, send)

    async def run(self, path: str, request: Request, work: Callable[[], Response]) -> Response:
        """Return the response that a thread makes."""
        received.set(perf_counter())
        pool = self._explaining if _may_explain(path, request) else self._others
        future = pool.submit(copy_context().run, work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return await asyncio.wrap_future(future)

    @property
    def busy(self) -> bool:
        """Whether a request is at work."""
        return any(not future.done() for future in self._running)

    def drop(self) -> None:
        """Forget the requests that wait for a thread."""
        for pool in (self._explaining, self._others):
            pool.shutdown(wait=False, cancel_futures=True)


def _may_explain(path: str, request: Request) -> bool:
    if "explain" in request.query:
        return True
    return "/infer" in path and any(name in request.content for name in _EXPLANATIONS)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What is printed once the server listens.

    Attributes
    ----------
    example : object
        An instance of the example request.
    models : str
        A sentence about the models, if there are several.
    """

    example: object
    models: str = ""


class Server(uvicorn.Server):
    """A server that prints its address and an example request once it listens."""

    def __init__(
        self, workers: Workers, host: str, port: int, timeouts: Timeouts, greeting: Greeting
    ):
        super().__init__(_Config(workers, host, port, timeouts))
        self.workers, self._greeting = workers, greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and print how to ask."""
        await super().startup(sockets)
        if self.started and sockets:
            port = sockets[0].getsockname()[1]
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            address = f"http://{host}:{port}"
            body = shlex.quote(
                json.dumps({"instances": [self._greeting.example]}, ensure_ascii=False)
            )
            models = f" {self._greeting.models}" if self._greeting.models else ""
            print(f"\nServing at {address} (Ctrl+C stops it).{models} Try:\n")
            print(f"curl {address}/predict -H 'content-type: application/json' -d {body}\n")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and end the requests at work in time, whatever their clients do.

        Where the time is over, the connections go first: a cancelled request would still wait for
        a client that does not read. What then runs is work in a thread, whose request is cancelled.
        """
        stop = self.config.timeouts.stop  # type: ignore[attr-defined]
        leaving = asyncio.get_running_loop().call_later(stop, self._leave)
        await super().shutdown(sockets)
        leaving.cancel()

    def _leave(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Config(uvicorn.Config):
    """The options of uvicorn, and the timeouts that it has not."""

    def __init__(self, app: ASGIApp, host: str, port: int, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        super().__init__(
            app,
            host,
            port,
            http=_Protocol,
            ws="none",
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=timeouts.idle,  # type: ignore[arg-type]  # any number of seconds
            timeout_graceful_shutdown=timeouts.stop + _LEAVING,  # type: ignore[arg-type]
        )


class _Protocol(H11Protocol):
    """A connection on which a head and a body must arrive in time.

    The time runs from the start of a head or a body: a byte a second does not renew it.
    """

    _awaited: tuple[str, int] | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._watch()

    def _watch(self) -> None:
        """Start the timer of what is awaited of the client, unless it runs already."""
        awaited = self._await()
        if awaited == self._awaited:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._awaited, self._timer = awaited, None
        if awaited is not None:
            seconds = getattr(self.config.timeouts, awaited[0])  # type: ignore[attr-defined]
            self._timer = self.loop.call_later(seconds, self._time_out)

    def _await(self) -> tuple[str, int] | None:
        """Return what the client still owes, of which request; None where it owes nothing."""
        if self.transport.is_closing():
            return None
        if self.conn.their_state is SEND_BODY:
            return "body", id(self.cycle)
        idle = self.cycle is not None and not self.conn.trailing_data[0]
        if self.conn.their_state is IDLE and not idle:
            return "head", id(self.cycle)
        return None  # uvicorn closes idle connections

    def _time_out(self) -> None:
        answering = self.cycle is not None and self.cycle.response_started
        if self.transport.is_closing():
            return
        if not answering or (self._awaited or ("",))[0] == "head":
            self.transport.write(_TIMED_OUT)
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # the client does not read either


def _closing(response: Response) -> bytes:
    """Return a response as it goes over a connection that is closed after it."""
    headers: dict[str, Any] = {**response.all_headers, "connection": "close"}
    lines = [f"HTTP/1.1 {response.status} Request Timeout"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + response.content


_TIMED_OUT: Final = _closing(problems.from_status(408).response())
