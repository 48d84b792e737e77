"""The prediction service as a local process: ``python -m functions.predict``.

Its server is uvicorn with limits on how long clients and work may take.
"""

import asyncio
import errno
import json
import os
import shlex
import signal
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
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
from functions.predict.packages import holds_packages, package_in
from functions.predict.registry import Registry
from functions.predict.service import received
from sklambda.errors import PackageRefused, SettingsInvalid, SklambdaError

_THREADS: Final = 4
"""Requests at work beside the one that is explained; the model and the codec release the GIL."""

_LEAVING: Final = 0.25
"""Seconds in which requests whose connections were aborted end by themselves."""

_EXPLANATIONS: Final = (b"contributions", b"explanation", b'"base"')
"""A body with one of these may request explanations by the Open Inference Protocol."""
_HOST = "127.0.0.1"
_LAST_PORT = 65535
_BACKLOG = 2048  # uvicorn's own


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


class Server(uvicorn.Server):
    """A server that prints its address and an example request once it listens."""

    def __init__(
        self, workers: Workers, host: str, port: int, timeouts: Timeouts, registry: Registry
    ):
        super().__init__(_Config(workers, host, port, timeouts))
        self.workers, self._registry = workers, registry

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and print how to ask."""
        await super().startup(sockets)
        if self.started and sockets:
            port = sockets[0].getsockname()[1]
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            address = f"http://{host}:{port}"
            example = {"instances": [self._registry.default.model.signature.example]}
            body = shlex.quote(json.dumps(example, ensure_ascii=False))
            default, *others = self._registry.names
            named = f" Models: {default} (the default one), {', '.join(others)}." if others else ""
            print(f"\nServing at {address} (Ctrl+C stops it).{named} Try:\n")
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


class _CannotListen(Exception):
    """An address that cannot be listened on."""


_WAITS = {
    "head": "how long a client may take for the request line and the headers",
    "body": "how long a client may take for the body",
    "idle": "how long a connection may stay without a request",
    "stop": "how long requests at work may take once the process is to end",
}


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = nan
    if not 0 < seconds < inf:
        raise ArgumentTypeError(f"must be a number of seconds above 0, got {text}")
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"must be a whole number from 0 to {_LAST_PORT}, got {text}")
    return int(text)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises `_CannotListen` with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _CannotListen(
                f"Cannot listen on port {port} of {host}: address already in use. Stop the process "
                "that uses it, or choose another port with --port."
            ) from None
        reason = str(error.strerror).partition(" (")[0].lower()
        raise _CannotListen(
            f"Cannot listen on port {port} of {host}: {reason}. Choose an address of this machine "
            "with --host, and a port above 1023 with --port."
        ) from None


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument(
        "package",
        nargs="?",
        metavar="PACKAGE",
        help="the model package, or a folder of packages by name (default: MODEL_DIR, MODELS_DIR)",
    )
    parser.add_argument(
        "--default-model",
        metavar="NAME",
        help="of several models, the one of requests that name none (default: DEFAULT_MODEL)",
    )
    parser.add_argument("--host", default=_HOST, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (%(default)s)")
    for name, wait in _WAITS.items():
        default = getattr(Timeouts(), name)
        text = f"{wait} (%(default)g)"
        parser.add_argument(
            f"--{name}-seconds", type=_seconds, default=default, metavar="S", help=text
        )
    return parser


def main(arguments: Sequence[str] | None = None, prog: str = "python -m functions.predict") -> None:
    """Serve a model package, or several, over HTTP until interrupted."""
    parser = _parser(prog)
    options = parser.parse_args(arguments)
    for name, value in _variables(options.package, options.default_model).items():
        os.environ[name] = value  # the handler reads it, as in Lambda
    try:
        from functions.predict.handler import app, registry

        registry.load_explainers()  # the folders may be replaced while the process serves
    except PackageRefused as error:
        if options.package is None:
            sys.exit(f"{error}. Set MODEL_DIR to a package; `make up` trains one.")
        parser.exit(2, f"{error}; `sklambda train` writes a package.\n")
    except SettingsInvalid as error:
        hint = "It is a variable of the environment; see docs/settings.md"
        if str(error).startswith("DEFAULT_MODEL"):
            hint = "Name it with --default-model"
        parser.exit(2, f"{error}. {hint}.\n")
    except SklambdaError as error:
        sys.exit(f"{error}.")
    try:
        listening = _listen(options.host, options.port)
    except _CannotListen as error:
        parser.exit(2, f"{error}\n")
    timeouts = Timeouts(**{name: getattr(options, f"{name}_seconds") for name in _WAITS})
    _run(Server(Workers(app), options.host, options.port, timeouts, registry), listening)


def _variables(package: str | None, default_model: str | None) -> dict[str, str]:
    """Return what the options are in the environment."""
    named = {} if default_model is None else {"DEFAULT_MODEL": default_model}
    if package is None:
        return named
    path = Path(package)
    if holds_packages(path):
        return {"MODELS_DIR": package} | named
    return {"MODEL_DIR": str(package_in(path)), "MODELS_DIR": ""} | named


def _run(server: Server, listening: socket.socket) -> None:
    # uvicorn shuts down in order, and then sends itself the signal that it got: SIGTERM as Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.run([listening])
    server.workers.drop()
    if server.workers.busy:
        sys.stdout.flush()
        os._exit(0)  # a thread cannot be ended, and the time of the request is over


if __name__ == "__main__":
    main()
