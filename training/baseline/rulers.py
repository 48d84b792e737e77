"""Makes the rulers of a baseline from the numbers of training."""

from typing import Final

import numpy as np

from sklambda.arrays import FloatVector
from sklambda.sketch.ruler import TENTHS, Ruler, equal_parts

QUANTILES: Final = 64
"""The number of bins of equal counts of the numbers of training."""

SHARES: Final = 100
"""The number of bins of probabilities."""

CROWD: Final = 10
"""The least number of rows of training between two edges: only the ends reveal one row."""

GREATEST: Final = 1e300
"""The greatest number, of a feature or a score, of which the monitor can add up 100 million."""


def quantile_ruler(values: FloatVector, span: tuple[float, float] | None = None) -> Ruler:
    """Return bins of about equal counts.

    Parameters
    ----------
    values : FloatVector
        Shape [n], finite: the numbers of training.
    span : tuple of float, optional
        The first and the last edge; else the least and the greatest number.

    Returns
    -------
    Ruler
        At most `QUANTILES` + 1 edges. All but the ends are numbers of training with at least
        `CROWD` numbers between two of them.
    """
    if not values.size:
        return Ruler(edges=tuple(sorted(set(span or ()))))
    ordered = np.sort(values)
    low, high = span or (float(ordered[0]), float(ordered[-1]))
    at = np.linspace(0, 1, QUANTILES + 1)[1:-1]
    inner = np.unique(np.quantile(ordered, at, method="inverted_cdf"))
    inner = inner[(inner > low) & (inner < high)]
    return Ruler(edges=tuple(sorted({low, *_apart(ordered, inner, low), high})))


def _apart(ordered: FloatVector, inner: FloatVector, low: float) -> list[float]:
    """Return the edges without those too close to the one before, or to the end."""
    ranks = np.searchsorted(ordered, inner, side="right")
    kept, last = [], int(np.searchsorted(ordered, low, side="right"))
    for edge, rank in zip(inner.tolist(), ranks.tolist(), strict=True):
        if rank - last >= CROWD and len(ordered) - rank >= CROWD:
            kept.append(edge)
            last = rank
    return kept


def share_ruler() -> Ruler:
    """Return `SHARES` bins of probabilities, the same for every model.

    They are equal after the arcsine transformation, in which the variance of a share is the same
    everywhere: the part next to 0 or 1 is 0.0002 wide, that at 0.5, an edge, 0.016. Rankings of
    rare classes, whose scores all lie near 0, keep their precision.
    """
    half = np.sin(np.arange(SHARES // 2) * (np.pi / 2 / SHARES)) ** 2
    return Ruler(edges=(*half.tolist(), 0.5, *(1 - half[::-1]).tolist()))


def with_edge(ruler: Ruler, edge: float | None) -> Ruler:
    """Return a ruler with another edge, if it lies between the ends."""
    if edge is None or not ruler.edges or not ruler.edges[0] < edge < ruler.edges[-1]:
        return ruler
    return Ruler(edges=tuple(sorted({*ruler.edges, edge})))


def tenth_ruler(span: tuple[float, float]) -> Ruler | None:
    """Return `TENTHS` equal bins of a range, as in binned captures.

    None for a range that float64 does not divide: one number, neighbours past 2^53, or ends whose
    distance is infinite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(*span, TENTHS + 1)
    if not (np.isfinite(edges).all() and (edges[1:] > edges[:-1]).all()):
        return None
    return Ruler(edges=tuple(edges.tolist()))


def tenths(values: FloatVector, span: tuple[float, float]) -> FloatVector:
    """Return the part of the range of each number, as a binned capture holds it.

    From 0 to `TENTHS` - 1, one less below the range and one more above it; NaN where missing.
    """
    low, high = span
    return equal_parts(values, low, (high - low) / TENTHS, TENTHS)
