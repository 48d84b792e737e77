"""Which values of a feature a binned capture does not tell apart.

Bins that would be the value itself, and categories that would identify a row, are merged: by the
service that captures, and by the monitor in the counts of training.
"""

from typing import Final

import numpy as np

from sklambda.arrays import FloatVector, IntVector
from sklambda.sketch.ruler import TENTHS, Ruler
from sklambda.sketch.sketch import Counts, Histogram

CROWD: Final = 10
"""The fewest rows of training with a category, or a boolean, that is captured as it is."""

_VALUES: Final = 5
"""The fewest values in a part of the range."""

_PARTS: Final = (10, 5, 2)


def part_width(edges: FloatVector) -> int:
    """Return how many tenths of the range are one part: 1, 2, 5, or all of them.

    Parameters
    ----------
    edges : FloatVector
        Ascending numbers of training, from the least to the greatest: no two values are closer
        than the closest two of them.
    """
    if len(edges) < 2:
        return TENTHS
    values = (edges[-1] - edges[0]) / np.diff(edges).min()
    return next((TENTHS // parts for parts in _PARTS if values >= _VALUES * parts), TENTHS)


def merge_tenths(tenths: FloatVector, width: int) -> FloatVector:
    """Return the first tenth of the part of each, [n]; those outside of the range stay."""
    inside = (tenths >= 0) & (tenths < TENTHS)
    merged: FloatVector = np.where(inside, np.floor(tenths / width) * width, tenths)
    return merged


def merge_codes(codes: FloatVector, groups: IntVector) -> FloatVector:
    """Return the first code of the group of each, [n]; unknown and missing ones stay."""
    known = (codes >= 0) & (codes < len(groups))
    firsts = groups[np.where(known, codes, 0).astype(np.intp)] if len(groups) else codes
    merged: FloatVector = np.where(known, firsts, codes)
    return merged


def merged_codes(counts: Counts) -> IntVector:
    """Return for each code, [k], the first one of its group.

    Codes of fewer than `CROWD` rows of training are one group, if need be with the next rarest.
    """
    codes = np.arange(len(counts))
    order = np.argsort(counts, kind="stable")
    rare = int(np.searchsorted(np.array(counts)[order], CROWD))
    while 0 < rare < len(counts) and sum(counts[code] for code in order[:rare].tolist()) < CROWD:
        rare += 1
    codes[order[:rare]] = order[:rare].min(initial=len(counts))
    return codes


def merge_histogram(ruler: Ruler, column: Histogram, edges: FloatVector) -> Histogram:
    """Merge the counts of a feature as binned captures hold it.

    Parameters
    ----------
    ruler, column : Ruler, Histogram
        Tenths, or codes.
    edges : FloatVector
        As `part_width` takes them.
    """
    if ruler.codes:
        return column.replace(counts=_sums(column.counts, merged_codes(column.counts)))
    bins = merge_tenths(np.arange(-1.0, TENTHS), part_width(edges)).astype(np.intp) + 1
    counts = _sums(column.counts, bins)
    widths = np.diff(np.array(ruler.edges), prepend=ruler.edges[0])
    return column.replace(counts=counts, gaps=tuple((np.array(counts) * widths / 2).tolist()))


def _sums(counts: Counts, places: IntVector) -> Counts:
    return tuple(np.bincount(places, counts, minlength=len(counts)).astype(int).tolist())
