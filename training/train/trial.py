"""A trial export: what would be refused of a pipeline, said in seconds and before its training.

A configuration's pipeline is fitted on a few hundred rows with few trees and iterations; a fitted
one is taken as it is. Both are converted, and compared with scikit-learn on a small choice of the
rows of the proof. Nothing is written.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sklambda.manifest import ParityReport
from sklambda.reading.rules import Reading
from sklambda.signature import Signature
from training.data import sources
from training.errors import ConfigurationError
from training.exporter import RunMetadata, export_job, no_progress
from training.proof.adversary import Budget
from training.proof.prove import convert_and_prove
from training.targets import require_names
from training.train import pipelines
from training.train.config import load
from training.train.data import Table
from training.train.run import fit, read_table

ROWS: Final = 500
"""The most rows that a pipeline is fitted on and compared with."""

_BUDGET: Final = Budget(rows=2_000, spread=2, least_spread=1, quantiles=9, near_ties=300)
_FEW: Final = 10
_LENGTHS: Final = ("n_estimators", "max_iter", "iterations", "n_iter")
"""Parameters that say how long training takes, and not what can be converted."""
_LONG: Final = 100
"""The least value of `max_iter` that is left alone: it is no number of trees."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial export that passed.

    Attributes
    ----------
    steps : tuple of str
        The classes of the pipeline's steps.
    rows : int
        The rows that were converted with, and compared.
    signature : Signature
        The signature that a package would have.
    parity : ParityReport
        The comparison with scikit-learn.
    """

    steps: tuple[str, ...]
    rows: int
    signature: Signature
    parity: ParityReport


def try_configuration(
    path: Path, source: str | Path | None = None, overrides: Sequence[str] = ()
) -> Trial:
    """Fit the pipeline of a configuration on few rows, and try to export it.

    Takes and raises what `training.train.run.run` does, but writes nothing.
    """
    config = load(path, overrides)
    pipeline = _shortened(pipelines.build(config, path.parent))
    table = _few(read_table(config, path.parent, source))
    pipelines.require_learning(pipeline, table.learning, config.data.target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of training that ends early
        fit(pipeline, table)
    run = RunMetadata(row_id=table.row_id, kinds=table.kinds)
    return try_export(pipeline, table.features, config.data.target, run)


def try_fitted(path: Path, source: str | Path | None, target: str | None = None) -> Trial:
    """Load a fitted pipeline that joblib or pickle wrote, and try to export it.

    Loading runs code of the file: load only files that you trust.

    Parameters
    ----------
    path : path
        The file.
    source : path or None
        A CSV file with rows that it was fitted on; they tell the kinds of the columns.
    target : str, optional
        The target's column, where the file has it.

    Raises
    ------
    ConfigurationError
        The file cannot be loaded, or there are no rows.
    TrainingError
        Whatever `training.export` would raise.
    """
    if source is None:
        raise ConfigurationError(
            f"{path.name} is a fitted pipeline: pass rows that it was fitted on as --data FILE.csv,"
            " which tell categories from numbers"
        )
    pipeline = _loaded(path)
    rows = sources.read(str(source), Reading(), wanted=[] if target is None else [target])
    return try_export(pipeline, rows.frame, target)


def try_export(
    pipeline: Any, frame: Any, target: str | None = None, metadata: RunMetadata | None = None
) -> Trial:
    """Convert a fitted pipeline and compare it on few rows; takes and raises what `export` does."""
    targets = require_names("trial", target)
    job = export_job(pipeline, frame, targets, metadata=metadata)
    few = job.frame.head(ROWS)
    proven = convert_and_prove(replace(job, frame=few, budget=_BUDGET), no_progress)
    steps = tuple(type(step).__name__ for _, step in getattr(pipeline, "steps", [("", pipeline)]))
    return Trial(steps, len(few), proven.signature, proven.parity)


def _loaded(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:  # whatever the code of the file raises
        reason = type(error).__name__
        if isinstance(error, ImportError):
            reason += f": {error}"
        raise ConfigurationError(
            f"{path} cannot be loaded as a fitted pipeline ({reason}): write it by joblib.dump or "
            "pickle, and make the modules of its classes importable here"
        ) from None


def _shortened(pipeline: Any) -> Any:
    """Return the pipeline with few trees: how many there are changes nothing that is refused."""
    long = {
        name: _FEW
        for name, value in pipeline.get_params().items()
        if (last := name.rpartition("__")[2]) in _LENGTHS
        and isinstance(value, int)
        and value > _FEW
        and (last != "max_iter" or value <= _LONG)
    }
    return pipeline.set_params(**long)


def _few(table: Table) -> Table:
    """Return at most about `ROWS` rows: the first of each class, and of each at least two."""
    target = table.target
    if table.learning == "regression":
        return replace(table, features=table.features.head(ROWS), target=target.head(ROWS))
    sizes = target.groupby(target).transform("size")
    share = min(1.0, ROWS / len(target))
    kept = target.groupby(target).cumcount() < np.maximum(2, sizes * share)
    return replace(table, features=table.features[kept], target=target[kept])
