"""The prediction service as a local process: ``python -m functions.predict``."""

import errno
import json
import os
import shlex
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from sklambda.errors import PackageRefused, SettingsInvalid, SklambdaError

_HOST = "127.0.0.1"
_LAST_PORT = 65535
_BACKLOG = 2048  # uvicorn's own


class _CannotListen(Exception):
    """An address that cannot be listened on."""


class _Server(uvicorn.Server):
    """A server that prints its address and an example request once it listens."""

    def __init__(self, config: uvicorn.Config, example: object) -> None:
        super().__init__(config)
        self._example = example

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            port = sockets[0].getsockname()[1]
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            address = f"http://{host}:{port}"
            body = shlex.quote(json.dumps({"instances": [self._example]}, ensure_ascii=False))
            print(f"\nServing at {address} (Ctrl+C stops it). Try:\n")
            print(f"curl {address}/predict -H 'content-type: application/json' -d {body}\n")


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


def main(arguments: Sequence[str] | None = None, prog: str = "python -m functions.predict") -> None:
    """Serve a model package over HTTP until interrupted."""
    parser = ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument(
        "package", nargs="?", metavar="PACKAGE", help="the model package (default: MODEL_DIR)"
    )
    parser.add_argument("--host", default=_HOST, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (%(default)s)")
    options = parser.parse_args(arguments)
    if options.package is not None:
        os.environ["MODEL_DIR"] = options.package  # the handler reads it, as in Lambda
    try:
        from functions.predict.handler import app, service
    except PackageRefused as error:
        if options.package is None:
            sys.exit(f"{error}. Set MODEL_DIR to a package; `make up` trains one.")
        parser.exit(2, f"{error}; `sklambda train` writes a package.\n")
    except SettingsInvalid as error:
        parser.exit(2, f"{error}. It is a variable of the environment; see docs/settings.md.\n")
    except SklambdaError as error:
        sys.exit(f"{error}.")
    try:
        listening = _listen(options.host, options.port)
    except _CannotListen as error:
        parser.exit(2, f"{error}\n")
    config = uvicorn.Config(app, options.host, options.port, log_level="warning", lifespan="off")
    with suppress(KeyboardInterrupt):  # uvicorn has shut down in order by then
        _Server(config, service.model.signature.example).run(sockets=[listening])


if __name__ == "__main__":
    main()
