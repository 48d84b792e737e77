"""How long a million captured predictions take to be counted and judged, and how much memory."""

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Final

from rich.console import Console
from rich.table import Table

from functions.monitor.judge import judge
from sklambda.arrays import FloatMatrix
from sklambda.policy.watching import Watching
from sklambda.signature import Signature
from sklambda.storage import Directory, hour_folder
from tests.support import capturing, drifting
from training.baseline.monitoring_files import HeldOut, baseline

ROWS: Final = 1_000_000
OBJECTS: Final = 40
HOURS: Final = 4
COLUMNS: Final = (*range(6, 20), *range(20, 26))
"""14 numbers, of one of which 2 % are missing, and 6 categories."""

SIGNATURE: Final = Signature(
    features=tuple(drifting.SIGNATURE.features[place] for place in COLUMNS),
    target=drifting.SIGNATURE.target,
)
_HEADING: Final = {
    "kind": "capture",
    "time": "2026-11-22T10:15:30.123+00:00",
    "request_id": "c6af9ac6-6e0f-4b0a-a6c7-5a3e7f6e2a10",
    "model": capturing.MODEL,
    "role": "champion",
    "mode": "raw",
}


def deliver(folder: Path, together: int, doubled: bool) -> None:
    """Write the captures, with so many records a line."""
    each = ROWS // OBJECTS
    for place in range(OBJECTS):
        lines = b"".join(_lines(drifting.matrix(each, place), place * each, together))
        at = hour_folder(capturing.NOON - timedelta(hours=1 + place % HOURS))
        path = folder / "captures" / at / f"{place}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = gzip.compress(lines, 6)
        path.write_bytes(content)
        if doubled:
            path.with_name(f"{place}-again.gz").write_bytes(content)


def _lines(X: FloatMatrix, start: int, together: int) -> Iterator[bytes]:
    scores, labels = drifting.answers(X)
    records = [
        {
            "prediction_id": f"{_HEADING['request_id']}-{start + place}",
            "features": row,
            "scores": score,
            "label": SIGNATURE.target.classes[label],
            "warnings": [],
        }
        for place, (row, score, label) in enumerate(
            zip(
                capturing.rows(X[:, COLUMNS], SIGNATURE),
                scores.tolist(),
                labels[:, 0].tolist(),
                strict=True,
            )
        )
    ]
    for first in range(0, len(records), together):
        yield json.dumps(_HEADING | {"records": records[first : first + together]}).encode() + b"\n"


def measure(folder: Path) -> tuple[float, float, float, float, int, str]:
    """Judge twice.

    Gives the seconds of each run and of the processor, the greatest memory in MB, rows and state.
    """
    X = drifting.matrix(20_000, 99)
    scores, labels = drifting.answers(X)
    base = baseline(SIGNATURE, X[:, COLUMNS], HeldOut(scores, labels, labels))
    package, watching = capturing.package(SIGNATURE), Watching(groups=("c2",))
    seconds, busy = [], process_time()
    for _ in range(2):
        started = perf_counter()
        now = capturing.NOON
        results = judge(Directory(folder), package, base, watching, now, now)
        seconds.append(perf_counter() - started)
    busy = process_time() - busy
    memory = getrusage(RUSAGE_SELF).ru_maxrss / 1e3
    return seconds[0], seconds[1], busy, memory, results.window.rows, results.state


def main() -> None:
    """Print the table."""
    table = Table(
        f"{ROWS:,} captured predictions", "judged", "again", "processor", "memory", "rows", "state"
    )
    cases = {"one a line": (1, False), "250 a line": (250, False), "each twice": (1, True)}
    for name, (together, doubled) in cases.items():
        with TemporaryDirectory() as folder, get_context("spawn").Pool(1) as pool:
            deliver(Path(folder), together, doubled)
            first, second, busy, memory, rows, state = pool.apply(measure, (Path(folder),))
        cells = (
            f"{first:.1f} s",
            f"{second:.1f} s",
            f"{busy:.1f} s",
            f"{memory:.0f} MB",
            f"{rows:,}",
            state,
        )
        table.add_row(name, *cells)
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
