"""The files of monitoring in a package: the baseline, and of a regressor the model of its errors.

The second model predicts the absolute errors of a regressor (NannyML's direct loss estimation). It
is fitted on the features of held-out rows, so that a window without outcomes has an expected error.
As the model itself it becomes an exact graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from threadpoolctl import threadpool_limits

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import label_positions
from sklambda.errors import RowsInvalid
from sklambda.package import BASELINE, ERROR_MODEL
from sklambda.policy.watching import Watching
from sklambda.session import Session
from sklambda.signature import Signature, Target
from sklambda.sketch.baseline import Baseline, ErrorReference
from sklambda.sketch.sketch import to_json
from sklambda.sketch.watched_scores import watched_scores
from training.baseline.baseline import HeldOut, baseline, numbers
from training.baseline.rulers import GREATEST, quantile_ruler
from training.convert import convert
from training.errors import DataError
from training.explain import feature_weights
from training.frames import client_rows
from training.metrics import Evaluation, Metric, Plan, measure
from training.targets import encode_outcomes

_SEED: Final = 0
_FEWEST_ENCODED: Final = 1000
_NUMBERS: Final = 2**25
"""The greatest number of values in the encoded rows: of more rows a sample is drawn."""

FEWEST: Final = 100
"""The fewest held-out rows with an error model."""

_FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class BaselineData:
    """The data of a baseline.

    Attributes
    ----------
    trained : DataFrame
        Shape [N, F]: the rows that the model was fitted on.
    held_out : DataFrame or None
        Shape [M, F]: rows that it was not fitted on.
    outcomes : DataFrame or None
        Shape [M, L]: their outcomes, a column for each target or value.
    evaluation : Evaluation or None
        Metrics of the held-out rows that were measured before the conversion.
    plan : Plan
        The plan of measuring where there are none, or where other scores are served.
    watching : Watching
        What the monitor compares.
    """

    trained: pd.DataFrame
    held_out: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    evaluation: Evaluation | None
    plan: Plan
    watching: Watching


@dataclass(frozen=True, slots=True)
class FittedErrorModel:
    """A fitted error model.

    Attributes
    ----------
    model : bytes
        An ONNX model: ``X`` [N, K] to ``scores`` [N, V], the absolute error of each value.
    references : tuple of ErrorReference
        The distribution of its predictions for held-out rows, by value.
    """

    model: bytes
    references: tuple[ErrorReference, ...]


def monitoring_files(
    data: BaselineData, model: bytes, signature: Signature, explainer: bytes
) -> tuple[dict[str, bytes], Mapping[str, Metric]]:
    """Build the files with which a package is monitored.

    Returns
    -------
    tuple of dict of str to bytes, and mapping of str to Metric
        The files by name, and the metrics on held-out rows: empty without outcomes.

    Raises
    ------
    DataError
        An outcome is not one of the target's classes or finite values; no row has a finite score,
        or one has a score beyond `GREATEST`.
    """
    session = Session(model)
    X, _ = _encoded(signature, data.trained)
    rows, true = _held_out(signature, data)
    apart = len(rows) > 0
    if not apart:
        rows, true = X, np.empty((len(X), 0))
    scores = session.run(rows)
    finite = np.isfinite(scores).all(axis=1)
    rows, scores, true = rows[finite], scores[finite], true[finite]
    _require_countable(scores, "held-out" if apart else "training")
    target, labels = signature.target, label_positions(signature.target, scores)
    metrics: Mapping[str, Metric] = {}
    if data.evaluation is not None and data.evaluation.scores == target.scores:
        metrics = data.evaluation.metrics
    elif true.shape[1]:
        metrics = measure(target, scores, labels, true, data.plan)
    positions = labels if target.task == "regression" else true.astype(np.intp)
    intervals = {name: metric.interval() for name, metric in metrics.items()}
    held_out = HeldOut(scores, labels, positions, intervals)
    found = baseline(signature, X, held_out, feature_weights(signature, session, explainer, rows))
    found = found.replace(held_out=len(rows) if apart else 0, watching=data.watching)
    return _written(found, target, _errors(target, rows, scores, true)), metrics


def _require_countable(scores: FloatMatrix, which: str) -> None:
    if not len(scores):
        raise DataError(
            f"no {which} row has finite scores in scikit-learn: the model divides by 0 or "
            "overflows; leave out constant columns, scale the others, or regularise the model"
        )
    if np.abs(scores).max() > GREATEST:
        raise DataError(
            f"the scores of {which} rows exceed {GREATEST:g}, and float64 cannot hold their sums: "
            "divide the target by a power of ten"
        )


def _written(found: Baseline, target: Target, errors: FittedErrorModel | None) -> dict[str, bytes]:
    if errors is None:
        return {BASELINE: to_json(found)}
    names = [one.name for one in watched_scores(target)]
    found = found.replace(errors=dict(zip(names, errors.references, strict=True)))
    return {BASELINE: to_json(found), ERROR_MODEL: errors.model}


def _encoded(signature: Signature, frame: pd.DataFrame) -> tuple[FloatMatrix, IntVector]:
    """Encode the rows that the model accepts, or a sample; return them and their positions."""
    most = max(_FEWEST_ENCODED, _NUMBERS // signature.width)
    places = np.sort(np.random.default_rng(_SEED).permutation(len(frame))[:most])
    rows = client_rows(frame.iloc[places], signature.kinds)
    codec = Codec(signature)
    try:
        return codec.encode(rows), places
    except RowsInvalid as invalid:
        refused = {fault.row for fault in invalid.faults}
    kept = [place for place in range(len(rows)) if place not in refused]
    if not kept:
        return np.empty((0, signature.width)), places[:0]
    return codec.encode([rows[place] for place in kept]), places[kept]


def _held_out(signature: Signature, data: BaselineData) -> tuple[FloatMatrix, FloatMatrix]:
    """Encode the held-out rows; return them and their outcomes, as positions or values."""
    if data.held_out is None:
        return np.empty((0, signature.width)), np.empty((0, 0))
    X, places = _encoded(signature, data.held_out)
    if data.outcomes is None:
        return X, np.empty((len(X), 0))
    return X, encode_outcomes(signature.target, data.outcomes)[places]


def _errors(
    target: Target, X: FloatMatrix, values: FloatMatrix, true: FloatMatrix
) -> FittedErrorModel | None:
    if target.task != "regression" or not true.shape[1] or len(X) < FEWEST:
        return None
    return fit_error_model(X, np.abs(values - true))


def fit_error_model(X: FloatMatrix, errors: FloatMatrix) -> FittedErrorModel:
    """Fit an error model.

    Parameters
    ----------
    X : FloatMatrix
        Shape [M, K]: encoded rows that the regressor was not fitted on, at least `FEWEST`.
    errors : FloatMatrix
        Shape [M, V]: its absolute errors on them.

    Returns
    -------
    FittedErrorModel
        The references are of predictions for rows that it was not fitted on (cross-validation).
        Each of its leaves has at least 20 rows, so that it discloses none.
    """
    # One thread adds in one order: the same rows give the same model.
    with threadpool_limits(limits=1):
        model = MultiOutputRegressor(_regressor()).fit(X, errors)
        apart = np.column_stack([_unseen(X, column) for column in errors.T])
    graph = convert(model, [None] * X.shape[1]).model
    return FittedErrorModel(
        graph,
        tuple(_reference(*columns) for columns in zip(apart.T.copy(), errors.T, strict=True)),
    )


def _regressor() -> HistGradientBoostingRegressor:
    # Few and small trees: errors are mostly noise.
    return HistGradientBoostingRegressor(
        max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0
    )


def _unseen(X: FloatMatrix, errors: FloatVector) -> FloatVector:
    predicted: FloatVector = cross_val_predict(_regressor(), X, errors, cv=_FOLDS)
    return predicted


def _reference(predicted: FloatVector, errors: FloatVector) -> ErrorReference:
    return ErrorReference(
        reference=numbers(quantile_ruler(predicted), predicted),
        deviation=float(np.std(errors - predicted)),
        rows=len(errors),
    )
