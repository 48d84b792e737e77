"""How far two distributions are apart, from their counts on one ruler."""

from math import sqrt
from typing import Final

import numpy as np

from functions.monitor.statistics.significance import chi_square_tail
from sklambda.arrays import FloatVector
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Column

DECILES: Final = 10
"""On how many groups of bins the population stability index looks."""

CROWD: Final = 5.0
"""How many values a category needs to be expected to have to be tested apart (Cochran, 1954)."""

_NOTHING: Final = 1e-4
"""What an empty group counts as in the population stability index, as is usual."""


def cumulated(column: Column) -> FloatVector:
    """Give the distribution function at the upper edge of each bin, [B]."""
    counts = np.cumsum(column.counts, dtype=np.float64)
    function: FloatVector = counts / counts[-1]
    return function


def mean(ruler: Ruler, column: Column) -> float:
    """Give the mean within the edges."""
    counts, gaps = np.array(column.counts), np.array(column.gaps)
    return float((counts * np.array(ruler.edges) - gaps).sum() / counts.sum())


def spread(ruler: Ruler, column: Column) -> float:
    """Give the standard deviation of the means of the bins."""
    counts, gaps = np.array(column.counts), np.array(column.gaps)
    means = np.array(ruler.edges) - gaps / np.maximum(counts, 1)
    middle = np.average(means, weights=counts)
    return float(np.sqrt(np.average((means - middle) ** 2, weights=counts)))


def wasserstein(ruler: Ruler, one: Column, other: Column) -> float:
    """Give the area between two distribution functions, in the unit of the values.

    The integral over a bin is exact: what the function is at its lower edge, over its width, and
    the distances of its values from the upper edge. Only where the functions cross within a bin
    the area is greater than what is given.
    """
    return float(np.abs(_areas(ruler, one) - _areas(ruler, other)).sum())


def _areas(ruler: Ruler, column: Column) -> FloatVector:
    gaps = np.array(column.gaps)[1:] / sum(column.counts)
    areas: FloatVector = cumulated(column)[:-1] * np.diff(ruler.edges) + gaps
    return areas


def kolmogorov_smirnov(one: Column, other: Column) -> float:
    """Give the greatest distance of two distribution functions at the edges."""
    return float(np.abs(cumulated(one) - cumulated(other)).max())


def jensen_shannon(one: FloatVector, other: FloatVector) -> float:
    """Give the Jensen-Shannon distance of counts, [k]: the root of the divergence, in nats.

    Endres and Schindelin, "A new metric for probability distributions", 2003; as
    ``scipy.spatial.distance.jensenshannon``. From 0 to 0.833.
    """
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    return sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _divergence(p: FloatVector, q: FloatVector) -> float:
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


def stability_index(one: FloatVector, other: FloatVector) -> float:
    """Give the population stability index of counts, [k]: the symmetric divergence, in nats."""
    p, q = (np.where(c > 0, c / c.sum(), _NOTHING) for c in (one, other))
    return float(((p - q) * np.log(p / q)).sum())


def in_deciles(reference: Column, column: Column) -> FloatVector:
    """Add up a column's bins to groups with about equal counts of the reference, [10]."""
    groups = np.ceil(cumulated(reference) * DECILES - 1e-9).astype(np.intp) - 1
    return np.bincount(np.clip(groups, 0, None), column.counts, minlength=DECILES)


def pooled(reference: FloatVector, counts: FloatVector) -> tuple[FloatVector, FloatVector]:
    """Put rare categories together.

    Parameters
    ----------
    reference, counts : FloatVector
        Shape [k]: how often each category was there.

    Returns
    -------
    tuple of FloatVector
        Both, [j], such that at least `CROWD` of `counts` are to be expected of each, as far as
        they suffice for it.
    """
    expected = reference * (counts.sum() / reference.sum())
    order = np.argsort(-expected, kind="stable")
    apart = int((expected >= CROWD).sum())
    if expected[order[apart:]].sum() < CROWD:
        apart -= 1
    starts = np.arange(max(0, apart) + 1)
    return np.add.reduceat(reference[order], starts), np.add.reduceat(counts[order], starts)


def chi_square(one: FloatVector, other: FloatVector) -> tuple[float, int]:
    """Compare two samples of counts, [k]; gives chi-square and its degrees of freedom."""
    both = one + other
    there = both > 0
    apart = one[there] / one.sum() - other[there] / other.sum()
    effective = one.sum() * other.sum() / both.sum()
    value = (apart**2 / (both[there] / both.sum())).sum() * effective
    return float(value), int(there.sum()) - 1


def chi_square_p(one: FloatVector, other: FloatVector) -> float:
    """Give the p-value of two samples of counts, [k], being of one distribution."""
    return chi_square_tail(*chi_square(one, other))
