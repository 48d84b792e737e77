"""The target of a fitted pipeline, for the signature."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import is_regressor
from sklearn.utils import get_tags

from sklambda.arrays import FloatMatrix, IntVector
from sklambda.signature import Scalar, Scores, Target, Task
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Estimator
from training.errors import ConversionRefused, DataError
from training.tables import is_whole

_MODEL_NAME: Final = re.compile(r"[!-~]([ -~]{0,126}[!-~])?")


def require_names(
    name: str, target: str | Sequence[str] | None, columns: Iterable[object] = ()
) -> list[str]:
    """Return the targets' columns; raise `DataError` unless they and a model's name can be used.

    The model's name is a segment of addresses, and a dimension of metrics: printable ASCII. A whole
    number is the name of a target if one of the `columns` of the frame has it.
    """
    if (
        not isinstance(name, str)
        or not _MODEL_NAME.fullmatch(name)
        or name in (".", "..")
        or name[0] == ":"
        or "/" in name
    ):
        raise DataError(
            "name: must be 1 to 128 printable ASCII characters without a slash, and without blanks "
            f"around it, got {name!r}; `churn` or `churn-2` are names"
        )
    if hasattr(target, "dtype") or hasattr(target, "columns"):
        raise _values_for_target(target)
    several = isinstance(target, Iterable) and not isinstance(target, str)
    given: list[Any] = [] if target is None else [*target] if several else [target]
    known = {str(each) for each in columns if is_whole(each)}
    targets = [str(each) if is_whole(each) and str(each) in known else each for each in given]
    wrong = [each for each in targets if not isinstance(each, str) or not each.strip()]
    if wrong:
        raise _values_for_target(wrong[0])
    repeated = [each for each in targets if targets.count(each) > 1]
    if repeated:
        raise DataError(f"target: must be different columns, got {repeated[0]!r} twice")
    return targets


def _values_for_target(got: object) -> DataError:
    shown = repr(got) if isinstance(got, (str, int, float)) else f"values ({type(got).__name__})"
    return DataError(
        f"target: must be the name of a column, got {shown}; name it as target='churn', or leave "
        "it out: the pipeline has learnt the outcomes of training, and those of other rows go into "
        "held_out=(rows, outcomes)"
    )


def target_of(pipeline: Estimator, outputs: Outputs | None, names: Sequence[str]) -> Target:
    """Describe the target of a converted estimator.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    outputs : Outputs or None
        The outputs of its conversion; None for a transformer.
    names : sequence of str
        The target's column, or the columns of several targets; none where they are not known.

    Raises
    ------
    ConversionRefused
        It is not a predictor.
    DataError
        Several columns are named, and it predicts another number.
    """
    if outputs is None:
        kind = f"{type(pipeline).__module__}.{type(pipeline).__name__}"
        raise ConversionRefused(
            "", f"{kind} is converted as a transformer alone: put the model behind it, as last step"
        )
    if outputs.parts:
        return _several(outputs, names)
    name = names[0] if len(names) == 1 else None
    if outputs.value is not None and outputs.scores == ("value", outputs.value):
        columns = _names(names, "value", outputs.value.width)
        return Target(name=name, task="regression", scores="value", outputs=columns)
    _require_count(names, 1)
    return _classified(outputs, _classes(pipeline, outputs), name, _kind(pipeline))


def fitted_target(pipeline: Estimator, name: str) -> Target:
    """Return the target of a fitted classifier or regressor before its conversion.

    The scores are scikit-learn's own: the values of a regressor, else ``predict_proba``, else
    ``decision_function``, else the label alone.
    """
    if is_regressor(pipeline):
        return Target(name=name, task="regression", scores="value", outputs=(name,))
    scores: Scores = "label"
    if hasattr(pipeline, "predict_proba"):
        scores = "probability"
    elif hasattr(pipeline, "decision_function"):
        scores = "decision"
    classes = tuple(map(_plain, pipeline.classes_))
    task = _task("classifier", len(classes))
    return Target(name=name, task=task, scores=scores, classes=classes)


def encode_outcomes(target: Target, outcomes: pd.DataFrame) -> FloatMatrix:
    """Encode the outcomes of held-out rows as a model's labels or values.

    Parameters
    ----------
    target : Target
        The model's target.
    outcomes : DataFrame
        Shape [M, L], a column for each target, or [M, V], one for each value.

    Returns
    -------
    FloatMatrix
        Of the same shape: the positions of labels in ``classes``, or a regressor's values.

    Raises
    ------
    DataError
        A column is missing, or an outcome is not one of the target's classes or finite values.
    """
    if target.task == "regression":
        values: FloatMatrix = outcomes.to_numpy(dtype=np.float64)
        _require_columns(values, len(target.outputs))
        if not np.isfinite(values).all():
            raise DataError("held_out: an outcome is not a finite number")
        return values
    parts = target.parts or (target,)
    _require_columns(outcomes.to_numpy(), len(parts))
    columns = zip(outcomes.items(), parts, strict=True)
    return np.stack([_positions(column, part) for (_, column), part in columns], axis=1)


def _positions(column: "pd.Series[Any]", target: Target) -> IntVector:
    places = {label: place for place, label in enumerate(target.classes)}
    found = [places.get(label, -1) for label in column.tolist()]
    if -1 in found:
        raise DataError("held_out: an outcome is not a class of the target")
    return np.array(found, dtype=np.intp)


def _require_columns(outcomes: FloatMatrix, expected: int) -> None:
    if outcomes.shape[1] != expected:
        raise DataError(f"held_out: outcomes must have {expected} columns, got {outcomes.shape[1]}")


def _several(outputs: Outputs, names: Sequence[str]) -> Target:
    columns = _names(names, "target", len(outputs.parts))
    parts = tuple(
        _classified(part, (0, 1) if part.classes is None else part.classes, name, "classifier")
        for part, name in zip(outputs.parts, columns, strict=True)
    )
    return Target(task="multioutput", scores=parts[0].scores, parts=parts)


def _classified(
    outputs: Outputs, classes: Sequence[Any], name: str | None, kind: str | None
) -> Target:
    if outputs.scores is None:
        raise ConversionRefused("", "a predictor has no scores")
    return Target(
        name=name,
        task=_task(kind, len(classes)),
        scores=outputs.scores[0],
        classes=tuple(map(_plain, classes)),
        threshold=outputs.threshold,
        label_by=None if outputs.deciding is None else outputs.deciding[0],
    )


def _task(kind: str | None, classes: int) -> Task:
    if kind == "outlier_detector":
        return "anomaly"
    if kind != "classifier":
        return "clustering"
    return "binary" if classes == 2 else "multiclass"


def _kind(pipeline: Estimator) -> str | None:
    kind: str | None = get_tags(pipeline).estimator_type
    return kind


def _classes(pipeline: Estimator, outputs: Outputs) -> Sequence[Any]:
    if _kind(pipeline) == "outlier_detector":
        return (-1, 1)
    if _kind(pipeline) == "classifier":
        classes: Sequence[Any] = pipeline.classes_
        return classes
    width = 0 if outputs.scores is None else outputs.scores[1].width
    return range(width)


def _plain(label: Any) -> Scalar:
    """Return a label as a Python type that JSON can write."""
    plain: Scalar = label.item() if hasattr(label, "item") else label
    return plain


def _require_count(names: Sequence[str], count: int) -> None:
    """Raise unless there is a name for each column, one for all, or none."""
    if len(names) > 1 and len(names) != count:
        raise DataError(
            f"target: expected {count} column{'s' if count > 1 else ''}, as the pipeline predicts, "
            f"got {len(names)}: {', '.join(map(repr, names))}"
        )


def _names(names: Sequence[str], alone: str, count: int) -> tuple[str, ...]:
    """Return a name for each column; a single name becomes a prefix."""
    _require_count(names, count)
    if len(names) == count:
        return tuple(names)
    prefix = names[0] if len(names) == 1 else alone
    return (prefix,) if count == 1 else tuple(f"{prefix}_{place}" for place in range(count))
