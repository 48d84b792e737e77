"""One service of 1, 5 and 20 models: its start, its memory, and a prediction (Linux)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from threadpoolctl import threadpool_limits

from sklambda.package import ModelPackage
from tests.benchmark.processes import memory, processor_seconds
from tests.conftest import MODELS, REPOSITORY
from tests.support.packages import forge
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate
from training.exporter import export

COUNTS: Final = (1, 5, 20)
ROUNDS: Final = 7
CALLS: Final = 300
_DEFAULT: Final = "churn-1"

_SERVE: Final = f"""
import json, sys, time
started = time.perf_counter()
from functions.predict.handler import handler, registry
print(time.perf_counter() - started, flush=True)
for line in sys.stdin:
    if line == "explainers\\n":
        registry.load_explainers()
        print(0, flush=True)
        continue
    event, started = json.loads(line), time.process_time()
    for _ in range({CALLS}):
        result = handler(event, None)
    print((time.process_time() - started) / {CALLS}, flush=True)
    assert result["statusCode"] == 200, result
"""


@dataclass(frozen=True)
class Measured:
    """One process.

    Attributes
    ----------
    start, computed : float
        Seconds from the first import to a handler that is ready; seconds of the processor.
    held, explaining : int
        Bytes that it holds then, and with the explainers of all models.
    default, last : float
        Seconds of the processor for a prediction of the default model, and of the one that is
        named last.
    """

    start: float
    computed: float
    held: int
    explaining: int
    default: float
    last: float


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(limits=1):
        for model in MODELS:
            _print(console, model, _measure(model, Path(folder, model)))


def _measure(model: str, folder: Path) -> dict[int, list[Measured]]:
    folders = {count: folder / str(count) for count in COUNTS}
    _write(model, folder / "whole", folders)
    found: dict[int, list[Measured]] = {count: [] for count in COUNTS}
    for turn in range(ROUNDS + 1):
        for count in COUNTS:
            measured = _measured(folders[count], f"churn-{count}")
            if turn:  # the first one warms the machine's file cache
                found[count].append(measured)
    return found


def _write(model: str, whole: Path, folders: dict[int, Path]) -> None:
    """Write the same package under as many names as a folder has models."""
    table = generate(rows=2000, seed=1)
    frame, target = table.drop(columns=["customerID", "Churn"]), table["Churn"]
    pipeline = build(model=model).fit(frame, target)
    package = export(pipeline, frame, out=whole, name="churn", target="Churn")
    for count, folder in folders.items():
        for number in range(1, count + 1):
            forge(package, folder / f"churn-{number}", name=f"churn-{number}")


def _measured(folder: Path, last: str) -> Measured:
    with _process(folder) as process:
        start = _ask(process)
        computed, held = processor_seconds(process.pid), memory(process.pid)
        default, other = (_ask(process, json.dumps(event)) for event in _events(folder, last))
        _ask(process, "explainers")
        return Measured(start, computed, held, memory(process.pid), default, other)


@contextmanager
def _process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with_byte_code = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    settings = {"MODELS_DIR": str(folder), "DEFAULT_MODEL": _DEFAULT, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVE],
        cwd=REPOSITORY,
        env=with_byte_code | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(process: subprocess.Popen[str], line: str | None = None) -> float:
    """Send a line, if any, and read the seconds that are answered."""
    assert process.stdin is not None
    assert process.stdout is not None
    if line is not None:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    return float(process.stdout.readline())


def _events(folder: Path, last: str) -> list[dict[str, Any]]:
    """Return a request to the default model, and one that names a model."""
    event: dict[str, Any] = json.loads((REPOSITORY / "events/predict.json").read_text())
    row = ModelPackage.open(folder / _DEFAULT).signature.example
    event |= {"body": json.dumps({"instances": [row]}), "isBase64Encoded": False}
    path = f"models/{last}/predict"
    return [event, event | {"path": f"/{path}", "pathParameters": {"proxy": path}}]


def _print(console: Console, title: str, found: dict[int, list[Measured]]) -> None:
    console.print(f"\n| {title} | start | processor | memory | with explainers | default | last |")
    console.print("|---|---|---|---|---|---|---|")
    for count, measured in found.items():
        start, computed, held, explaining, default, last = (
            median(getattr(each, name) for each in measured)
            for name in ("start", "computed", "held", "explaining", "default", "last")
        )
        console.print(
            f"| {count} {'models' if count > 1 else 'model'} | {start:.2f} s | {computed:.2f} s "
            f"| {held / 1e6:.1f} MB | {explaining / 1e6:.1f} MB "
            f"| {default * 1e6:.0f} µs | {last * 1e6:.0f} µs |"
        )


if __name__ == "__main__":
    main()
