"""A Lambda container started, to its first answer: this project, its past, and what none can avoid.

Needs a Docker engine, and git for the past.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console

from tests.support.background_process import free_port
from tests.support.lambda_containers import IMAGE, docker, require_image
from tests.support.sam_build import copy_sources, run_sam_build

STARTS: Final = 7
PAST: Final = "18ff7d8"
"""The project with one route, before it spoke all dialects."""

_REPOSITORY: Final = Path(__file__).parents[2]
_LIMITS: Final = ("--cpus", "1", "--memory", "1769m", "--memory-swap", "1769m",
                  "--read-only", "--tmpfs", "/tmp:exec,size=512m")  # fmt: skip
_SETTINGS: Final = ("METRICS_NAMESPACE=sklambda", "ORT_DISABLE_TELEMETRY=1")
"""As in the template, now and then."""
_SETTINGS_NOW: Final = (*_SETTINGS, "OPENBLAS_NUM_THREADS=1")
_LAYERS: Final = ("RuntimeLayer", "SharedLayer")
_BARE: Final = """
import numpy, onnxruntime

def handler(event, context):
    return {"statusCode": 200}
"""
_PAUSE_SECONDS: Final = 0.002
_LONGEST_SECONDS: Final = 30


@dataclass(frozen=True)
class Subject:
    """A function as Lambda would mount it.

    Attributes
    ----------
    code, layers : Path
        What stands at ``/var/task`` and at ``/opt``.
    handler : str
        The handler's dotted name.
    event : bytes
        What it is asked first.
    settings : tuple of str
        Its environment.
    """

    code: Path
    layers: Path
    handler: str
    event: bytes
    settings: tuple[str, ...] = _SETTINGS

    def seconds(self) -> float:
        """Start a container; give the time from its first process to the answer."""
        port = free_port()
        with self._created(port) as container:
            docker("start", container)
            _ask(port, self.event)
            answered = time.time()
            started = docker("inspect", "--format", "{{.State.StartedAt}}", container)
            return answered - datetime.fromisoformat(started).timestamp()

    @contextlib.contextmanager
    def _created(self, port: int) -> Iterator[str]:
        container = docker(
            "create", *_LIMITS,
            "--publish", f"127.0.0.1:{port}:8080",
            "--volume", f"{self.code}:/var/task:ro",
            "--volume", f"{self.layers}:/opt:ro",
            *(part for setting in self.settings for part in ("--env", setting)),
            IMAGE, self.handler,
        )  # fmt: skip
        try:
            yield container
        finally:
            docker("rm", "--force", "--volumes", container)


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    require_image()
    with tempfile.TemporaryDirectory() as folder:
        times = _times(_subjects(Path(folder)))
    _print(Console(width=100), times)


def _subjects(folder: Path) -> dict[str, Subject]:
    now, past = folder / "now", folder / "past"
    copy_sources(now, "functions", "layers", "training", "events")
    _check_out(PAST, past)
    here = _built(now)
    bare = folder / "bare"
    bare.mkdir()
    (bare / "bare.py").write_text(_BARE)
    return {
        "`import numpy, onnxruntime`, nothing else": Subject(
            bare, here.layers, "bare.handler", b"{}"
        ),
        "this project, one prediction": replace(here, settings=_SETTINGS_NOW),
        f"the same at {PAST}": _built(past),
    }


def _check_out(commit: str, folder: Path) -> None:
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    command = ["git", "archive", "--output", str(archive), commit]
    subprocess.run(command, cwd=_REPOSITORY, check=True)
    shutil.unpack_archive(archive, folder, filter="data")


def _built(project: Path) -> Subject:
    """Train the example and build the application, each with the code that is in `project`."""
    package = project / "package"
    subprocess.run(
        [sys.executable, "-m", "training", "run", "training/examples/churn/train.toml",
         "--out", str(package)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": f"{project}:{project / 'layers/shared'}"},
        stdout=subprocess.DEVNULL,
        check=True,
    )  # fmt: skip
    output = run_sam_build(project, "Predict").output
    layers = project / "opt"
    for layer in _LAYERS:
        shutil.copytree(output / layer, layers, dirs_exist_ok=True)
    package.rename(layers / "package")
    event = (project / "events/predict.json").read_bytes()
    return Subject(output / "Predict", layers, "functions.predict.handler.handler", event)


def _ask(port: int, event: bytes) -> None:
    """Ask until the container listens; its first answer must be a good one."""
    address = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    end = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, event, timeout=_LONGEST_SECONDS) as answer:
                body: dict[str, Any] = json.load(answer)
        except OSError:
            time.sleep(_PAUSE_SECONDS)
            continue
        if body.get("statusCode") != 200:
            raise RuntimeError(f"the first answer was {body}")
        return
    raise RuntimeError("the container did not answer")


def _times(subjects: Mapping[str, Subject]) -> dict[str, list[float]]:
    """Start each in turn; the first turn only warms the machine's file cache."""
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(STARTS + 1):
        for name, subject in subjects.items():
            seconds = subject.seconds()
            if turn:
                times[name].append(seconds)
    return times


def _print(console: Console, times: Mapping[str, list[float]]) -> None:
    console.print("\n| container start to first answer | median | least | to bare | to the past |")
    console.print("|---|---|---|---|---|")
    bare, *_, past = (median(values) for values in times.values())
    for name, values in times.items():
        middle = median(values)
        ratios = f"{middle / bare:.2f} | {middle / past:.2f}"
        console.print(f"| {name} | {middle:.3f} s | {min(values):.3f} s | {ratios} |")


if __name__ == "__main__":
    main()
