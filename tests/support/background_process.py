"""Servers that tests start: on a free port, with a log to read, stopped with all their children."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_STOP_SECONDS = 30


@dataclass(frozen=True)
class BackgroundProcess:
    """A process that runs, and the file that holds what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def check_alive(self) -> None:
        """Fail at once, with the end of the log, when the process has ended."""
        if self.process.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            code = self.process.returncode
            pytest.fail(f"{self.process.args!r} ended with {code}:\n{tail}", pytrace=False)


@contextlib.contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path | None = None
) -> Iterator[BackgroundProcess]:
    """Run a command while the block runs, in a folder where one is given."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield BackgroundProcess(process, log)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_STOP_SECONDS)


def free_port(address: str = "127.0.0.1") -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
