"""Distances of two distributions, from their counts on the same ruler."""

from math import sqrt
from typing import Final

import numpy as np

from functions.monitor.statistics.significance import chi_square_tail
from sklambda.arrays import FloatVector
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Histogram

DECILES: Final = 10
"""The number of groups of the population stability index."""

MIN_EXPECTED: Final = 5.0
"""The least expected count of a category that is tested on its own (Cochran, 1954)."""

_EMPTY_SHARE: Final = 1e-4
"""The share of an empty group in the population stability index, as is usual."""


def cumulative_shares(column: Histogram) -> FloatVector:
    """Return the distribution function at the upper edge of each bin, [B]."""
    counts = np.cumsum(column.counts, dtype=np.float64)
    function: FloatVector = counts / counts[-1]
    return function


def mean(ruler: Ruler, column: Histogram) -> float:
    """Return the mean of the values within the edges."""
    counts, gaps = np.array(column.counts), np.array(column.gaps)
    return float((counts * np.array(ruler.edges) - gaps).sum() / counts.sum())


def standard_deviation(ruler: Ruler, column: Histogram) -> float:
    """Return the standard deviation of the means of the bins."""
    counts, gaps = np.array(column.counts), np.array(column.gaps)
    means = np.array(ruler.edges) - gaps / np.maximum(counts, 1)
    middle = np.average(means, weights=counts)
    return float(np.sqrt(np.average((means - middle) ** 2, weights=counts)))


def wasserstein(ruler: Ruler, one: Histogram, other: Histogram) -> float:
    """Return the area between two distribution functions, in the unit of the values.

    The integral over a bin is exact: the function at its lower edge, times its width, and the
    distances of its values from the upper edge. Only where the functions cross within a bin is
    the area greater than the result.
    """
    return float(np.abs(_areas(ruler, one) - _areas(ruler, other)).sum())


def _areas(ruler: Ruler, column: Histogram) -> FloatVector:
    gaps = np.array(column.gaps)[1:] / sum(column.counts)
    areas: FloatVector = cumulative_shares(column)[:-1] * np.diff(ruler.edges) + gaps
    return areas


def kolmogorov_smirnov(one: Histogram, other: Histogram) -> float:
    """Return the greatest distance of two distribution functions at the edges."""
    return float(np.abs(cumulative_shares(one) - cumulative_shares(other)).max())


def jensen_shannon(one: FloatVector, other: FloatVector) -> float:
    """Return the Jensen-Shannon distance of counts, [k]: the root of the divergence, in nats.

    Endres and Schindelin, "A new metric for probability distributions", 2003; as
    ``scipy.spatial.distance.jensenshannon``. From 0 to 0.833.
    """
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    return sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _divergence(p: FloatVector, q: FloatVector) -> float:
    positive = p > 0
    return float((p[positive] * np.log(p[positive] / q[positive])).sum())


def stability_index(one: FloatVector, other: FloatVector) -> float:
    """Return the population stability index of counts, [k]: the symmetric divergence, in nats."""
    p, q = (np.where(c > 0, c / c.sum(), _EMPTY_SHARE) for c in (one, other))
    return float(((p - q) * np.log(p / q)).sum())


def decile_counts(reference: Histogram, column: Histogram) -> FloatVector:
    """Sum the bins of a column to groups with about equal counts of the reference, [10]."""
    groups = np.ceil(cumulative_shares(reference) * DECILES - 1e-9).astype(np.intp) - 1
    return np.bincount(np.clip(groups, 0, None), column.counts, minlength=DECILES)


def pool_rare(reference: FloatVector, counts: FloatVector) -> tuple[FloatVector, FloatVector]:
    """Pool rare categories.

    Parameters
    ----------
    reference, counts : FloatVector
        Shape [k]: the counts of each category.

    Returns
    -------
    tuple of FloatVector
        Both, [j], such that the expected count of each is at least `MIN_EXPECTED`, as far as
        there are enough.
    """
    expected = reference * (counts.sum() / reference.sum())
    order = np.argsort(-expected, kind="stable")
    separate = int((expected >= MIN_EXPECTED).sum())
    if expected[order[separate:]].sum() < MIN_EXPECTED:
        separate -= 1
    starts = np.arange(max(0, separate) + 1)
    return np.add.reduceat(reference[order], starts), np.add.reduceat(counts[order], starts)


def chi_square(one: FloatVector, other: FloatVector) -> tuple[float, int]:
    """Return chi-square and the degrees of freedom of two samples of counts, [k]."""
    both = one + other
    present = both > 0
    difference = one[present] / one.sum() - other[present] / other.sum()
    effective = one.sum() * other.sum() / both.sum()
    value = (difference**2 / (both[present] / both.sum())).sum() * effective
    return float(value), int(present.sum()) - 1


def chi_square_p(one: FloatVector, other: FloatVector) -> float:
    """Return the p-value of two samples of counts, [k], under one distribution."""
    return chi_square_tail(*chi_square(one, other))
