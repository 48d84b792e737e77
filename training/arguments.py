"""The arguments of an export, checked before anything takes time, and its rows as frames."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklambda.errors import DocumentInvalid
from sklambda.policy.watching import Watching
from sklambda.signature import Kind
from training.convert.families.text import pipeline_input
from training.convert.graph.scope import Estimator
from training.errors import ConversionRefused, DataError, nearest
from training.frames import require_kinds
from training.metrics import METRICS
from training.tables import as_frame

_COMPARED: Final = 1_000
"""How many rows that are no frame are predicted in both forms."""


def require_path(out: object) -> Path:
    """Return the path of a package; raise `DataError` for what is no path."""
    if isinstance(out, (str, Path)) and str(out):
        return Path(out)
    raise DataError(f"out: must be the path of a folder, as 'build/package', got {out!r}")


def require_time_limit(seconds: object) -> float | None:
    """Return the time limit in seconds; raise `DataError` unless it is above 0, or None."""
    if seconds is None:
        return None
    if isinstance(seconds, (int, float)) and isfinite(seconds) and seconds > 0:
        return float(seconds)
    raise DataError(f"time_limit: must be seconds above 0, or None for no limit, got {seconds!r}")


def require_watching(watching: object) -> Watching:
    """Return what the monitor compares; raise `DataError` for what does not describe it."""
    if watching is None:
        return Watching()
    if isinstance(watching, Watching):
        return watching
    try:
        return Watching.of(watching)
    except DocumentInvalid as error:
        raise DataError(
            f"watching: {error}; pass sklambda.policy.watching.Watching(groups=(...))"
        ) from error


def require_gates(gates: object, measured: bool) -> Mapping[str, float]:
    """Return gates by metric; raise `DataError` for one that nothing can be compared with.

    Parameters
    ----------
    gates : mapping of str to float, or None
        The least value of each metric, or the greatest of a loss.
    measured : bool
        Whether there are outcomes of held-out rows.
    """
    if gates is None:
        return {}
    if not isinstance(gates, Mapping):
        raise DataError(f"gates: must be numbers by metric, as {{'roc_auc': 0.8}}, got {gates!r}")
    for name, gate in gates.items():
        if name not in METRICS:
            raise DataError(f"gates: unknown metric {name!r}{nearest(str(name), METRICS)}")
        number = isinstance(gate, (int, float)) and not isinstance(gate, bool)
        if not number or not isfinite(gate):
            raise DataError(f"gates: {name} must be a finite number, got {gate!r}")
    if gates and not measured:
        raise DataError("gates: need outcomes to measure: pass held_out=(rows, outcomes)")
    return gates


def require_pair(held_out: object) -> tuple[Any, Any] | None:
    """Return held-out rows and outcomes; raise `DataError` for what is no pair of them."""
    if held_out is None:
        return None
    if not isinstance(held_out, (tuple, list)) or len(held_out) != 2:
        got = type(held_out).__name__
        count = f" of {len(held_out)}" if isinstance(held_out, (tuple, list)) else ""
        raise DataError(f"held_out: must be (rows, outcomes) or (rows, None), got {got}{count}")
    rows, outcomes = held_out
    if rows is None:
        raise DataError("held_out: there are outcomes and no rows: pass (rows, outcomes)")
    return rows, outcomes


def require_kinds_by_name(kinds: object) -> Mapping[str, str]:
    """Return the given kinds; raise `DataError` for what is no mapping of names to kinds."""
    if kinds is None:
        return {}
    known = get_args(Kind.__value__)
    if not isinstance(kinds, Mapping):
        raise DataError(f"kinds: must be kinds by column, as {{'age': 'number'}}, got {kinds!r}")
    for name, kind in kinds.items():
        if kind not in known:
            raise DataError(
                f"kinds: {name!r} must be of one of {', '.join(known)}, got {kind!r}"
                f"{nearest(str(kind), known)}"
            )
    return {str(name): kind for name, kind in kinds.items()}


def require_row_id(row_id: object) -> str | None:
    """Return the name of the row id; raise `DataError` for what is no name."""
    if row_id is None or (isinstance(row_id, str) and row_id.strip()):
        return row_id
    raise DataError(f"row_id: must be the name of a column, got {type(row_id).__name__}")


def require_fitted(pipeline: Estimator) -> None:
    """Raise `ConversionRefused` for what is no fitted predictor."""
    kind = f"{type(pipeline).__module__}.{type(pipeline).__name__}"
    try:
        check_is_fitted(pipeline)
    except (NotFittedError, TypeError) as error:
        raise ConversionRefused(
            "", f"{kind} is not a fitted scikit-learn estimator: pass one after its fit"
        ) from error
    if not hasattr(pipeline, "predict"):
        raise ConversionRefused(
            "", f"{kind} is not a predictor: pass a pipeline that ends in a model"
        )


def fitted_names(pipeline: Estimator) -> list[str]:
    """Return the names of the columns that an estimator was fitted on; empty without names."""
    return [*map(str, getattr(pipeline, "feature_names_in_", ()))]


def features_frame(pipeline: Estimator, frame: pd.DataFrame, others: Sequence[str]) -> pd.DataFrame:
    """Return the columns of a frame that a pipeline was fitted on, in its order.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    frame : DataFrame
        Shape [N, L].
    others : sequence of str
        The names of targets and of a row id, which are no features unless the fit had them.

    Raises
    ------
    DataError
        A column is absent, or there are no rows.
    """
    fitted = fitted_names(pipeline)
    dropped = [name for name in others if name not in fitted]
    features = frame.drop(columns=dropped, errors="ignore")
    names = _names_among(pipeline, features.columns)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise DataError(
            f"the frame lacks column {absent[0]!r}, which the pipeline was fitted on: pass the "
            "rows of the fit under the same names"
        )
    if features.empty:
        raise DataError("the frame has no rows: pass those of the fit")
    return features[list(names)].reset_index(drop=True)


def require_width(pipeline: Estimator, features: pd.DataFrame) -> None:
    """Raise `DataError` unless there are as many columns as the fit had."""
    found = features.shape[1]
    expected = getattr(pipeline, "n_features_in_", found)
    if found != expected:
        raise DataError(
            f"the pipeline was fitted on {expected} columns, got {found}: pass the rows of the "
            "fit, and name a target or a row id among them by target= or row_id="
        )


def _names_among(pipeline: Estimator, columns: Collection[str]) -> Sequence[str]:
    names: Sequence[str] | None = getattr(pipeline, "feature_names_in_", None)
    if names is None:
        # CatBoost's own attribute; without names it numbers them.
        own: Collection[str] = getattr(pipeline, "feature_names_", columns)
        return [*own] if set(own) <= set(columns) else [*columns]
    # LightGBM keeps names without their blanks.
    underlined = {name.replace(" ", "_"): name for name in columns if isinstance(name, str)}
    return [name if name in columns else underlined.get(name, name) for name in names]


def require_same_answers(pipeline: Estimator, rows: Any, features: pd.DataFrame) -> None:
    """Raise `DataError` if rows in another form than a frame's have other predictions as a frame.

    Encoders tell None from NaN, and a list of numbers and words may be read as words.
    """
    if isinstance(rows, pd.DataFrame):
        return
    method = getattr(pipeline, "predict_proba", pipeline.predict)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = np.asarray(method(rows[:_COMPARED]))
            framed = np.asarray(method(pipeline_input(pipeline, features.head(_COMPARED))))
    except Exception:  # these rows are in a form that this pipeline does not take
        return
    if not _alike(own, framed):
        raise DataError(
            f"the pipeline predicts otherwise for rows as {type(rows).__name__} than as a pandas "
            "DataFrame, the form in which clients' rows are scored: fit it on a DataFrame"
        )


def _alike(one: Any, other: Any) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        return np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True)
    return bool((one == other).all())


def held_out_frames(
    held_out: tuple[Any, Any] | None, kinds: Mapping[str, Kind], columns: Sequence[str]
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return held-out rows, [M, F], and outcomes, [M, L], as frames.

    Parameters
    ----------
    held_out : tuple, or None
        As `training.export` takes it.
    kinds : mapping of str to kind
        The features.
    columns : sequence of str
        All columns of the fit, which rows without names have in their order.

    Raises
    ------
    DataError
        A feature is absent or of another kind, or there are more outcomes than rows, or fewer.
    """
    if held_out is None:
        return None, None
    rows, outcomes = as_frame(held_out[0], columns), held_out[1]
    absent = [name for name in kinds if name not in rows]
    if absent:
        raise DataError(f"held_out: the rows lack column {absent[0]!r}")
    rows = rows[list(kinds)].reset_index(drop=True)
    require_kinds(rows, kinds, "held_out")
    if outcomes is None:
        return rows, None
    table = pd.DataFrame(outcomes).reset_index(drop=True)
    if len(table) != len(rows):
        raise DataError(f"held_out: expected {len(rows)} outcomes, one a row, got {len(table)}")
    return rows, table
