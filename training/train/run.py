"""A training run from its configuration to the model package."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from training.convert.graph.scope import Estimator
from training.data.findings import Finding
from training.errors import ConfigurationError, DataError, nearest
from training.exporter import RunMetadata, export, no_progress, require_watchable
from training.frames import kinds_of
from training.metrics import METRICS, SCORES, Evaluation, Plan, check_gates, measure
from training.package_writer import require_replaceable
from training.proof.reference import Reference
from training.targets import encode_outcomes, fitted_target
from training.train import data, pipelines
from training.train.config import Config, load
from training.train.data import Table
from training.train.look import look, require_none

type Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and the total; 0 is an unknown total."""
type Tell = Callable[[Sequence[Finding]], None]
"""Called with what is worth a look in the data, before anything is fitted."""


def no_findings(findings: Sequence[Finding]) -> None:
    """Ignore what is worth a look."""


@dataclass(frozen=True)
class Outcome:
    """The package that a run wrote, and what it read.

    Attributes
    ----------
    package : ModelPackage
        As it was read back.
    trained, held_out : int
        Numbers of rows.
    source : str
        How the rows were read.
    classes : mapping of str to int
        The rows of each class; empty for a regression.
    """

    package: ModelPackage
    trained: int
    held_out: int
    source: str
    classes: Mapping[str, int] = field(default_factory=dict)


def run(
    path: Path,
    *,
    source: str | Path | None,
    out: Path,
    overrides: Sequence[str] = (),
    strict: bool = False,
    progress: Progress = no_progress,
    tell: Tell = no_findings,
) -> Outcome:
    """Train, measure, convert, prove and write.

    Parameters
    ----------
    path
        The configuration.
    source
        A file, a folder, a pattern or an address of S3; None for the source that the configuration
        names.
    out
        The package's directory. It is written whole, or not at all.
    overrides
        ``key=value`` pairs that change the configuration.
    strict
        Whether anything that is worth a look stops the run.
    progress
        Called in each stage: read, fit, evaluate, convert, prove, write.
    tell
        Called with what is worth a look in the data, if there is something.

    Returns
    -------
    Outcome
        With the package as it was read back.

    Raises
    ------
    TrainingError
        One of its kinds; `out` is then as it was before.
    """
    config = load(path, overrides)
    pipeline = pipelines.build(config, path.parent)
    gates = config.gates.model_dump(exclude_none=True)
    _check_out(out)
    with _stage("read", progress):
        table, trained, held_out = _read(pipeline, config, path.parent, source)
        findings = look(trained, held_out, config.data)
    if strict:
        require_none(findings)
    tell(findings)
    with _stage("fit", progress):
        fit(pipeline, trained)
    with _stage("evaluate", progress):
        evaluation = _evaluate(pipeline, held_out, config)
    check_gates(evaluation.metrics, gates)
    metadata = RunMetadata(
        evaluation=evaluation,
        plan=_plan(config),
        gates=gates,
        data_digest=table.digest,
        code_digest=pipelines.digest(config, path.parent),
        row_id=table.row_id,
        kinds=table.kinds,
        read=config.data.read.kept,
    )
    package = _export(pipeline, trained, held_out, out, config, metadata, progress)
    rows = len(trained.features), len(held_out.features)
    return Outcome(package, *rows, table.description, _classes(table))


def _read(
    pipeline: Estimator, config: Config, folder: Path, source: str | Path | None
) -> tuple[Table, Table, Table]:
    """Return all rows, those of training and those held out, once they fit the configuration."""
    table = read_table(config, folder, source)
    pipelines.require_learning(pipeline, table.learning, config.data.target)
    _check_evaluation(config, table)
    require_watchable(config.monitor.watching, kinds_of(table.features, table.kinds))
    return table, *data.split(table, config.evaluation.test_size, config.seed)


