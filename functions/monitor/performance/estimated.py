"""Performance that is estimated without outcomes.

Confidence-based performance estimation: a calibrated score is the probability that the label is
true, so that the expected share of true labels follows from the scores (NannyML's CBPE). It is
blind to concept drift, where the probabilities no longer hold:
`functions.monitor.performance.measure.concept_drift` tests for that.
"""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from functions.monitor.statistics.classification import (
    ScoredRows,
    classification_metrics,
    sort_rows,
    standard_deviation,
)
from functions.monitor.statistics.distances import mean
from sklambda.arrays import FloatVector
from sklambda.sketch.baseline import Calibrator, Reference
from sklambda.sketch.sketch import Histogram


@dataclass(frozen=True, slots=True)
class Estimate:
    """An expected metric, and the standard deviation of the realised one around it."""

    value: float
    deviation: float


def estimate(rows: ScoredRows) -> dict[str, Estimate]:
    """Estimate the metrics of a classifier of two classes from rows, or bins of rows.

    Returns
    -------
    dict of str to Estimate
        ``accuracy``, ``precision``, ``recall``, ``f1`` and ``roc_auc``; NaN where undefined.
    """
    return {
        name: Estimate(value, standard_deviation(rows, gradient))
        for name, (value, gradient) in classification_metrics(rows).items()
    }


def estimate_from_bins(
    reference: Reference, column: Histogram, boundary: float, calibrator: Calibrator | None = None
) -> dict[str, Estimate]:
    """Estimate the metrics of a classifier of two classes from binned scores.

    Parameters
    ----------
    reference : Reference
        The score of training.
    column : Histogram
        The counts of a window; each bin stands for its mean.
    boundary : float
        The greatest score of the first label, an edge: `WatchedScore.boundary`. Infinity
        if more than two classes compete: then only ``roc_auc``, of one class against the rest,
        is meaningful.
    calibrator : Calibrator, optional
        Converts scores to probabilities; without it they are probabilities.
    """
    counts = np.array(column.counts, dtype=np.float64)
    edges = np.array(reference.ruler.edges)
    occupied = counts > 0
    means = _bin_means(reference, column)[occupied]
    positive = edges[occupied] > boundary
    probabilities = _calibrated(means, calibrator)
    return estimate(sort_rows(means, probabilities, positive, counts[occupied]))


def estimate_accuracy(
    reference: Reference, column: Histogram, calibrator: Calibrator | None = None
) -> Estimate:
    """Estimate the accuracy of any number of classes from the score of the label."""
    counts = np.array(column.counts, dtype=np.float64)
    probabilities = _calibrated(_bin_means(reference, column), calibrator)
    if not counts.any():
        return Estimate(nan, nan)
    variance = float((counts * probabilities * (1 - probabilities)).sum())
    value = float(np.average(probabilities, weights=counts))
    return Estimate(value, float(sqrt(variance) / counts.sum()))


def estimate_error(reference: Reference, column: Histogram, deviation: float = 0.0) -> Estimate:
    """Estimate a regressor's mean absolute error (NannyML's DLE).

    Parameters
    ----------
    reference, column : Reference, Column
        The absolute errors that the error model, fitted on held-out rows, predicts: of training
        and of a window.
    deviation : float, optional
        The standard deviation of an absolute error around its prediction.
    """
    rows = sum(column.counts)
    if not rows:
        return Estimate(nan, nan)
    return Estimate(mean(reference.ruler, column), deviation / sqrt(rows))


def _bin_means(reference: Reference, column: Histogram) -> FloatVector:
    counts = np.maximum(np.array(column.counts, dtype=np.float64), 1)
    means: FloatVector = np.array(reference.ruler.edges) - np.array(column.gaps) / counts
    return means


def _calibrated(scores: FloatVector, calibrator: Calibrator | None) -> FloatVector:
    return scores if calibrator is None else calibrator(scores)
