"""A service that runs as a plain process."""

import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for


@contextmanager
def served(package: Path, log: Path) -> Iterator[int]:
    """Serve a package; returns the port."""
    port = free_port()
    command = [sys.executable, "-m", "functions.predict", "--port", str(port)]
    with running(command, os.environ | {"MODEL_DIR": str(package)}, log) as server:

        def answers() -> bool:
            server.check_alive()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping") as response:
                return bool(response.status == 200)

        wait_for(answers, 30, "the server")
        yield port
