"""The whole service with its listeners, and the lines that it writes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from functions.predict.assembly import Dependencies, assemble
from functions.predict.settings import Settings
from sklambda.telemetry import Log


def _no_client() -> Any:
    raise AssertionError("no client is needed")


@dataclass
class Observed:
    """A service, its client, and the lines that it has written."""

    client: TestClient
    written: list[bytes]
    log: StringIO = field(default_factory=StringIO)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of one kind."""
        return [line for line in map(json.loads, self.written) if line.get("kind") == kind]

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines of the log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def observe(package: Path, connect: Callable[[], Any] = _no_client, **settings: Any) -> Observed:
    """Assemble the service around a package."""
    whole = Settings(package, max_rows=2000, max_bytes=5_000_000, log_level="INFO", **settings)
    written: list[bytes] = []
    log = StringIO()
    lines = Log(f"test {id(written)}", whole.log_level, log)
    dependencies = Dependencies(lines, written.append, connect)
    return Observed(TestClient(assemble(whole, dependencies).app), written, log)
