"""Performance by outcomes: metrics with confidence intervals, and the test for concept drift."""

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Final

import numpy as np

from functions.monitor.statistics.classification import Chances, chances_of, figures, placements
from functions.monitor.statistics.intervals import (
    Interval,
    around,
    average,
    effective,
    share,
    wilson,
)
from functions.monitor.statistics.significance import normal_tail
from sklambda.arrays import Flags, FloatVector, IntVector

LEVEL: Final = 0.01
"""How often the alarm may sound where nothing has changed."""

type Intervals = dict[str, Interval]


def realised(
    scores: FloatVector,
    positive: Flags,
    true: Flags,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Intervals:
    """Measure a classifier of two classes on rows with outcomes.

    Parameters
    ----------
    scores : FloatVector
        Shape [n]: of the second class.
    positive, true : Flags
        Shape [n]: whether it is the label, and whether it was true.
    selection : FloatVector, optional
        Shape [n]: the chance that each row had to get an outcome; a row counts as one over it.
    confidence : float, optional
        The share of such intervals that hold the true figure.

    Returns
    -------
    dict of str to Interval
        ``accuracy``, ``precision`` and ``recall`` with Wilson's interval, ``f1`` and ``roc_auc``
        with the normal one of their influence functions (for the area DeLong's, 1988).
    """
    weights = _weights(len(scores), selection)
    right = (positive == true).astype(np.float64)
    linear = _linear(chances_of(scores, true.astype(np.float64), positive, weights), confidence)
    return {
        "accuracy": share(right, weights, confidence),
        "precision": share(right[positive], weights[positive], confidence),
        "recall": share(right[true], weights[true], confidence),
    } | linear


def _linear(rows: Chances, confidence: float) -> Intervals:
    measured = figures(rows)
    influences = {"f1": _influence_on_f1, "roc_auc": _influence_on_area}
    found = {}
    for name, influence in influences.items():
        value = measured[name][0]
        spread = sqrt(float((influence(rows, value) ** 2).sum()))
        found[name] = _within(value, spread, effective(rows.weights), confidence)
    return found


def _within(value: float, spread: float, rows: float, confidence: float) -> Interval:
    """Keep an interval within 0 and 1; where no row is unlike the others, Wilson's says more."""
    if not spread:
        return wilson(value, rows, confidence)
    interval = around(value, spread, rows, confidence)
    return Interval(value, max(0.0, interval.low), min(1.0, interval.high), rows)


def _influence_on_f1(rows: Chances, value: float) -> FloatVector:
    twice = rows.positive + rows.chances
    moved = 2 * rows.positive * rows.chances - value * twice
    influence: FloatVector = rows.weights * moved / (rows.weights * twice).sum()
    return influence


def _influence_on_area(rows: Chances, value: float) -> FloatVector:
    below, above = placements(rows)
    ones = rows.weights * rows.chances
    zeros = rows.weights - ones
    influence: FloatVector = ones * (below - value) / ones.sum()
    return influence + zeros * (above - value) / zeros.sum()


def realised_accuracy(
    labels: IntVector,
    true: IntVector,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Measure the accuracy among any number of classes, whose positions are given, [n]."""
    right = (labels == true).astype(np.float64)
    return share(right, _weights(len(labels), selection), confidence)


def realised_error(
    values: FloatVector,
    true: FloatVector,
    selection: FloatVector | None = None,
    confidence: float = 0.95,
) -> Intervals:
    """Measure a regressor, [n]: its mean error, absolute error and root of the squared error."""
    weights, errors = _weights(len(values), selection), values - true
    squared = average(errors**2, weights, confidence)
    value, low, high = np.sqrt(np.maximum((squared.value, squared.low, squared.high), 0)).tolist()
    return {
        "bias": average(errors, weights, confidence),
        "mean_absolute_error": average(np.abs(errors), weights, confidence),
        "root_mean_squared_error": Interval(value, low, high, squared.rows),
    }


def _weights(rows: int, selection: FloatVector | None) -> FloatVector:
    return np.ones(rows) if selection is None else 1 / selection


@dataclass(frozen=True, slots=True)
class Concept:
    """Realised beside expected accuracy, on the same rows.

    Attributes
    ----------
    rows : int
        How many had an outcome.
    expected, realised : float
        The accuracy; NaN without rows.
    z, p : float
        How many standard deviations it lies below what was expected, and the chance of that.
    alarm : bool
        Whether that is too little to be chance.
    """

    rows: int
    expected: float
    realised: float
    z: float
    p: float
    alarm: bool


def concept(
    chances: FloatVector, positive: Flags, true: Flags, calibrated_on: float = inf
) -> Concept:
    """Test whether the labels of two classes are right less often than their scores say.

    Each label is right with the chance that its calibrated score gives; how many are has a mean
    and a variance. As far as a row's chance to get an outcome depends on its features only, the
    test holds without weights.

    Parameters
    ----------
    chances : FloatVector
        Shape [n]: of the second class, by the calibrated score.
    positive, true : Flags
        Shape [n]: whether it is the label, and whether it was true.
    calibrated_on : float, optional
        From how many rows the calibrator was learnt, which is not sure of itself either.
    """
    expected = positive * chances + ~positive * (1 - chances)
    return concept_of_labels(expected, positive == true, calibrated_on)


def concept_of_labels(chances: FloatVector, right: Flags, calibrated_on: float = inf) -> Concept:
    """Test the same among any number of classes, by the chance, [n], that each label is right."""
    rows = len(chances)
    variance = float((chances * (1 - chances)).sum()) * (1 + rows / calibrated_on)
    if not variance:
        missed = bool((chances > right).any())
        return Concept(rows, _mean(chances), _mean(right), nan, nan, missed)
    z = float((chances - right).sum()) / sqrt(variance)
    p = normal_tail(z)
    return Concept(rows, _mean(chances), _mean(right), z, p, p < LEVEL)


def _mean(values: FloatVector | Flags) -> float:
    return float(values.mean()) if len(values) else nan
