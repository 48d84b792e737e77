"""Export of a fitted pipeline to a model package, once its conversion is proven."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_info

from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Kind
from training.baseline.rulers import GREATEST
from training.convert.graph.scope import Estimator
from training.errors import ConversionRefused, DataError, nearest
from training.frames import as_frame, check_values, kinds_of
from training.metrics import Evaluation, Plan, check_gates
from training.networks import in_double_precision
from training.package_writer import Facts, require_replaceable, write
from training.proof.isolation import run_isolated
from training.proof.prove import ExportJob, Progress, ProvenModel, convert_and_prove
from training.targets import require_names
from training.unread import unread

type Rows = pd.DataFrame | pd.Series[str] | NDArray[Any] | Sequence[str]
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
    """

    evaluation: Evaluation | None = None
    plan: Plan = field(default_factory=Plan)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None


def _no_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


def export(
    pipeline: Estimator,
    frame: Rows,
    *,
    out: Path | str,
    name: str,
    target: str | Sequence[str] | None = None,
    held_out: tuple[Rows, Outcomes | None] | None = None,
    watching: Watching | None = None,
    metadata: RunMetadata | None = None,
    time_limit: float | None = TIME_LIMIT,
    progress: Progress = _no_progress,
) -> ModelPackage:
    """Convert a fitted pipeline, prove the conversion, and write a model package.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn classifier or regressor, or a pipeline that ends in one.
    frame : DataFrame, array, or series or sequence of str
        Shape [N, K]: the rows that it was fitted on, unchanged. They set the kinds, the categories,
        the ranges and the examples of the features. Columns without names are "x0", "x1" and so
        on, those that pandas numbers "0", "1". Texts alone, on which a pipeline that starts with a
        vectoriser is fitted, are the feature "text" unless they have a name.
    out : path
        Directory of the package; an older package there is replaced once this one is proven.
    name : str
        The model's name.
    target : str or sequence of str, optional
        The target's column, or those of several targets; `frame` may hold them.
    held_out : tuple, optional
        Rows that it was not fitted on, and their outcomes: [M] for one target or value, [M, L] for
        several, None where they are unknown. The conversion is proven on them too. The baseline's
        scores, metrics, calibrators and balance are theirs, and a model of a regressor's errors is
        fitted; without them the scores are those of `frame`, and the rest is left out.
    watching : Watching, optional
        What the monitor compares, stored in the baseline.
    metadata : RunMetadata, optional
        The evaluation, gates and digests for the manifest.
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
        A name cannot be used; `target` names another number of columns than are predicted; the
        frame has values that a client could not send; held-out rows or outcomes do not match it; or
        a group or segment of the monitor is not a category.
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
    require_replaceable(Path(out))
    run = metadata or RunMetadata()
    targets = require_names(name, target)
    job = export_job(pipeline, frame, targets, held_out, watching, run)
    return publish(job, Path(out), name, run, time_limit, progress)


def export_job(
    pipeline: Estimator,
    frame: Rows,
    targets: Sequence[str] = (),
    held_out: tuple[Rows, Outcomes | None] | None = None,
    watching: Watching | None = None,
    metadata: RunMetadata | None = None,
) -> ExportJob:
    """Return the job of an export; takes and raises what `export` does of it."""
    network = in_double_precision(
        pipeline, as_frame(frame).drop(columns=[*targets], errors="ignore")
    )
    pipeline = pipeline if network is None else network.pipeline
    _check_fitted(pipeline)
    run, watched = metadata or RunMetadata(), watching or Watching()
    features = _features_frame(pipeline, as_frame(frame), targets)
    kinds = kinds_of(features.drop(columns=list(unread(pipeline, features))))
    check_values(features, kinds)
    _check_width(pipeline, features)
    require_watchable(watched, kinds)
    rows, outcomes = _held_out(held_out, kinds)
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
    progress: Progress = _no_progress,
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
    package = write(out, proven.model, proven.signature, proven.golden, facts, proven.optional)
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


def _held_out(
    held_out: tuple[Rows, Outcomes | None] | None, features: Collection[str]
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    if held_out is None:
        return None, None
    rows, outcomes = as_frame(held_out[0]), held_out[1]
    absent = [name for name in features if name not in rows]
    if absent:
        raise DataError(f"held_out: the rows lack column {absent[0]!r}")
    rows = rows[list(features)].reset_index(drop=True)
    if outcomes is None:
        return rows, None
    table = pd.DataFrame(outcomes).reset_index(drop=True)
    if len(table) != len(rows):
        raise DataError(f"held_out: expected {len(rows)} outcomes, one a row, got {len(table)}")
    return rows, table


def _check_fitted(pipeline: Estimator) -> None:
    kind = type(pipeline).__name__
    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as error:
        raise ConversionRefused("", f"{kind} is not a fitted scikit-learn estimator") from error
    if not hasattr(pipeline, "predict"):
        raise ConversionRefused("", f"{kind} is not a predictor")


def _features_frame(
    pipeline: Estimator, frame: pd.DataFrame, targets: Sequence[str]
) -> pd.DataFrame:
    features = frame.drop(columns=list(targets), errors="ignore")
    names = _fitted_names(pipeline, features.columns)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise DataError(f"the frame lacks column {absent[0]!r}, which the pipeline was fitted on")
    if features.empty:
        raise DataError("the frame has no rows")
    return features[list(names)].reset_index(drop=True)


def _fitted_names(pipeline: Estimator, columns: Collection[str]) -> Sequence[str]:
    """Return the names of the columns that a pipeline was fitted on, in its order."""
    names: Sequence[str] | None = getattr(pipeline, "feature_names_in_", None)
    if names is None:
        # CatBoost's own attribute; without names it numbers them.
        own: Collection[str] = getattr(pipeline, "feature_names_", columns)
        return [*own] if set(own) <= set(columns) else [*columns]
    # LightGBM keeps names without their blanks.
    underlined = {name.replace(" ", "_"): name for name in columns if isinstance(name, str)}
    return [name if name in columns else underlined.get(name, name) for name in names]


def _check_width(pipeline: Estimator, features: pd.DataFrame) -> None:
    found = features.shape[1]
    expected = getattr(pipeline, "n_features_in_", found)
    if found != expected:
        raise DataError(f"the pipeline was fitted on {expected} columns, got {found}")


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