def _check_evaluation(config: Config, table: Table) -> None:
    """Raise `ConfigurationError` for gates and a positive class that the target does not have."""
    scores = SCORES[table.learning]
    own = [name for name in config.gates.model_dump() if METRICS[name].scores & scores]
    wrong = [name for name in config.gates.model_dump(exclude_none=True) if name not in own]
    if wrong:
        raise ConfigurationError(
            f"`gates.{wrong[0]}` is no metric of a {table.learning}: those are {', '.join(own)}"
        )
    positive = config.evaluation.positive
    classes = _classes(table)
    if positive is not None and str(positive) not in classes:
        raise ConfigurationError(
            f"`evaluation.positive` must be a class of the target: {', '.join(classes) or 'none'}, "
            f"got {positive!r}{nearest(str(positive), classes)}"
        )


def _classes(table: Table) -> dict[str, int]:
    if table.learning == "regression":
        return {}
    return {str(label): int(count) for label, count in table.target.value_counts().items()}


def _check_out(out: Path) -> None:
    try:
        require_replaceable(out)
    except PackageRefused as error:
        raise ConfigurationError(f"--out: {error}") from error


def read_table(config: Config, folder: Path, source: str | Path | None) -> Table:
    """Return the rows of `source`, else those that the configuration in `folder` names.

    Raises
    ------
    ConfigurationError
        There is no source.
    DataError
        It cannot be read, or does not fit the configuration.
    """
    settings = config.data
    if source is not None:
        return data.read(source, settings)
    if settings.path is not None:
        return data.read(settings.path, settings, folder)
    if settings.query is not None:
        return data.from_query(settings.query, settings, folder)
    if settings.load is not None:
        return data.from_rows("data.load", pipelines.load_rows(config, folder), settings)
    if settings.sample is not None:
        return data.from_frame(pipelines.sample(config, folder), settings)
    raise ConfigurationError(
        "no data source: pass --data, or set `data.path`, `data.query`, `data.load` or "
        "`data.sample`"
    )


def fit(pipeline: Estimator, trained: Table) -> None:
    """Fit the pipeline; raises `DataError` where scikit-learn cannot."""
    with _refusing("the pipeline cannot be fitted", trained):
        pipeline.fit(trained.features, trained.target)


def _evaluate(pipeline: Estimator, held_out: Table, config: Config) -> Evaluation:
    target = fitted_target(pipeline, config.data.target)
    with _refusing("the fitted pipeline cannot score the held-out rows", held_out):
        found = Reference(pipeline, pd.DataFrame, target).predict_frame(held_out.features)
    true = encode_outcomes(target, held_out.target.to_frame())
    metrics = measure(target, found.scores, found.labels, true, _plan(config))
    return Evaluation(metrics, target.scores)


def _plan(config: Config) -> Plan:
    settings = config.evaluation
    return Plan(settings.positive, settings.bootstrap, config.seed, settings.confidence)


def _export(
    pipeline: Estimator,
    trained: Table,
    held_out: Table,
    out: Path,
    config: Config,
    metadata: RunMetadata,
    progress: Progress,
) -> ModelPackage:
    target = config.data.target
    frame = trained.features.assign(**{target: trained.target})
    return export(
        pipeline,
        frame,
        out=out,
        name=config.name,
        target=target,
        held_out=(held_out.features, held_out.target),
        watching=config.monitor.watching,
        metadata=metadata,
        time_limit=config.proof.time_limit,
        progress=progress,
    )


@contextmanager
def _stage(stage: str, progress: Progress) -> Iterator[None]:
    progress(stage, 0, 0)
    yield
    progress(stage, 1, 1)


@contextmanager
def _refusing(what: str, table: Table) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{what}: {_without_values(str(error).partition('\n')[0], table)}"
        ) from error


def _without_values(message: str, table: Table) -> str:
    # scikit-learn quotes the cell that it cannot read; column names may stay.
    names = set(table.features.columns)
    return re.sub(r"'([^']*)'", lambda m: m[0] if m[1] in names else "'...'", message)
