"""Figures with what is not known of them."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from functions.monitor.statistics.significance import normal_quantile
from sklambda.arrays import FloatVector


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the ends of its confidence interval.

    Attributes
    ----------
    value, low, high : float
        NaN where there is nothing to measure it on.
    rows : float
        From how many rows; weighted ones count as so many equal ones.
    """

    value: float
    low: float
    high: float
    rows: float


def wilson(value: float, rows: float, confidence: float = 0.95) -> Interval:
    """Give the interval of a share of `rows`.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It stays
    within 0 and 1, and has a width where all or none have it.
    """
    if not rows:
        return Interval(np.nan, np.nan, np.nan, 0.0)
    z = normal_quantile((1 + confidence) / 2)
    middle = (value + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * sqrt(value * (1 - value) / rows + (z / (2 * rows)) ** 2)
    return Interval(value, max(0.0, middle - half), min(1.0, middle + half), rows)


def share(flags: FloatVector, weights: FloatVector, confidence: float = 0.95) -> Interval:
    """Give the weighted share of flags, [n] of 0 and 1, with its interval."""
    rows = effective(weights)
    return wilson(float(np.average(flags, weights=weights)) if rows else np.nan, rows, confidence)


def average(values: FloatVector, weights: FloatVector, confidence: float = 0.95) -> Interval:
    """Give the weighted mean of values, [n], with its normal interval."""
    if not len(values):
        return Interval(np.nan, np.nan, np.nan, 0.0)
    value = float(np.average(values, weights=weights))
    deviation = sqrt(float((weights**2 * (values - value) ** 2).sum())) / float(weights.sum())
    return around(value, deviation, effective(weights), confidence)


def around(value: float, deviation: float, rows: float, confidence: float = 0.95) -> Interval:
    """Give the normal interval of a figure with a standard deviation."""
    half = normal_quantile((1 + confidence) / 2) * deviation
    return Interval(value, value - half, value + half, rows)


def effective(weights: FloatVector) -> float:
    """Give how many equal rows tell as much as rows with weights, [n] (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.size else 0.0
