"""The performance of a target: realised, estimated, and compared with training."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite, nan, sqrt
from typing import Final

import numpy as np

from functions.monitor.counting.hours import WindowCounts
from functions.monitor.outcomes import LabelledPredictions
from functions.monitor.performance.estimated import (
    Estimate,
    estimate_accuracy,
    estimate_error,
    estimate_from_bins,
)
from functions.monitor.statistics.classification import (
    ScoredRows,
    classification_metrics,
    placements,
    sort_rows,
)
from functions.monitor.statistics.intervals import (
    Interval,
    effective_size,
    mean_interval,
    normal_interval,
    share_interval,
    wilson,
)
from functions.monitor.statistics.significance import normal_quantile, normal_tail
from functions.monitor.targets import WatchedTarget
from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import Flags, FloatVector, IntVector
from sklambda.manifest import MetricInterval
from sklambda.sketch.sketch import Histogram, Sketch

CONCEPT_SIGNIFICANCE: Final = 0.01
"""The share of false alarms of concept drift."""

type Intervals = dict[str, Interval]
MIN_OUTCOMES: Final = 30
"""With fewer outcomes no metric counts as dropped: the intervals are asymptotic."""

_SIGNIFICANCE: Final = 0.01
"""The share of metrics that count as dropped by chance."""

_LOSSES: Final = frozenset({"mean_absolute_error", "root_mean_squared_error"})

_RANKS: Final = frozenset({"roc_auc"})
"""What needs scores and no labels."""


def binary_metrics(
    scores: FloatVector,
    positive: Flags,
    true: Flags,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Intervals:
    """Measure a classifier of two classes.

    Parameters
    ----------
    scores : FloatVector
        Shape [n]: of the second class.
    positive, true : Flags
        Shape [n]: whether the second class was predicted, and whether it was true.
    selection : FloatVector, optional
        Shape [n]: the probability that the outcome of a row was requested; the row is weighted by
        its inverse.
    confidence : float, optional
        The share of intervals that contain the true metric.

    Returns
    -------
    dict of str to Interval
        ``accuracy``, ``precision`` and ``recall`` with Wilson's interval, ``f1`` and ``roc_auc``
        with the normal one of their influence functions (for the area DeLong's, 1988).
    """
    weights = _weights(len(scores), selection)
    right = (positive == true).astype(np.float64)
    rows = sort_rows(scores, true.astype(np.float64), positive, weights)
    return {
        "accuracy": share_interval(right, weights, confidence),
        "precision": share_interval(right[positive], weights[positive], confidence),
        "recall": share_interval(right[true], weights[true], confidence),
    } | _influence_intervals(rows, confidence)


def _influence_intervals(rows: ScoredRows, confidence: float) -> Intervals:
    metrics, size = classification_metrics(rows), effective_size(rows.weights)
    intervals = {}
    for name, influence in (("f1", _influence_on_f1), ("roc_auc", _influence_on_area)):
        value = metrics[name][0]
        deviation = sqrt(float((influence(rows, value) ** 2).sum()))
        intervals[name] = _bounded_interval(value, deviation, size, confidence)
    return intervals


def _bounded_interval(value: float, deviation: float, rows: float, confidence: float) -> Interval:
    """Return an interval within 0 and 1; Wilson's if all rows have the same influence."""
    if not deviation:
        return wilson(value, rows, confidence)
    interval = normal_interval(value, deviation, rows, confidence)
    return Interval(value, max(0.0, interval.low), min(1.0, interval.high), rows)


def _influence_on_f1(rows: ScoredRows, value: float) -> FloatVector:
    total = rows.positive + rows.probabilities
    residual = 2 * rows.positive * rows.probabilities - value * total
    influence: FloatVector = rows.weights * residual / (rows.weights * total).sum()
    return influence


def _influence_on_area(rows: ScoredRows, value: float) -> FloatVector:
    below, above = placements(rows)
    ones = rows.weights * rows.probabilities
    zeros = rows.weights - ones
    influence: FloatVector = ones * (below - value) / ones.sum()
    return influence + zeros * (above - value) / zeros.sum()


def multiclass_accuracy(
    labels: IntVector,
    true: IntVector,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Measure the accuracy of any number of classes by the positions of the labels, [n]."""
    right = (labels == true).astype(np.float64)
    return share_interval(right, _weights(len(labels), selection), confidence)


def regression_errors(
    values: FloatVector,
    true: FloatVector,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Intervals:
    """Measure a regressor, [n]: the bias, the mean absolute and the root mean squared error."""
    weights, errors = _weights(len(values), selection), values - true
    squared = mean_interval(errors**2, weights, confidence)
    value, low, high = np.sqrt(np.maximum((squared.value, squared.low, squared.high), 0)).tolist()
    return {
        "bias": mean_interval(errors, weights, confidence),
        "mean_absolute_error": mean_interval(np.abs(errors), weights, confidence),
        "root_mean_squared_error": Interval(value, low, high, squared.rows),
    }


def _weights(rows: int, selection: FloatVector | None) -> FloatVector:
    return np.ones(rows) if selection is None else 1 / selection


@dataclass(frozen=True, slots=True)
class ConceptDrift:
    """The test for concept drift: realised accuracy against the expected one, on the same rows.

    Attributes
    ----------
    rows : int
        The number of rows with an outcome.
    expected, realised : float
        The accuracies; NaN without rows.
    z, p : float
        The shortfall of the realised accuracy in standard deviations, and its p-value.
    alarm : bool
        Whether the shortfall is significant.
    """

    rows: int
    expected: float
    realised: float
    z: float
    p: float
    alarm: bool


def concept_drift(
    probabilities: FloatVector, positive: Flags, true: Flags, calibrated_on: float = inf
) -> ConceptDrift:
    """Test whether the labels of two classes are true less often than their scores predict.

    Each label is true with the probability of its calibrated score; the number of true labels has
    a mean and a variance. As long as the probability that a row has an outcome depends on its
    features only, the test holds without weights.

    Parameters
    ----------
    probabilities : FloatVector
        Shape [n]: of the second class, by the calibrated score.
    positive, true : Flags
        Shape [n]: whether the second class was predicted, and whether it was true.
    calibrated_on : float, optional
        The number of rows that the calibrator was fitted on; its error counts too.
    """
    expected = positive * probabilities + ~positive * (1 - probabilities)
    return concept_drift_of_labels(expected, positive == true, calibrated_on)


def concept_drift_of_labels(
    probabilities: FloatVector, right: Flags, calibrated_on: float = inf
) -> ConceptDrift:
    """Test any number of classes by the probability, [n], that each label is true."""
    rows = len(probabilities)
    expected, realised = _mean(probabilities), _mean(right)
    variance = float((probabilities * (1 - probabilities)).sum()) * (1 + rows / calibrated_on)
    if not variance:
        is_wrong = bool((probabilities > right).any())
        return ConceptDrift(rows, expected, realised, nan, nan, is_wrong)
    z = float((probabilities - right).sum()) / sqrt(variance)
    p = normal_tail(z)
    return ConceptDrift(rows, expected, realised, z, p, p < CONCEPT_SIGNIFICANCE)


def _mean(values: FloatVector | Flags) -> float:
    return float(values.mean()) if len(values) else nan


@dataclass(frozen=True, slots=True)
class Performance:
    """The performance of a target.

    Attributes
    ----------
    target : str
        The name of the target, or of the value.
    trained : dict of str to MetricInterval
        On held-out rows of training.
    realised : dict of str to Interval
        By outcomes; empty without any.
    estimated : dict of str to Estimate
        Expected without outcomes; empty where no estimate is possible.
    labelled : int
        The number of predictions with an outcome.
    concept : ConceptDrift or None
        The test for concept drift.
    dropped : tuple of str
        The metrics that are significantly worse than in training: realised ones by their name,
        estimated ones as "estimated …"; none if captures lack features that the scores depend on.
    """

    target: str
    trained: dict[str, MetricInterval] = field(default_factory=dict)
    realised: dict[str, Interval] = field(default_factory=dict)
    estimated: dict[str, Estimate] = field(default_factory=dict)
    labelled: int = 0
    concept: ConceptDrift | None = None
    dropped: tuple[str, ...] = ()


def measure(
    model: WatchedModel,
    watched: WatchedTarget,
    window: WindowCounts,
    labelled: LabelledPredictions,
) -> Performance:
    """Measure the performance of a target."""
    labelled = with_finite_scores(watched, labelled)
    trained = _training_metrics(model, watched)
    realised = realised_metrics(watched, labelled)
    estimated = estimated_metrics(model, watched, window.sketch, window.errors)
    allowed = model.watching.retrain.estimated_drop
    dropped = [f"estimated {name}" for name in _estimated_drops(trained, estimated, allowed)]
    if len(labelled) >= MIN_OUTCOMES:
        dropped = [*dropped_metrics(trained, realised), *dropped]
    return Performance(
        target=watched.name,
        trained=trained,
        realised=realised,
        estimated=estimated,
        labelled=len(labelled),
        concept=_test_concept_drift(model, watched, labelled),
        dropped=tuple(dropped) if _are_comparable(model, watched, window.sketch) else (),
    )


def _are_comparable(model: WatchedModel, watched: WatchedTarget, sketch: Sketch) -> bool:
    """Return whether captures have the model's own scores, but for what does not matter.

    A binned capture has the mean value of its bins, whose errors are greater than the model's.
    """
    is_value = not watched.target.classes
    return not model.baseline.hides_much(sketch) and not (is_value and sketch.mode == "binned")


def with_finite_scores(
    watched: WatchedTarget, labelled: LabelledPredictions
) -> LabelledPredictions:
    """Return the rows whose score is finite."""
    if watched.score is None:
        return labelled
    rows = np.flatnonzero(np.isfinite(labelled.predictions.scores[:, watched.score_column]))
    predictions = labelled.predictions.take(rows)
    return LabelledPredictions(predictions, labelled.true[rows], labelled.selection[rows])


def realised_metrics(watched: WatchedTarget, labelled: LabelledPredictions) -> dict[str, Interval]:
    """Measure the realised metrics of a target; return none without outcomes."""
    if not len(labelled):
        return {}
    true, selection = labelled.true[:, watched.outcome_column], labelled.selection
    predictions = labelled.predictions
    if not watched.target.classes:
        return regression_errors(predictions.scores[:, watched.score_column], true, selection)
    labels = predictions.labels[:, watched.label_column]
    if watched.is_binary and watched.score is not None:
        scores = predictions.scores[:, watched.score_column]
        return binary_metrics(scores, labels == 1, true == 1, selection)
    return {"accuracy": multiclass_accuracy(labels, true.astype(np.intp), selection)}


def estimated_metrics(
    model: WatchedModel, watched: WatchedTarget, sketch: Sketch, errors: Mapping[str, Histogram]
) -> dict[str, Estimate]:
    """Estimate the metrics of a target; return none if its scores are no probabilities."""
    if watched.name in errors:
        trained = model.baseline.errors[watched.name]
        error = estimate_error(trained.reference, errors[watched.name], trained.deviation)
        return {"mean_absolute_error": error}
    if watched.score is None or not watched.target.classes or not sketch.rows:
        return {}
    name = watched.score.name
    calibrator = model.baseline.calibrators.get(name)
    reference, column = model.baseline.scores[name], sketch.scores[name]
    if (calibrator is None and not watched.is_probability) or not column.present:
        return {}
    if not watched.is_binary:
        return {"accuracy": estimate_accuracy(reference, column, calibrator)}
    boundary = watched.score.boundary
    found = estimate_from_bins(reference, column, inf if boundary is None else boundary, calibrator)
    # Where the label does not follow the score, only what needs no label is meaningful.
    meaningful = found.keys() if boundary is not None else found.keys() & _RANKS
    return {name: estimate for name, estimate in found.items() if name in meaningful}


def _test_concept_drift(
    model: WatchedModel, watched: WatchedTarget, labelled: LabelledPredictions
) -> ConceptDrift | None:
    if watched.score is None or not watched.target.classes or not len(labelled):
        return None
    calibrator = model.baseline.calibrators.get(watched.score.name)
    if calibrator is None and not watched.is_probability:
        return None
    scores = labelled.predictions.scores[:, watched.score_column]
    true = labelled.true[:, watched.outcome_column]
    probabilities = scores if calibrator is None else calibrator(scores)
    rows = inf if calibrator is None else calibrator.rows
    labels = labelled.predictions.labels[:, watched.label_column]
    if watched.is_binary:
        return concept_drift(probabilities, labels == 1, true == 1, rows)
    return concept_drift_of_labels(probabilities, labels == true, rows)


def _training_metrics(model: WatchedModel, watched: WatchedTarget) -> dict[str, MetricInterval]:
    """Return the metrics of training; of one of several targets those that begin with its name."""
    metrics, target = model.baseline.metrics, model.signature.target
    if not target.parts and len(target.outputs) < 2:
        return dict(metrics)
    prefix = f"{watched.name}: "
    return {
        name.removeprefix(prefix): one for name, one in metrics.items() if name.startswith(prefix)
    }


def dropped_metrics(
    trained: Mapping[str, MetricInterval], realised: Mapping[str, Interval]
) -> Iterator[str]:
    """Return the realised metrics that are significantly worse than in training."""
    for name, now in realised.items():
        if (before := trained.get(name)) is not None and isfinite(now.value):
            drop = now.value - before.value if name in _LOSSES else before.value - now.value
            deviation = np.hypot(_deviation(before), _deviation(now))
            if drop > max(deviation * normal_quantile(1 - _SIGNIFICANCE), 0.0):
                yield name


def _estimated_drops(
    trained: Mapping[str, MetricInterval], estimated: Mapping[str, Estimate], allowed: float
) -> Iterator[str]:
    for name, now in estimated.items():
        if (before := trained.get(name)) is not None and isfinite(now.value):
            deviation = np.hypot(_deviation(before), now.deviation)
            drop, limit = before.value - now.value, allowed
            if name in _LOSSES:  # which have a unit, so that the allowed drop is a share of them
                drop, limit = -drop, allowed * before.value
            if drop > limit + deviation * normal_quantile(1 - _SIGNIFICANCE):
                yield name


def _deviation(metric: MetricInterval | Interval) -> float:
    return (metric.high - metric.low) / 2 / normal_quantile(0.975)
