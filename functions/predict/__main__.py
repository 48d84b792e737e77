"""The prediction service as a local process: ``python -m functions.predict``."""

import errno
import os
import signal
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from contextlib import suppress
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING

from functions.predict.packages import holds_packages, package_in
from functions.predict.server import Greeting, Server, Timeouts, Workers
from sklambda.errors import PackageRefused, SettingsInvalid, SklambdaError

if TYPE_CHECKING:
    from functions.predict.registry import Registry

_HOST = "127.0.0.1"
_LAST_PORT = 65535
_BACKLOG = 2048  # uvicorn's own


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
    _run(Server(Workers(app), options.host, options.port, timeouts, _greeting(registry)), listening)


def _variables(package: str | None, default_model: str | None) -> dict[str, str]:
    """Return what the options are in the environment."""
    named = {} if default_model is None else {"DEFAULT_MODEL": default_model}
    if package is None:
        return named
    path = Path(package)
    if holds_packages(path):
        return {"MODELS_DIR": package} | named
    return {"MODEL_DIR": str(package_in(path)), "MODELS_DIR": ""} | named


def _greeting(registry: "Registry") -> Greeting:
    """Return an example for the default model, and the names of several."""
    default, *others = registry.names
    named = f"Models: {default} (the default one), {', '.join(others)}." if others else ""
    return Greeting(registry.default.model.signature.example, named)


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
