"""Rows judged beside as many, by Evidently and in its mode; each in a process of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from rich.console import Console

from tests.conftest import REPOSITORY
from tests.integration.test_against_evidently import PYTHON, SCRIPT, Table, write
from tests.support.drifting import SIGNATURE, matrix

ROWS: Final = 100_000
ROUNDS: Final = 3
OURS: Final = """
import json, sys
from pathlib import Path
import numpy as np
from tests.support.evidently import evidently
for name in sys.argv[1:]:
    folder = Path(name)
    kinds = json.loads((folder / "kinds.json").read_text())
    with np.load(folder / "reference.npz") as then, np.load(folder / "current.npz") as now:
        found = {name: evidently(then[name], now[name], kinds[name]) for name in kinds}
    verdicts = {name: [one.method, one.score, one.drifted] for name, one in found.items()}
    (folder / "ours.json").write_text(json.dumps(verdicts, default=float))
"""
_WATCHED: Final = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as status:  # what getrusage says is at least that of the parent
    [peak] = [line.split()[1] for line in status if line.startswith("VmHWM")]
print(used.ru_utime + used.ru_stime, peak)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process took: wall and CPU seconds, and peak memory."""

    wall: float
    cpu: float
    megabytes: float


def main() -> None:
    """Print the table of docs/benchmarks.md."""
    console = Console(width=100)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "tables", _table(1, False), _table(2, True))
        (folder / "ours.py").write_text(OURS)
        rounds = [
            (
                _run(PYTHON, SCRIPT, folder / "tables"),
                _run(Path(sys.executable), folder / "ours.py", folder / "tables"),
            )
            for _ in range(ROUNDS)
        ]
    theirs, ours = zip(*rounds, strict=True)
    console.print(
        f"\n| {ROWS:,} x {len(SIGNATURE.names)} rows | wall | CPU | peak |\n|---|---|---|---|"
    )
    for title, found in (("Evidently 0.7.23", theirs), ("in its mode", ours)):
        console.print(f"| {title} | {_line(found)} |")
    ratios = [_median(theirs, part) / _median(ours, part) for part in Measured.__slots__]
    console.print("| ratio | " + " | ".join(f"{ratio:.1f}" for ratio in ratios) + " |")


def _table(seed: int, drifted: bool) -> Table:
    return dict(zip(SIGNATURE.names, matrix(ROWS, seed, drifted).T, strict=True))


def _run(python: Path, script: Path, folder: Path) -> Measured:
    started = perf_counter()
    run = subprocess.run(
        [python, "-c", _WATCHED, script, folder],
        check=True,
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    wall = perf_counter() - started
    cpu, peak = run.stdout.split()[-2:]
    return Measured(wall, float(cpu), float(peak) / 1024)


def _median(found: Sequence[Measured], part: str) -> float:
    return float(median(getattr(each, part) for each in found))


def _line(found: Sequence[Measured]) -> str:
    wall, cpu, peak = (_median(found, part) for part in Measured.__slots__)
    return f"{wall:.1f} s | {cpu:.1f} s | {peak:.0f} MB"


if __name__ == "__main__":
    main()
