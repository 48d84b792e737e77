"""How good the model is where nobody knows the outcome yet.

Confidence-based performance estimation: a calibrated score is the chance that the label is true,
so that it says how many labels are to be expected right (NannyML's CBPE). It is blind to concept
drift, where chances are no longer what they were: `performance.concept` looks for that.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from functions.monitor.statistics.classification import Chances, chances_of, deviation, figures
from functions.monitor.statistics.distances import mean
from sklambda.baseline import Calibrator, Reference
from sklambda.sketch.sketch import Column


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that is to be expected, and the standard deviation of what will be seen."""

    value: float
    deviation: float


def estimate_from_bins(
    reference: Reference, column: Column, parting: float, calibrator: Calibrator | None = None
) -> dict[str, Estimate]:
    """Estimate the performance between two classes from the counts of scores, each bin at its mean.

    Parameters
    ----------
    reference : Reference
        The score of training.
    column : Column
        The counts of a window.
    parting : float
        The greatest score that gives the first label, an edge: `watched_scores.Scored.parting`.
        Infinity where more than two classes compete: then only ``roc_auc``, of one class against
        the rest, means anything.
    calibrator : Calibrator, optional
        Turns scores into chances; without it they are chances.

    Returns
    -------
    dict of str to Estimate
        ``accuracy``, ``precision``, ``recall``, ``f1`` and ``roc_auc``; NaN where nothing decides.
    """
    counts = np.array(column.counts, dtype=np.float64)
    edges = np.array(reference.ruler.edges)
    there = counts > 0
    means = (edges - np.array(column.gaps) / np.maximum(counts, 1))[there]
    positive = edges[there] > parting
    chances = means if calibrator is None else calibrator(means)
    return _estimates(chances_of(means, chances, positive, counts[there]))


def estimate_accuracy(
    reference: Reference, column: Column, calibrator: Calibrator | None = None
) -> Estimate:
    """Estimate the accuracy among any number of classes from the score of the label."""
    counts = np.array(column.counts, dtype=np.float64)
    means = np.array(reference.ruler.edges) - np.array(column.gaps) / np.maximum(counts, 1)
    chances = means if calibrator is None else calibrator(means)
    if not counts.any():
        return Estimate(nan, nan)
    spread = sqrt(float((counts * chances * (1 - chances)).sum())) / counts.sum()
    return Estimate(float(np.average(chances, weights=counts)), float(spread))


def estimate_error(reference: Reference, column: Column, deviation: float = 0.0) -> Estimate:
    """Estimate a regressor's mean absolute error without outcomes (NannyML's DLE).

    Parameters
    ----------
    reference, column : Reference, Column
        The absolute errors that a second model, fitted on held-out rows, predicts; of training and
        of a window.
    deviation : float, optional
        How far an absolute error lies from its prediction, as a standard deviation.
    """
    rows = sum(column.counts)
    if not rows:
        return Estimate(nan, nan)
    return Estimate(mean(reference.ruler, column), deviation / sqrt(rows))


def _estimates(rows: Chances) -> dict[str, Estimate]:
    return {
        name: Estimate(value, deviation(rows, gradient))
        for name, (value, gradient) in figures(rows).items()
    }
