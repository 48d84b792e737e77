"""Exports in little time, and how they end, for tests over many kinds of tables."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from tests.support import kinds
from tests.support.families import fitted
from tests.support.kinds import ClientRow, Table
from training.errors import TrainingError
from training.exporter import RunMetadata, export_job, publish
from training.proof.adversary import Budget

LEAST: Final = Budget(rows=600, spread=1, least_spread=1, quantiles=5, near_ties=60)
"""A budget for tests of something else than boundaries."""

type End = Literal["served", "refused", "dead"]


@dataclass(frozen=True)
class Ending:
    """How an export ended.

    Attributes
    ----------
    end : {"served", "refused", "dead"}
        A package that opens and replays; a sentence and no package; or a package that does not, or
        another error than training's.
    reason : str
        The sentence, or the error.
    """

    end: End
    reason: str = ""


def export_quickly(pipeline: Any, rows: Any, out: Path, targets: list[str] | None = None) -> Path:
    """Export with few rows at boundaries, in this process; raises what `training.export` does."""
    job = replace(export_job(pipeline, rows, targets or ()), budget=LEAST)
    return publish(job, out, "model", RunMetadata(), time_limit=None).path


def export_kind(kind: str, target: str, values: str, out: Path) -> tuple[Path, list[ClientRow]]:
    """Export a tree fitted to a kind of table; return the package, and rows of its features.

    They have values of a kind, or those of training; not all need be accepted.
    """
    table = kinds.table(kind, rows=60, target=target)
    path = export_quickly(fitted("tree", table), table.features, out, targets_of(table))
    rows = [*kinds.rows(values, table.features), *kinds.rows("as trained", table.features)]
    names = ModelPackage.open(path).signature.names
    return path, [{name: row[name] for name in names} for row in rows]


def ending(pipeline: Any, rows: Any, out: Path, targets: list[str] | None = None) -> Ending:
    """Export, open the package and replay it, as the service does."""
    try:
        path = export_quickly(pipeline, rows, out, targets)
    except TrainingError as refused:
        sentence = str(refused)
        whole = bool(sentence) and "\n" not in sentence and not out.exists()
        return Ending("refused" if whole else "dead", sentence)
    except Exception as error:  # what no export may end with
        return Ending("dead", f"{type(error).__name__}: {error}")
    try:
        mismatch = Predictor.open(path).replay()
    except Exception as error:  # what no opening may end with
        return Ending("dead", f"{type(error).__name__}: {error}")
    return Ending("served") if mismatch is None else Ending("dead", mismatch.name)


def targets_of(table: Table) -> list[str]:
    """Return the names of the targets of a table."""
    if isinstance(table.target, pd.DataFrame):
        return [*table.target.columns]
    return [] if table.target is None else [str(table.target.name)]
