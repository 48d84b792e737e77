"""A fitted pipeline, to a model package that has proven itself."""

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

from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Kind
from training.convert.graph.scope import Estimator
from training.errors import ConversionRefused, DataError, nearest
from training.frames import as_frame, kinds_of
from training.metrics import Measured, Plan, check_gates
from training.package_writer import Facts, require_replaceable, write
from training.proof.isolation import confined
from training.proof.prove import Job, Progress, Proven, convert_and_prove

type Rows = pd.DataFrame | pd.Series[str] | Sequence[str]
type Outcomes = pd.DataFrame | pd.Series[Any] | NDArray[Any] | Sequence[Any]

TIME_LIMIT: Final = 600.0
"""Seconds that a conversion and its proof may take unless told."""

_LIBRARIES: Final = (
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "scikit-learn",
    "scipy",
    "xgboost",
    "xgboost-cpu",
)


@dataclass(frozen=True, slots=True)
class Record:
    """What a training run knows beyond the pipeline and its frame.

    Attributes
    ----------
    measured : Measured or None
        Metrics on held-out rows that were measured already. They are measured on the rows and
        outcomes of ``held_out`` where there are none, or where other scores are served.
    plan : Plan
        How they are measured.
    gates : mapping of str to float
        The least value of each metric that must be reached, or the greatest of a loss.
    data_digest, code_digest : str or None
        SHA-256 of the data, and of the code that made the pipeline.
    row_id : str or None
        A column of the source that clients may send along.
    """

    measured: Measured | None = None
    plan: Plan = field(default_factory=Plan)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def export(
    pipeline: Estimator,
    frame: Rows,
    *,
    out: Path | str,
    name: str,
    target: str | Sequence[str] | None = None,
    held_out: tuple[Rows, Outcomes | None] | None = None,
    watching: Watching | None = None,
    record: Record | None = None,
    time_limit: float | None = TIME_LIMIT,
    progress: Progress = _silent,
) -> ModelPackage:
    """Convert a fitted pipeline, prove the conversion, and write a model package.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn classifier or regressor, or a pipeline that ends in one.
    frame : DataFrame, or series or sequence of str
        Shape [N, K]: the rows that it was fitted on, as it was given them. They say how values are
        written, which categories there are, and what is typical. Texts alone, on which a pipeline
        that starts with a vectoriser is fitted, are the feature "text" unless they have a name.
    out : path
        Directory of the package; a package that stands there is replaced, once this one is proven.
    name : str
        The model's name.
    target : str or sequence of str, optional
        The target's column, or those of several targets; may stand in `frame`.
    held_out : tuple, optional
        Rows that it was not fitted on, and what became true of them: [M] for one target or value,
        [M, L] for several, None where nobody knows. The conversion is proven on them too. The
        baseline's scores, metrics, calibrators and balance are theirs, and of a regressor's errors
        a model is fitted; without them the scores are those of `frame`, and the rest is left out.
    watching : Watching, optional
        What the monitor looks at, kept in the baseline.
    record : Record, optional
        What goes into the manifest beside that.
    time_limit : float or None, optional
        Seconds that the conversion and its proof may take, in a process of their own; None lets
        them take any time, in this one.
    progress : callable, optional
        Told the stage ("convert", "prove", "write"), how much is done, and of how much.

    Returns
    -------
    ModelPackage
        The package as it was written, read back and checked.

    Raises
    ------
    DataError
        The frame is no frame of features that a client could send; held-out rows or outcomes do
        not go with it, or the monitor is to look at what is no category.
    ConversionRefused
        A step has no exact conversion, or the graph does not answer as scikit-learn does.
    TimeLimitExceeded
        A kind of it: the time is up.
    QualityGateFailed
        A metric misses its gate.
    sklambda.errors.PackageRefused
        Something that is no model package stands at `out`.
    """
    require_replaceable(Path(out))
    _check_fitted(pipeline)
    known, targets = record or Record(), [target] if isinstance(target, str) else [*(target or ())]
    features = _features_frame(pipeline, as_frame(frame), targets)
    kinds, looked_at = kinds_of(features), watching or Watching()
    require_watchable(looked_at, kinds)
    apart = _held_out(held_out, kinds)
    evaluation = known.measured, known.plan
    job = Job(pipeline, features, kinds, targets, known.row_id, *apart, *evaluation, looked_at)
    proven = (
        convert_and_prove(job, progress)
        if time_limit is None
        else confined(job, time_limit, progress)
    )
    check_gates(proven.metrics, known.gates)
    progress("write", 0, 1)
    facts = _facts(name, known, proven)
    package = write(
        Path(out), proven.model, proven.signature, proven.golden, facts, proven.optional
    )
    progress("write", 1, 1)
    return package


def require_watchable(watching: Watching, kinds: Mapping[str, Kind]) -> None:
    """Raise `DataError` if groups or segments are no features, or no categories."""
    for key in ("groups", "segments"):
        for name in getattr(watching, key):
            if name not in kinds:
                hint = nearest(name, kinds)
                raise DataError(f"there is no feature `{name}` (`monitor.{key}` names it){hint}")
            if kinds[name] not in ("category", "boolean"):
                raise DataError(
                    f"`{name}` is of kind {kinds[name]}, and `monitor.{key}` names categories"
                )


def _held_out(
    held_out: tuple[Rows, Outcomes | None] | None, features: Collection[str]
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    if held_out is None:
        return None, None
    rows, outcomes = as_frame(held_out[0]), held_out[1]
    absent = [name for name in features if name not in rows]
    if absent:
        raise DataError(f"held_out: there is no column {absent[0]!r}")
    rows = rows[list(features)].reset_index(drop=True)
    if outcomes is None:
        return rows, None
    known = pd.DataFrame(outcomes).reset_index(drop=True)
    if len(known) != len(rows):
        raise DataError(f"held_out: there are {len(rows)} rows and {len(known)} outcomes")
    return rows, known


def _check_fitted(pipeline: Estimator) -> None:
    kind = type(pipeline).__name__
    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as error:
        raise ConversionRefused("", f"{kind} is no fitted scikit-learn estimator") from error
    if not hasattr(pipeline, "predict"):
        raise ConversionRefused("", f"{kind} predicts nothing")


def _features_frame(
    pipeline: Estimator, frame: pd.DataFrame, targets: Sequence[str]
) -> pd.DataFrame:
    features = frame.drop(columns=list(targets), errors="ignore")
    names = getattr(pipeline, "feature_names_in_", features.columns)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise DataError(f"the pipeline was fitted on column {absent[0]!r}; the frame has none")
    if features.empty:
        raise DataError("the frame has no rows")
    return features[list(names)].reset_index(drop=True)


def _libraries() -> Iterator[tuple[str, str]]:
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):  # some are extras
            yield name, version(name)


def _facts(name: str, record: Record, proven: Proven) -> Facts:
    return Facts(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries=dict(_libraries()),
        parity=proven.parity,
        metrics={
            name: one.interval(record.plan.confidence) for name, one in proven.metrics.items()
        },
        gates=record.gates,
        data_digest=record.data_digest,
        code_digest=record.code_digest,
    )
