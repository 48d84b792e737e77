"""Export of a fitted pipeline to a model package, once its conversion is proven."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.reading.rules import Reading
from sklambda.signature import Kind
from training.arguments import (
    features_frame,
    fitted_names,
    held_out_frames,
    require_fitted,
    require_gates,
    require_kinds_by_name,
    require_pair,
    require_path,
    require_row_id,
    require_same_answers,
    require_time_limit,
    require_watching,
    require_width,
)
from training.baseline.rulers import GREATEST
from training.convert.families.native_boosters import adopted
from training.convert.graph.scope import Estimator
from training.errors import DataError, nearest
from training.frames import check_values, kinds_of
from training.metrics import Evaluation, Plan, check_gates
from training.networks import in_double_precision
from training.package_writer import Facts, require_replaceable, write
from training.proof.isolation import run_isolated
from training.proof.prove import ExportJob, Progress, ProvenModel, convert_and_prove
from training.tables import as_frame, digest
from training.targets import require_names
from training.unread import unread

type Rows = Any  # a form of `training.tables`
type Outcomes = pd.DataFrame | pd.Series[Any] | NDArray[Any] | Sequence[Any]

TIME_LIMIT: Final = 600.0
"""The default time limit of a conversion and its proof, in seconds."""

_LIBRARIES: Final = (
    "catboost",
    "category_encoders",
    "feature_engine",
    "imbalanced-learn",
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "scikit-learn",
    "scipy",
    "skrub",
    "xgboost",
    "xgboost-cpu",
)


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """The evaluation, the gates and the digests of a training run.

    Attributes
    ----------
    evaluation : Evaluation or None
        Metrics on held-out rows that were measured already. They are measured on the rows and
        outcomes of ``held_out`` where there are none, or where other scores are served.
    plan : Plan
        The plan of measuring.
    gates : mapping of str to float
        The least value of each metric that must be reached, or the greatest of a loss.
    data_digest, code_digest : str or None
        SHA-256 of the data, and of the code that made the pipeline.
    row_id : str or None
        A column of the source that clients may send along.
    kinds : mapping of str to str
        Kinds of features in place of those that the values of training have.
    read : Reading or None
        The rules by which CSV files of the model's rows are read.
    """

    evaluation: Evaluation | None = None
    plan: Plan = field(default_factory=Plan)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    read: Reading | None = None


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


def export(
    pipeline: Estimator,
    frame: Rows,
    *,
    out: Path | str,
    name: str,
    target: str | Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    row_id: str | None = None,
    held_out: tuple[Rows, Outcomes | None] | None = None,
    gates: Mapping[str, float] | None = None,
    watching: Watching | None = None,
    metadata: RunMetadata | None = None,
    time_limit: float | None = TIME_LIMIT,
    progress: Progress = no_progress,
) -> ModelPackage:
    """Convert a fitted pipeline, prove the conversion, and write a model package.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn classifier or regressor, or a pipeline that ends in one; or a trained
        ``lightgbm.Booster`` or ``xgboost.Booster``, whose own ``predict`` is the answer.
    frame : DataFrame, array, list of rows, or series or sequence of str
        Shape [N, K]: the rows that it was fitted on, unchanged, in a form of `training.tables`.
        They set the kinds, the categories, the ranges and the examples of the features. Columns
        without names are "x0", "x1" and so on, those that pandas numbers "0", "1". Texts alone, on
        which a pipeline that starts with a vectoriser is fitted, are the feature "text" unless they
        have a name.
    out : path
        Directory of the package; an older package there is replaced once this one is proven.
    name : str
        The model's name.
    target : str or sequence of str, optional
        The target's column, or those of several targets; `frame` may hold them.
    kinds : mapping of str to str, optional
        The kinds of features that clients send otherwise than the values of training tell:
        "number" for whole numbers that may later be 1.5, "integer" for booleans sent as 0 and 1.
    row_id : str, optional
        A column that identifies rows and that clients may send along; `frame` may hold it.
    held_out : tuple, optional
        Rows that it was not fitted on, and their outcomes: [M] for one target or value, [M, L] for
        several, None where they are unknown. The conversion is proven on them too. The baseline's
        scores, metrics, calibrators and balance are theirs, and a model of a regressor's errors is
        fitted; without them the scores are those of `frame`, and the rest is left out.
    gates : mapping of str to float, optional
        The least value of each metric that held-out rows must show, or the greatest of a loss.
    watching : Watching, optional
        What the monitor compares, stored in the baseline.
    metadata : RunMetadata, optional
        What a training run knows besides, for the manifest. By default the digest of the data is
        that of `frame`.
    time_limit : float or None, optional
        Seconds that the conversion and its proof may take, in a process of their own; None for no
        limit, in this process.
    progress : callable, optional
        Called with the stage ("convert", "prove", "write"), how much of it is done, and the total.

    Returns
    -------
    ModelPackage
        The written package, read back, with its golden rows replayed.

    Raises
    ------
    DataError
        An argument or a name cannot be used; `target` names another number of columns than are
        predicted; the frame has values that a client could not send; held-out rows or outcomes do
        not match it; or a group or segment of the monitor is not a category.
    ConversionRefused
        A step has no exact conversion, the graph's scores or labels differ from scikit-learn's, or
        the written package does not open or replay.
    TimeLimitExceeded
        A ConversionRefused: the time limit is exceeded.
    QualityGateFailed
        A metric misses its gate.
    sklambda.errors.PackageRefused
        `out` holds something other than a model package.
    """
    path, seconds = require_path(out), require_time_limit(time_limit)
    require_replaceable(path)
    targets = require_names(name, target, getattr(frame, "columns", ()))
    table, pair = as_frame(frame, fitted_names(pipeline)), require_pair(held_out)
    if metadata is not None and not isinstance(metadata, RunMetadata):
        raise DataError(f"metadata: must be a training.RunMetadata, got {type(metadata).__name__}")
    if not callable(progress):
        raise DataError(f"progress: must be callable, got {type(progress).__name__}")
    run = metadata or RunMetadata(data_digest=digest(table))
    measured = pair is not None and pair[1] is not None
    run = replace(
        run,
        kinds={**run.kinds, **require_kinds_by_name(kinds)},
        row_id=require_row_id(row_id) or run.row_id,
        gates={**run.gates, **require_gates(gates, measured)},
    )
    job = export_job(pipeline, frame, targets, pair, require_watching(watching), run)
    return publish(job, path, name, run, seconds, progress)


def export_job(
    pipeline: Estimator,
    frame: Rows,
    targets: Sequence[str] = (),
    held_out: tuple[Rows, Outcomes | None] | None = None,
    watching: Watching | None = None,
    metadata: RunMetadata | None = None,
) -> ExportJob:
    """Return the job of an export; takes and raises what `export` does of it."""
    pipeline = adopted(pipeline)
    run, watched = metadata or RunMetadata(), watching or Watching()
    table = as_frame(frame, fitted_names(pipeline))
    others = [*targets, *filter(None, [run.row_id])]
    network = in_double_precision(pipeline, table.drop(columns=others, errors="ignore"))
    pipeline = pipeline if network is None else network.pipeline
    require_fitted(pipeline)
    features = features_frame(pipeline, table, others)
    require_same_answers(pipeline, frame, features)
    # What the monitor compares, clients send, whether the pipeline reads it or not.
    compared = {*watched.groups, *watched.segments}
    left_out = [name for name in unread(pipeline, features) if name not in compared]
    kinds = kinds_of(features.drop(columns=left_out), run.kinds)
    check_values(features, kinds)
    require_width(pipeline, features)
    if run.row_id in kinds:
        raise DataError(f"row_id: the pipeline reads {run.row_id!r}: fit it without that column")
    require_watchable(watched, kinds)
    rows, outcomes = held_out_frames(held_out, kinds, list(features.columns))
    require_summable(features, kinds)
    if rows is not None:
        require_summable(rows, kinds)
    return ExportJob(
        pipeline,
        features,
        kinds,
        targets,
        run.row_id,
        rows,
        outcomes,
        run.evaluation,
        run.plan,
        watched,
        single_precision=None if network is None else network.distance,
    )


def publish(
    job: ExportJob,
    out: Path,
    name: str,
    metadata: RunMetadata,
    time_limit: float | None = TIME_LIMIT,
    progress: Progress = no_progress,
) -> ModelPackage:
    """Run a job and write the package; takes, returns and raises what `export` does of it."""
    proven = (
        convert_and_prove(job, progress)
        if time_limit is None
        else run_isolated(job, time_limit, progress)
    )
    check_gates(proven.metrics, metadata.gates)
    progress("write", 0, 1)
    facts = _facts(name, metadata, proven)
    signature = proven.signature.replace(read=metadata.read)
    package = write(out, proven.model, signature, proven.golden, facts, proven.optional)
    progress("write", 1, 1)
    return package


def require_watchable(watching: Watching, kinds: Mapping[str, Kind]) -> None:
    """Raise `DataError` unless groups and segments are features of categories or booleans."""
    for key in ("groups", "segments"):
        for name in getattr(watching, key):
            if name not in kinds:
                hint = nearest(name, kinds)
                raise DataError(f"`monitor.{key}` names an unknown feature `{name}`{hint}")
            if kinds[name] not in ("category", "boolean"):
                raise DataError(
                    f"`monitor.{key}` must name categories or booleans, and `{name}` is of kind "
                    f"{kinds[name]}"
                )


def require_summable(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> None:
    """Raise `DataError` if a column has finite numbers beyond `GREATEST`."""
    for name, kind in kinds.items():
        if kind != "number":
            continue
        sizes = frame[name].dropna().astype("float64").abs()
        if (sizes > GREATEST).any():
            raise DataError(
                f"column {name!r} has numbers beyond {GREATEST:g}, whose sums float64 cannot hold: "
                "divide the column by a power of ten, or leave it out"
            )


def _libraries() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):  # some are extras
            yield name, version(name)
    # In which order sums are added up depends on these, and so do the last bits of a model.
    kernels = sorted({each["architecture"] for each in threadpool_info() if "architecture" in each})
    if kernels:
        yield "blas", ", ".join(kernels)


def _facts(name: str, run: RunMetadata, proven: ProvenModel) -> Facts:
    return Facts(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries=dict(_libraries()),
        parity=proven.parity,
        metrics={name: one.interval(run.plan.confidence) for name, one in proven.metrics.items()},
        gates=run.gates,
        data_digest=run.data_digest,
        code_digest=run.code_digest,
    )
