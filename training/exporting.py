"""A fitted pipeline, to a model package that has proven itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklambda.manifest import MetricInterval, ParityReport
from sklambda.package import Facts, ModelPackage, require_replaceable
from training.confinement import confined
from training.convert.scope import Estimator
from training.errors import ConversionRefused, DataError
from training.frames import as_frame, kinds_of
from training.proving import Job, Progress, convert_and_prove

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
    metrics : mapping of str to MetricInterval
        Metrics on held-out rows.
    gates : mapping of str to float
        The least value of each metric that had to be reached.
    data_digest, code_digest : str or None
        SHA-256 of the data, and of the code that made the pipeline.
    row_id : str or None
        A column of the source that clients may send along.
    holdout : DataFrame, series of str or None
        Further rows of features to prove the conversion on.
    """

    metrics: Mapping[str, MetricInterval] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None
    holdout: "pd.DataFrame | pd.Series[str] | None" = None


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def export(
    pipeline: Estimator,
    frame: "pd.DataFrame | pd.Series[str] | Sequence[str]",
    *,
    out: Path | str,
    name: str,
    target: str | Sequence[str] | None = None,
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
        The frame is no frame of features that a client could send.
    ConversionRefused
        A step has no exact conversion, or the graph does not answer as scikit-learn does.
    TimeLimitExceeded
        A kind of it: the time is up.
    sklambda.errors.PackageRefused
        Something that is no model package stands at `out`.
    """
    require_replaceable(Path(out))
    _check_fitted(pipeline)
    known, targets = record or Record(), [target] if isinstance(target, str) else [*(target or ())]
    features = _features_frame(pipeline, as_frame(frame), targets)
    holdout = None if known.holdout is None else as_frame(known.holdout)
    job = Job(pipeline, features, kinds_of(features), targets, known.row_id, holdout)
    proven = (
        convert_and_prove(job, progress)
        if time_limit is None
        else confined(job, time_limit, progress)
    )
    progress("write", 0, 1)
    facts = _facts(name, known, proven.parity)
    package = ModelPackage.write(
        Path(out), proven.model, proven.signature, proven.golden, facts, proven.explainer
    )
    progress("write", 1, 1)
    return package


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


def _facts(name: str, record: Record, parity: ParityReport) -> Facts:
    return Facts(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries=dict(_libraries()),
        parity=parity,
        metrics=record.metrics,
        gates=record.gates,
        data_digest=record.data_digest,
        code_digest=record.code_digest,
    )
