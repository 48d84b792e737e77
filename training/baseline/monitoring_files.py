"""The files of monitoring in a package: the baseline, and of a regressor the model of its errors.

The baseline counts the rows of training, and calibrates scores on held-out rows.

The second model predicts the absolute errors of a regressor (NannyML's direct loss estimation). It
is fitted on the features of held-out rows, so that a window without outcomes has an expected error.
As the model itself it becomes an exact graph.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from threadpoolctl import threadpool_limits

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import label_positions
from sklambda.errors import RowsInvalid
from sklambda.manifest import MetricInterval
from sklambda.package import BASELINE, ERROR_MODEL
from sklambda.policy.watching import Watching
from sklambda.session import Session
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.baseline import Baseline, Calibrator, ErrorReference, Reference, codes
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Counts, to_json
from sklambda.sketch.sketcher import (
    count_codes,
    count_duplicates,
    count_labels,
    count_numbers,
    count_tenths,
    watched_values,
)
from sklambda.sketch.watched_scores import WatchedScore, watched_scores
from training.baseline.rulers import (
    GREATEST,
    quantile_ruler,
    share_ruler,
    tenth_ruler,
    tenths,
    with_edge,
)
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
_CALIBRATION_FOLDS: Final = 5
_CROWD: Final = 20
"""The fewest rows behind a knot, so that none discloses one outcome."""


_RESOLUTION: Final = 1e-15
"""The difference of scores up to which isotonic regression takes them for one."""

_CERTAIN: Final = 0.001
"""The least probability in the log loss: one surprise does not decide alone."""


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


def calibrate(
    scores: FloatVector, true: NDArray[np.bool_], probability: bool = True
) -> Calibrator | None:
    """Fit an isotonic calibrator, and return it if it lowers the log loss.

    Parameters
    ----------
    scores : FloatVector
        Shape [N] float64, of rows that the model was not fitted on.
    true : array of bool
        Shape [N]: whether the class, or the label, was true.
    probability : bool
        Whether a score without a calibrator is a probability.

    Returns
    -------
    Calibrator or None
        Its knots are means over bins of scores, so that none discloses one row. None where, fitted
        on four fifths of the rows and measured on the fifth, it does not lower the log loss: a
        proper score, which separates miscalibration from chance on fewer rows than the expected
        calibration error does.
    """
    fitted = _fit(scores, true)
    if not probability:
        return fitted
    folds = np.arange(len(scores)) % _CALIBRATION_FOLDS
    if len(scores) < _CALIBRATION_FOLDS * _CROWD:
        return None
    after = sum(
        _loss(_fit(scores[folds != fold], true[folds != fold])(scores[own]), true[own])
        for fold in range(_CALIBRATION_FOLDS)
        for own in [folds == fold]
    )
    return fitted if after < _loss(scores, true) else None


def _loss(chances: FloatVector, true: NDArray[np.bool_]) -> float:
    inside = np.clip(chances, _CERTAIN, 1 - _CERTAIN)
    return -float(np.log(np.where(true, inside, 1 - inside)).sum())


def _fit(scores: FloatVector, true: NDArray[np.bool_]) -> Calibrator:
    bins = max(1, len(scores) // _CROWD)
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, scores, side="left")
    while True:
        counts = np.bincount(places)
        there = counts > 0
        means = np.bincount(places, scores)[there] / counts[there]
        apart = np.diff(means, prepend=-np.inf) > _RESOLUTION
        if apart.all():
            break
        places = (np.cumsum(apart) - 1)[(np.cumsum(there) - 1)[places]]
    shares = np.bincount(places, true)[there] / counts[there]
    isotonic = IsotonicRegression(y_min=0, y_max=1).fit(means, shares, counts[there])
    chances = isotonic.predict(means)
    steps = np.diff(chances, prepend=-1.0, append=2.0) != 0
    ends = steps[:-1] | steps[1:]  # the others lie on a level line
    return Calibrator(
        scores=tuple(means[ends].tolist()), chances=tuple(chances[ends].tolist()), rows=len(scores)
    )


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that the model was not fitted on.

    Attributes
    ----------
    scores : FloatMatrix
        Shape [M, C] float64.
    labels : IntMatrix
        Shape [M, L]: the positions of the labels that the model gives.
    true : IntMatrix
        Shape [M, L]: the positions of the true labels; no column where they are unknown, and for
        a regressor.
    metrics : mapping of str to MetricInterval
        Metrics of the model on them.
    """

    scores: FloatMatrix
    labels: IntMatrix
    true: IntMatrix
    metrics: Mapping[str, MetricInterval] = field(default_factory=dict)


