"""Confidence intervals of shares and means."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from functions.monitor.statistics.significance import normal_quantile
from sklambda.arrays import FloatVector


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric with its confidence interval.

    Attributes
    ----------
    value, low, high : float
        The metric and the ends of the interval; NaN without rows.
    rows : float
        The number of rows; of weighted rows the effective one.
    """

    value: float
    low: float
    high: float
    rows: float


def wilson(value: float, rows: float, confidence: float = 0.95) -> Interval:
    """Return the interval of a share of `rows`.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It stays
    within 0 and 1, and has a width at shares of 0 and 1 too.
    """
    if not rows:
        return Interval(np.nan, np.nan, np.nan, 0.0)
    z = normal_quantile((1 + confidence) / 2)
    middle = (value + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * sqrt(value * (1 - value) / rows + (z / (2 * rows)) ** 2)
    return Interval(value, max(0.0, middle - half), min(1.0, middle + half), rows)


def share_interval(flags: FloatVector, weights: FloatVector, confidence: float = 0.95) -> Interval:
    """Return the weighted share of flags, [n] of 0 and 1, with Wilson's interval."""
    rows = effective_size(weights)
    return wilson(float(np.average(flags, weights=weights)) if rows else np.nan, rows, confidence)


def mean_interval(values: FloatVector, weights: FloatVector, confidence: float = 0.95) -> Interval:
    """Return the weighted mean of values, [n], with its normal interval."""
    if not len(values):
        return Interval(np.nan, np.nan, np.nan, 0.0)
    value = float(np.average(values, weights=weights))
    deviation = sqrt(float((weights**2 * (values - value) ** 2).sum())) / float(weights.sum())
    return normal_interval(value, deviation, effective_size(weights), confidence)


def normal_interval(
    value: float, deviation: float, rows: float, confidence: float = 0.95
) -> Interval:
    """Return the normal interval of a metric with a standard deviation."""
    half = normal_quantile((1 + confidence) / 2) * deviation
    return Interval(value, value - half, value + half, rows)


def effective_size(weights: FloatVector) -> float:
    """Return the effective sample size of rows with weights, [n] (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.size else 0.0
