"""The verdicts in Evidently's mode are Evidently's own, on every column of random tables."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from sklambda.arrays import FloatVector
from tests.conftest import REPOSITORY
from tests.support.drifting import SIGNATURE, matrix
from tests.support.evidently import SMALL, EvidentlyVerdict, Method, evidently

PYTHON = REPOSITORY / ".venv-evidently/bin/python3.13"
SCRIPT = Path(__file__).with_name("evidently_verdicts.py")
TABLES = 50
COLUMNS = 12
METHODS: dict[str, Method] = {
    "K-S p_value": "kolmogorov_smirnov",
    "chi-square p_value": "chi_square",
    "Z-test p_value": "z",
    "Wasserstein distance (normed)": "wasserstein",
    "Jensen-Shannon distance": "jensen_shannon",
}

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="run `make tools` for .venv-evidently")

type Table = dict[str, FloatVector]


def table(rows: int, seed: int, drifted: bool) -> Table:
    """Draw columns of many kinds, among them numbers with two to five values."""
    columns = dict(zip(SIGNATURE.names, matrix(rows, seed, drifted).T, strict=True))
    drawn = np.random.default_rng(seed)
    few = {f"n-few-{k}": drawn.integers(0, k, rows).astype(float) for k in (1, 2, 3, 5, 6)}
    moved = {"n-binary": (drawn.random(rows) < 0.3 + 0.05 * drifted).astype(float)}
    return columns | few | moved


def sides(number: int) -> tuple[Table, Table]:
    """Draw the reference and the current rows; half of the references are small."""
    drawn = np.random.default_rng(number)
    least, most = (50, SMALL + 1) if number % 2 else (SMALL, 4000)
    rows, now = int(drawn.integers(least, most)), int(drawn.integers(50, 4000))
    then, current = table(rows, 2 * number, False), table(now, 2 * number + 1, number % 4 > 1)
    names = drawn.choice(list(then), COLUMNS, replace=False)
    return {name: then[name] for name in names}, {name: current[name] for name in names}


def write(folder: Path, then: Table, now: Table) -> None:
    folder.mkdir()
    np.savez(folder / "reference.npz", **then)  # type: ignore[arg-type]
    np.savez(folder / "current.npz", **now)  # type: ignore[arg-type]
    kinds = {name: name.startswith("n") for name in then}
    (folder / "kinds.json").write_text(json.dumps(kinds))


def theirs(folders: list[Path]) -> list[dict[str, EvidentlyVerdict]]:
    """Let Evidently judge; all tables in one process, of which the start takes most."""
    subprocess.run([PYTHON, SCRIPT, *folders], check=True, capture_output=True, cwd=folders[0])
    return [
        {
            name: EvidentlyVerdict(METHODS[one["method"]], one["score"], one["drifted"])
            for name, one in json.loads((folder / "verdicts.json").read_text()).items()
        }
        for folder in folders
    ]


def ours(then: Table, now: Table) -> dict[str, EvidentlyVerdict]:
    return {name: evidently(then[name], now[name], name.startswith("n")) for name in then}


def furthest(one: Mapping[str, EvidentlyVerdict], other: Mapping[str, EvidentlyVerdict]) -> float:
    return max(abs(one[name].score - other[name].score) for name in one)


def test_every_verdict_is_evidentlys(tmp_path: Path) -> None:
    drawn = [sides(number) for number in range(TABLES)]
    folders = [tmp_path / str(number) for number in range(TABLES)]
    for folder, (then, now) in zip(folders, drawn, strict=True):
        write(folder, then, now)

    pairs = [(ours(*both), found) for both, found in zip(drawn, theirs(folders), strict=True)]

    calls = [
        {name: (verdict.method, verdict.drifted) for name, verdict in verdicts.items()}
        for pair in pairs
        for verdicts in pair
    ]
    assert calls[::2] == calls[1::2]
    assert max(furthest(*pair) for pair in pairs) < 1e-9
