"""The quality of the verdicts in simulations with and without drift, and times."""

from collections.abc import Callable
from functools import reduce
from operator import add
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import accuracy_score, roc_auc_score

from functions.monitor.drift.compare import Findings, compare
from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import estimate_from_bins
from functions.monitor.performance.measure import concept_drift
from sklambda.arrays import FloatMatrix
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import to_json
from sklambda.sketch.sketcher import count_numbers
from tests.support import scoring
from tests.support.drifting import DRIFTS, MISSING, SIGNATURE, matrix, reference, sketch

RUNS: Final = {50: 1000, 100: 1000, 200: 1000, 500: 1000, 1000: 500, 5000: 200}
"""By the rows of a window how many are simulated."""

CONCEPT_RUNS: Final = 2000
ROWS: Final = 1_000_000
PARTS: Final = 100

type Judge = Callable[[FloatMatrix], Findings]


def changed(findings: Findings) -> list[Verdict]:
    """Return the verdicts that are changes."""
    return [one for one in findings.features + findings.predictions if one.changed]


def verdicts(judge: Judge) -> Table:
    """Count false and true alarms, by the rows of a window."""
    table = Table("rows", "runs", "false flags a run", "recall of 8 drifts", "missing 2 to 25 %")
    for rows, runs in RUNS.items():
        still = [changed(judge(matrix(rows, 10_000 + run))) for run in range(runs)]
        moved = [changed(judge(matrix(rows, 50_000 + run, True))) for run in range(runs)]
        flags = sum(map(len, still)) / runs
        recall = sum(_found(one) for one in moved) / runs / len(DRIFTS)
        missing = sum(_missing(one) for one in moved) / runs
        table.add_row(str(rows), str(runs), f"{flags:.3f}", f"{recall:.3f}", f"{missing:.3f}")
    return table


def _found(flagged: list[Verdict]) -> int:
    return len({one.name for one in flagged if one.check == "distribution"} & DRIFTS)


def _missing(flagged: list[Verdict]) -> bool:
    return any(one.name == MISSING and one.check == "missing" for one in flagged)


def outliers(judge: Judge, runs: int = 200) -> Table:
    """Count the alarms of one outlier, alone and with a shift of one standard deviation."""
    alarms = hidden = 0
    for run in range(runs):
        X = matrix(500, 90_000 + run)
        X[0, 0] = 1e12
        alarms += any(one.name == "n00" for one in changed(judge(X)))
        X[1:, 0] += 1
        hidden += all(one.name != "n00" for one in changed(judge(X)))
    table = Table("one wild outlier, 500 rows", "of runs")
    table.add_row("raises an alarm", f"{alarms}/{runs}")
    table.add_row("hides a shift of one sigma", f"{hidden}/{runs}")
    return table


def estimates(rows: int = 100_000) -> Table:
    """Compare estimated with realised performance under covariate shift."""
    base = scoring.base(rows=40_000)
    column, calibrator = base.scores["yes"], base.calibrators["yes"]
    table = Table("covariate shift", "AUC", "estimated", "of bins", "accuracy", "estimated")
    for moved in (0.0, 0.3, 0.7, -0.3, -0.7):
        window = scoring.draw(rows, 7, moved)
        whole = scoring.estimate_from_rows(window.scores, window.positive, calibrator)
        counts = count_numbers(column.ruler, window.scores)
        bins = estimate_from_bins(column, counts, 0.5, calibrator)
        figures = (
            roc_auc_score(window.true, window.scores),
            whole["roc_auc"].value,
            bins["roc_auc"].value,
            accuracy_score(window.true, window.positive),
            whole["accuracy"].value,
        )
        table.add_row(f"{moved:+.1f} sigma", *(f"{figure:.4f}" for figure in figures))
    return table


def concepts() -> Table:
    """Count alarms of concept drift, with it and without it."""
    calibrator = scoring.base().calibrators["yes"]
    table = Table("labels", "runs", "power", "false alarms", "under covariate shift")
    for rows in (100, 200, 400):
        shares = []
        for moved, reversed_ in ((0.0, 0.6), (0.0, 0.0), (0.8, 0.0)):
            windows = (
                scoring.draw(rows, 10_000 + run, moved, reversed_) for run in range(CONCEPT_RUNS)
            )
            alarms = sum(
                concept_drift(calibrator(one.scores), one.positive, one.true, calibrator.rows).alarm
                for one in windows
            )
            shares.append(f"{alarms / CONCEPT_RUNS:.3f}")
        table.add_row(str(rows), str(CONCEPT_RUNS), *shares)
    return table


def sketches(base: Baseline) -> Table:
    """Time a million rows, and compare a hundred parts with one pass."""
    X = matrix(ROWS, 3)
    started = perf_counter()
    parts = [sketch(base, part) for part in np.array_split(X, PARTS)]
    counted = perf_counter()
    merged = reduce(add, parts)
    added = perf_counter()
    compare(SIGNATURE, base, merged)
    judged = perf_counter()
    apart = _apart(base, X, merged.features["n05"].gaps)
    table = Table(f"{ROWS:,} rows of {X.shape[1]} columns", "")
    table.add_row("sketched in parts", f"{counted - started:.1f} s")
    table.add_row(f"{PARTS} parts added", f"{added - counted:.2f} s")
    table.add_row("judged", f"{judged - added:.2f} s")
    table.add_row("sums of parts and of one pass, relative", f"{apart:.1e}")
    table.add_row("JSON of a sketch", f"{len(merged.json()) / 1000:.0f} kB")
    table.add_row("JSON of the baseline", f"{len(to_json(base)) / 1000:.0f} kB")
    table.add_row("greatest memory", f"{getrusage(RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    return table


def _apart(base: Baseline, X: FloatMatrix, gaps: tuple[float, ...]) -> float:
    column = count_numbers(base.features["n05"].ruler, X[:, 5].copy())
    whole = np.array(column.gaps)
    return float((np.abs(whole - gaps) / np.maximum(whole, 1e-300)).max())


def main() -> None:
    """Print all tables."""
    console, base = Console(), reference()

    def judge(X: FloatMatrix) -> Findings:
        return compare(SIGNATURE, base, sketch(base, X))

    console.print(sketches(base))
    console.print(concepts())
    console.print(estimates())
    console.print(outliers(judge))
    console.print(verdicts(judge))


if __name__ == "__main__":
    main()