def baseline(
    signature: Signature,
    X: FloatMatrix,
    held_out: HeldOut,
    weights: Mapping[str, float] | None = None,
) -> Baseline:
    """Build the baseline: counts of the training rows and of the held-out scores.

    Parameters
    ----------
    signature : Signature
        Of the model.
    X : FloatMatrix
        Shape [N, K] float64: the encoded rows of training.
    held_out : HeldOut
        Their scores are as in production: those of training rows would be more extreme.
    weights : mapping of str to float, optional
        The model's attribution to each feature, such as the mean of absolute Shapley values.

    Returns
    -------
    Baseline
        Counts, and no row.
    """
    values = watched_values(signature, X)
    columns = list(zip(signature.features, values.T.copy(), strict=True))
    binned = {feature.name: _binned(feature, column) for feature, column in columns}
    return Baseline(
        rows=len(X),
        duplicates=count_duplicates(X),
        features={feature.name: _feature(feature, column) for feature, column in columns},
        binned={name: one for name, one in binned.items() if one is not None},
        scores={one.name: _score(one, held_out) for one in watched_scores(signature.target)},
        labels=count_labels(signature, held_out.labels),
        balance=_balance(signature, held_out.true),
        calibrators=dict(_calibrators(signature, held_out)),
        metrics=dict(held_out.metrics),
        weights=_shares(weights or {}),
        errors={},
    )


def numbers(ruler: Ruler, values: FloatVector) -> Reference:
    """Count numbers of training, [n] float64, on the ruler of the baseline."""
    column = count_numbers(ruler, values)
    return Reference(ruler=ruler, column=column, std=_deviation(ruler, values))


def _feature(feature: Feature, values: FloatVector) -> Reference:
    if codes(feature):
        ruler = Ruler(codes=codes(feature))
        return Reference(ruler=ruler, column=count_codes(ruler, values))
    # The signature has no range of a text's number of known terms.
    return numbers(quantile_ruler(values[np.isfinite(values)], feature.span), values)


def _binned(feature: Feature, values: FloatVector) -> Reference | None:
    """Count as a binned capture does; None for a feature that it leaves out."""
    if codes(feature):
        return _feature(feature, values)
    if feature.span is None or (ruler := tenth_ruler(feature.span)) is None:
        return None
    column = count_tenths(ruler, tenths(values, feature.span))
    return Reference(ruler=ruler, column=column, std=_deviation(ruler, values))


def _score(one: WatchedScore, held_out: HeldOut) -> Reference:
    values = one.of(held_out.scores, held_out.labels)
    chance = one.target.scores == "probability"
    ruler = share_ruler() if chance else quantile_ruler(values[np.isfinite(values)])
    return numbers(with_edge(ruler, one.boundary), values)


def _deviation(ruler: Ruler, values: FloatVector) -> float:
    present = values[np.isfinite(values)]
    if not ruler.edges or not present.size:
        return 0.0
    inside = np.clip(present, ruler.edges[0], ruler.edges[-1])
    # Of numbers near the greatest that there are, the squares are infinite.
    greatest = float(np.abs(inside).max()) or 1.0
    return float(min((inside / greatest).std() * greatest, np.finfo(np.float64).max))


def _calibrators(signature: Signature, held_out: HeldOut) -> Iterator[tuple[str, Calibrator]]:
    if not held_out.true.shape[1]:
        return
    for one in watched_scores(signature.target):
        expected = held_out.labels[:, one.place] if one.label is None else one.label
        right = held_out.true[:, one.place] == expected
        scores = one.of(held_out.scores, held_out.labels)
        fitted = calibrate(scores, right, one.target.scores == "probability")
        if fitted is not None:
            yield one.name, fitted


def _balance(signature: Signature, true: IntMatrix) -> dict[str, Counts]:
    return count_labels(signature, true) if true.shape[1] else {}


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(map(abs, weights.values()))
    return {name: abs(weight) / total for name, weight in weights.items()} if total else {}
