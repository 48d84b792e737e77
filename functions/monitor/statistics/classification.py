"""Classification metrics of rows whose labels are known, or known by their probability.

With probabilities of 0 and 1 these are the usual metrics; with others their expectation, and its
standard deviation as labels are drawn with these probabilities.
"""

from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector, IntVector

_TINY: Final = 1e-300

type Gradient = FloatVector
"""The derivatives of a metric by the probability of each row, [n]."""


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Rows, or bins of rows, in ascending order of their scores.

    Attributes
    ----------
    scores : FloatVector
        Shape [n].
    probabilities : FloatVector
        Shape [n]: that the second class is true.
    positive : Flags
        Shape [n]: whether the second class was predicted.
    weights : FloatVector
        Shape [n]: how many rows each stands for.
    """

    scores: FloatVector
    probabilities: FloatVector
    positive: Flags
    weights: FloatVector


def sort_rows(
    scores: FloatVector,
    probabilities: FloatVector,
    positive: Flags,
    weights: FloatVector | None = None,
) -> ScoredRows:
    """Sort rows, [n], by their scores."""
    order = np.argsort(scores, kind="stable")
    weights = np.ones(len(scores)) if weights is None else weights
    return ScoredRows(scores[order], probabilities[order], positive[order], weights[order])


def classification_metrics(rows: ScoredRows) -> dict[str, tuple[float, Gradient]]:
    """Return each metric with its gradient; NaN where it is undefined."""
    weights, probabilities = rows.weights, rows.probabilities
    label = rows.positive.astype(np.float64)
    total, predicted = weights.sum(), (weights * rows.positive).sum()
    true, hits = (weights * probabilities).sum(), (weights * probabilities * rows.positive).sum()
    right = total - predicted - true + 2 * hits
    return {
        "accuracy": _ratio(right, total, 2 * label - 1, weights, 0.0),
        "precision": _ratio(hits, predicted, label, weights, 0.0),
        "recall": _ratio(hits, true, label, weights, 1.0),
        "f1": _ratio(2 * hits, predicted + true, 2 * label, weights, 1.0),
        "roc_auc": roc_auc(rows),
    }


def _ratio(
    numerator: float,
    denominator: float,
    slope: FloatVector,
    weights: FloatVector,
    denominator_slope: float,
) -> tuple[float, Gradient]:
    """Return a ratio and its gradient, by the slopes of its parts in each probability."""
    if not denominator:
        return nan, np.zeros(len(weights))
    value = float(numerator / denominator)
    return value, weights * (slope - denominator_slope * value) / denominator


def roc_auc(rows: ScoredRows) -> tuple[float, Gradient]:
    """Return the area under the ROC curve and its gradient.

    The probability that of two rows the one of the second class has the higher score; a tie counts
    half (Mann and Whitney, 1947).
    """
    below, above = placements(rows)
    ones = rows.weights * rows.probabilities
    zeros = rows.weights - ones
    if not ones.sum() * zeros.sum():
        return nan, np.zeros(len(ones))
    value = float((ones * below).sum() / ones.sum())
    slope = (below - value) / ones.sum() - (above - value) / zeros.sum()
    return value, rows.weights * slope


def placements(rows: ScoredRows) -> tuple[FloatVector, FloatVector]:
    """Return, [n], the shares of the first class below each row and of the second above it."""
    ones = rows.weights * rows.probabilities
    zeros = rows.weights - ones
    first = np.searchsorted(rows.scores, rows.scores, side="left")
    last = np.searchsorted(rows.scores, rows.scores, side="right")
    below = _mass_below(zeros, first, last) / max(zeros.sum(), _TINY)
    above = 1 - _mass_below(ones, first, last) / max(ones.sum(), _TINY)
    return below, above


def _mass_below(mass: FloatVector, first: IntVector, last: IntVector) -> FloatVector:
    """Sum the mass below each score, and half of that at it."""
    cumulative = np.concatenate([[0.0], np.cumsum(mass)])
    below: FloatVector = (cumulative[first] + cumulative[last]) / 2
    return below


def standard_deviation(rows: ScoredRows, gradient: Gradient) -> float:
    """Return the standard deviation of a metric as each label is drawn with its probability.

    To first order (the delta method); a bin of w rows draws w times.
    """
    variance = rows.probabilities * (1 - rows.probabilities) / np.maximum(rows.weights, _TINY)
    return sqrt(float((variance * gradient**2).sum()))
