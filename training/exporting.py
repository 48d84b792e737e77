"""A fitted pipeline, to a model package that has proven itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklambda.manifest import MetricInterval, ParityReport
from sklambda.package import Facts, ModelPackage, require_replaceable
from training.convert.scope import Estimator
from training.draft import Draft
from training.errors import ConversionRefused, DataError
from training.frames import kinds_of

type Progress = Callable[[str, int, int], None]

_LIBRARIES: Final = ("numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "scipy")


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
    holdout : DataFrame or None
        Further rows of features to prove the conversion on.
    """

    metrics: Mapping[str, MetricInterval] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    data_digest: str | None = None
    code_digest: str | None = None
    row_id: str | None = None
    holdout: pd.DataFrame | None = None


def _silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def export(
    pipeline: Estimator,
    frame: pd.DataFrame,
    *,
    out: Path | str,
    name: str,
    target: str | None = None,
    record: Record | None = None,
    progress: Progress = _silent,
) -> ModelPackage:
    """Convert a fitted pipeline, prove the conversion, and write a model package.

    Parameters
    ----------
    pipeline : estimator
        A fitted scikit-learn classifier or regressor, or a pipeline that ends in one.
    frame : DataFrame
        Shape [N, K]: the rows that it was fitted on, as it was given them. They say how values are
        written, which categories there are, and what is typical.
    out : path
        Directory of the package; a package that stands there is replaced, once this one is proven.
    name : str
        The model's name.
    target : str, optional
        The target's column; may stand in `frame`.
    record : Record, optional
        What goes into the manifest beside that.
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
    sklambda.errors.PackageRefused
        Something that is no model package stands at `out`.
    """
    require_replaceable(Path(out))
    _check_fitted(pipeline)
    features = _features_frame(pipeline, frame, target)
    draft = Draft(pipeline, features, kinds_of(features))
    return _write(draft, Path(out), name, target, record or Record(), progress)


def _write(
    draft: Draft, out: Path, name: str, target: str | None, record: Record, progress: Progress
) -> ModelPackage:
    progress("convert", 0, 1)
    model, signature = draft.convert(target, record.row_id)
    progress("convert", 1, 1)
    cases = draft.cases(model, signature, record.holdout)
    parity = draft.prove(model, signature, cases, lambda *done: progress("prove", *done))
    progress("write", 0, 1)
    golden = draft.golden(cases, signature.target)
    facts = _facts(name, record, parity)
    package = ModelPackage.write(out, model, signature, golden, facts)
    progress("write", 1, 1)
    return package


def _check_fitted(pipeline: Estimator) -> None:
    kind = type(pipeline).__name__
    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as error:
        raise ConversionRefused("", f"{kind} is no fitted scikit-learn estimator") from error
    classes = getattr(pipeline, "classes_", np.empty(0))
    if not hasattr(pipeline, "predict") or not isinstance(classes, np.ndarray):
        raise ConversionRefused("", f"{kind} is neither a classifier nor a regressor")


def _features_frame(pipeline: Estimator, frame: pd.DataFrame, target: str | None) -> pd.DataFrame:
    features = frame.drop(columns=[target], errors="ignore") if target else frame
    names = getattr(pipeline, "feature_names_in_", features.columns)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise DataError(f"the pipeline was fitted on column {absent[0]!r}; the frame has none")
    if features.empty:
        raise DataError("the frame has no rows")
    return features[list(names)].reset_index(drop=True)


def _facts(name: str, record: Record, parity: ParityReport) -> Facts:
    return Facts(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        libraries={library: version(library) for library in _LIBRARIES},
        parity=parity,
        metrics=record.metrics,
        gates=record.gates,
        data_digest=record.data_digest,
        code_digest=record.code_digest,
    )
