"""The service put together with what watches it, and the lines that it writes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from functions.predict.assembly import Surroundings, assemble
from functions.predict.settings import Settings
from sklambda.telemetry import Log


def _nobody() -> Any:
    raise AssertionError("no client is needed")


@dataclass
class Observed:
    """A service, its client, and what it has written."""

    client: TestClient
    written: list[bytes]
    log: StringIO = field(default_factory=StringIO)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Give the lines of one kind."""
        return [line for line in map(json.loads, self.written) if line.get("kind") == kind]

    def logged(self) -> list[dict[str, Any]]:
        """Give what stands in the log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def observe(package: Path, connect: Callable[[], Any] = _nobody, **settings: Any) -> Observed:
    """Put the service together around a package."""
    whole = Settings(package, max_rows=2000, max_bytes=5_000_000, log_level="INFO", **settings)
    written: list[bytes] = []
    log = StringIO()
    around = Surroundings(Log(f"test {id(written)}", whole.log_level, log), written.append, connect)
    return Observed(TestClient(assemble(whole, around).app), written, log)
