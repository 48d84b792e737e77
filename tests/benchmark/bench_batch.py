"""A file scored on one core, beside pandas and scikit-learn; each in a process of its own."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter
from typing import Final

import duckdb
from rich.console import Console
from threadpoolctl import threadpool_limits

from tests.benchmark import wide_table
from tests.benchmark.batch_shares import shares
from tests.conftest import REPOSITORY
from training.exporter import export

ROWS: Final = 1_000_000
TIMES: Final = 6
"""Repetitions of the rows in the large file, which makes 1 GB."""
ROUNDS: Final = 3
PEER: Final = """
import pickle, sys
import pandas as pd
with open(sys.argv[1], "rb") as file:
    pipeline = pickle.load(file)
rows = pd.read_csv(sys.argv[2])
scores = pipeline.predict_proba(rows)
rows["label"] = pipeline.classes_[scores.argmax(axis=1)]
rows["score"] = scores[:, 1]
for place, name in enumerate(pipeline.classes_):
    rows[f"probability_{name}"] = scores[:, place]
rows["warnings"] = ""
rows.to_csv(sys.argv[3], index=False)
"""
OURS: Final = "from functions.batch.__main__ import main; main()"
PEAK: Final = """
with open("/proc/self/status") as status:  # what getrusage says is at least that of the parent
    print(*(line.split()[1] for line in status if line.startswith("VmHWM")))
"""
_PEER: Final = "pandas, CSV to CSV"


@dataclass(frozen=True, slots=True)
class Measured:
    """Resources of a process from start to end: wall and CPU seconds, and peak memory."""

    wall: float
    cpu: float
    megabytes: float


def main() -> None:
    """Print the tables of docs/benchmarks.md."""
    console = Console(width=120)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name, threadpool_limits(limits=1):
        folder = Path(name)
        _write_files(folder)
        console.print(f"\n| {ROWS:,} rows, one core | wall | CPU | rows per CPU s | ratio | peak |")
        console.print("|---|---|---|---|---|---|")
        for model in wide_table.MODELS:
            _train(model, folder)
            _print_ratios(console, model, _rounds(folder))
            printed = ", ".join(
                f"{part} {share:.0%}"
                for part, share in shares(folder / "package", folder / "rows.csv").items()
            )
            console.print(f"CSV to CSV: {printed}")
        peak = _ours(folder, "large.csv").megabytes
        console.print(
            f"\n{(folder / 'large.csv').stat().st_size / 1e9:.2f} GB of CSV: {peak:.0f} MB"
        )


def _write_files(folder: Path) -> None:
    wide_table.write_csv(folder / "rows.csv", ROWS)
    wide_table.write_csv(folder / "large.csv", ROWS, TIMES)
    table, path = folder / "rows.csv", folder / "rows.parquet"
    duckdb.sql(f"COPY (FROM '{table}') TO '{path}' (COMPRESSION zstd)")


def _train(model: str, folder: Path) -> None:
    learnt = wide_table.generate(20_000, seed=2)
    pipeline = wide_table.fit(model, learnt)
    (folder / "pipeline").write_bytes(pickle.dumps(pipeline))
    features = learnt.drop(columns=wide_table.ROW_ID)
    export(pipeline, features, out=folder / "package", name="wide", target="bought")


def _rounds(folder: Path) -> dict[str, list[Measured]]:
    """Take turns, so that a machine that slows down slows all alike."""
    found: dict[str, list[Measured]] = defaultdict(list)
    for _ in range(ROUNDS):
        found[_PEER].append(_run(folder, PEER, "pipeline", "rows.csv", "peer.csv"))
        for name, file in (("CSV to CSV", "rows.csv"), ("Parquet to Parquet", "rows.parquet")):
            found[name].append(_ours(folder, file))
    return found


def _ours(folder: Path, file: str) -> Measured:
    with tempfile.TemporaryDirectory(dir=folder) as out:
        return _run(folder, OURS, file, "--out", out, "--model", "package")


def _run(folder: Path, script: str, *arguments: str) -> Measured:
    """Run a script in Python, on the core of this process."""
    paths = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'layers/shared'}"
    command = [sys.executable, "-W", "ignore", "-c", script + PEAK, *arguments]
    # Byte code is inherited, as an installed program has it.
    inherited = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = inherited | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    before, started = getrusage(RUSAGE_CHILDREN), perf_counter()
    run = subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
    wall, after = perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall, cpu, int(run.stdout.split()[-1]) / 1024)


def _print_ratios(console: Console, model: str, found: dict[str, list[Measured]]) -> None:
    peer = median(each.cpu for each in found[_PEER])
    for name, measured in found.items():
        wall, cpu = min(each.wall for each in measured), median(each.cpu for each in measured)
        peak = max(each.megabytes for each in measured)
        console.print(
            f"| {model}, {name} | {wall:.1f} s | {cpu:.1f} s | {ROWS / cpu:,.0f} | "
            f"{peer / cpu:.1f} | {peak:.0f} MB |"
        )


if __name__ == "__main__":
    main()
