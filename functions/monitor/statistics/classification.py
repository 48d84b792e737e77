"""Accuracy, precision, recall, F1 and AUC of a chance of each label, and how sure they are.

With chances of 0 and 1 these are the usual figures of what was seen; with others what is to be
expected, and its standard deviation as labels are drawn with these chances.
"""

from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector, IntVector

_TINY: Final = 1e-300

type Gradient = FloatVector
"""How a figure changes with the chance of each row, [n]."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Rows, or bins of rows, in ascending order of their scores.

    Attributes
    ----------
    scores : FloatVector
        Shape [n].
    chances : FloatVector
        Shape [n]: of the second class being true.
    positive : Flags
        Shape [n]: whether the second class is the label.
    weights : FloatVector
        Shape [n]: how many rows each stands for.
    """

    scores: FloatVector
    chances: FloatVector
    positive: Flags
    weights: FloatVector


def chances_of(
    scores: FloatVector, chances: FloatVector, positive: Flags, weights: FloatVector | None = None
) -> Chances:
    """Put rows, [n], in the order of their scores."""
    order = np.argsort(scores, kind="stable")
    weights = np.ones(len(scores)) if weights is None else weights
    return Chances(scores[order], chances[order], positive[order], weights[order])


def figures(rows: Chances) -> dict[str, tuple[float, Gradient]]:
    """Give each figure with its gradient; NaN where nothing decides it."""
    weights, chances, positive = rows.weights, rows.chances, rows.positive
    all_, found = weights.sum(), (weights * positive).sum()
    true, hits = (weights * chances).sum(), (weights * chances * positive).sum()
    label = positive.astype(np.float64)
    return {
        "accuracy": _ratio(all_ - found - true + 2 * hits, all_, 2 * label - 1, weights, 0.0),
        "precision": _ratio(hits, found, label, weights, 0.0),
        "recall": _ratio(hits, true, label, weights, 1.0),
        "f1": _ratio(2 * hits, found + true, 2 * label, weights, 1.0),
        "roc_auc": area(rows),
    }


def _ratio(
    part: float, whole: float, slope: FloatVector, weights: FloatVector, moves: float
) -> tuple[float, Gradient]:
    """Give a ratio and its gradient; the whole moves with a chance, or it does not."""
    if not whole:
        return nan, np.zeros(len(weights))
    value = float(part / whole)
    return value, weights * (slope - moves * value) / whole


def area(rows: Chances) -> tuple[float, Gradient]:
    """Give the area under the ROC curve and its gradient.

    The chance that of two rows the one of the second class has the higher score, a tie being half
    of it (Mann and Whitney, 1947).
    """
    below, above = placements(rows)
    ones = rows.weights * rows.chances
    zeros = rows.weights - ones
    if not ones.sum() * zeros.sum():
        return nan, np.zeros(len(ones))
    value = float((ones * below).sum() / ones.sum())
    slope = (below - value) / ones.sum() - (above - value) / zeros.sum()
    return value, rows.weights * slope


def placements(rows: Chances) -> tuple[FloatVector, FloatVector]:
    """Give, [n], the shares of the first class below each row, and of the second above it."""
    ones = rows.weights * rows.chances
    zeros = rows.weights - ones
    first = np.searchsorted(rows.scores, rows.scores, side="left")
    last = np.searchsorted(rows.scores, rows.scores, side="right")
    below = _beside(zeros, first, last) / max(zeros.sum(), _TINY)
    above = 1 - _beside(ones, first, last) / max(ones.sum(), _TINY)
    return below, above


def _beside(mass: FloatVector, first: IntVector, last: IntVector) -> FloatVector:
    """Add up the mass below each score, and half of that at it."""
    summed = np.concatenate([[0.0], np.cumsum(mass)])
    found: FloatVector = (summed[first] + summed[last]) / 2
    return found


def deviation(rows: Chances, gradient: Gradient) -> float:
    """Give the standard deviation of a figure as each row's label is drawn with its chance.

    To first order (the delta method); a bin of w rows draws w times.
    """
    each = rows.chances * (1 - rows.chances) / np.maximum(rows.weights, _TINY)
    return sqrt(float((each * gradient**2).sum()))
