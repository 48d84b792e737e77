"""The prediction service as a local process: ``python -m functions.predict``."""

import json
import os
import shlex
import socket
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from sklambda.errors import PackageRefused, SklambdaError

_HOST = "127.0.0.1"
_LAST_PORT = 65535


class _Server(uvicorn.Server):
    """A server that prints its address and an example request once it listens."""

    def __init__(self, config: uvicorn.Config, example: object) -> None:
        super().__init__(config)
        self._example = example

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            address = f"http://{self.config.host}:{self.config.port}"
            body = shlex.quote(json.dumps({"instances": [self._example]}, ensure_ascii=False))
            print(f"\nServing at {address} (Ctrl+C stops it). Try:\n")
            print(f"curl {address}/predict -H 'content-type: application/json' -d {body}\n")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"must be a whole number from 0 to {_LAST_PORT}, got {text}")
    return int(text)


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
    except SklambdaError as error:
        sys.exit(f"{error}.")
    config = uvicorn.Config(app, options.host, options.port, log_level="warning", lifespan="off")
    with suppress(KeyboardInterrupt):  # uvicorn has shut down in order by then
        _Server(config, service.model.signature.example).run()


if __name__ == "__main__":
    main()
