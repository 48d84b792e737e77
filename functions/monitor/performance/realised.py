"""Performance by outcomes: metrics with confidence intervals, and the test for concept drift."""

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Final

import numpy as np

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
from functions.monitor.statistics.significance import normal_tail
from sklambda.arrays import Flags, FloatVector, IntVector

SIGNIFICANCE: Final = 0.01
"""The share of false alarms of concept drift."""

type Intervals = dict[str, Interval]


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
    return ConceptDrift(rows, expected, realised, z, p, p < SIGNIFICANCE)


def _mean(values: FloatVector | Flags) -> float:
    return float(values.mean()) if len(values) else nan
