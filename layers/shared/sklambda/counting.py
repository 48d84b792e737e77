"""A column of values, to its counts on a ruler."""

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.ruler import TENTHS, Ruler, places
from sklambda.signature import UNSEEN
from sklambda.sketch import Column

_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def count_numbers(ruler: Ruler, values: FloatVector) -> Column:
    """Count numbers, [n] float64; what is not finite is missing."""
    present = values[np.isfinite(values)]
    if not ruler.edges or not present.size:
        return _outside(ruler, len(values), present)
    low, high = ruler.edges[0], ruler.edges[-1]
    inside = np.clip(present, low, high)
    bins = places(ruler, inside)
    gaps = np.bincount(bins, np.array(ruler.edges)[bins] - inside, minlength=ruler.bins)
    return Column(
        rows=len(values),
        missing=len(values) - len(present),
        counts=_counts(bins, ruler.bins),
        gaps=tuple(gaps.tolist()),
        below=int((present < low).sum()),
        above=int((present > high).sum()),
        least=float(present.min()),
        greatest=float(present.max()),
    )


def count_codes(ruler: Ruler, values: FloatVector) -> Column:
    """Count the codes of categories and booleans, [n] float64, NaN where missing."""
    present = values[~np.isnan(values)]
    known = present[(present >= 0) & (present < ruler.codes)].astype(np.intp)
    return Column(
        rows=len(values),
        missing=len(values) - len(present),
        counts=_counts(known, ruler.codes),
        unseen=int((present == UNSEEN).sum()),
    )


def count_tenths(ruler: Ruler, values: FloatVector) -> Column:
    """Count the bins of a binned capture, [n] float64 from -1 to 10, NaN where missing.

    Where in its bin a value lay is not known; it counts as the middle.
    """
    present = values[~np.isnan(values)]
    counts = _counts(np.clip(present + 1, 0, TENTHS).astype(np.intp), ruler.bins)
    widths = np.diff(np.array(ruler.edges), prepend=ruler.edges[0])
    return Column(
        rows=len(values),
        missing=len(values) - len(present),
        counts=counts,
        gaps=tuple((np.array(counts) * widths / 2).tolist()),
        below=int((present < 0).sum()),
        above=int((present >= TENTHS).sum()),
    )


def count_duplicates(X: FloatMatrix) -> int:
    """Count the rows of [N, K] that are equal to an earlier one, missing values being equal.

    Rows are compared by a hash of 64 bits: among a million different rows the chance that any two
    are taken for equal is 3e-8.
    """
    hashes = np.zeros(len(X), dtype=np.uint64)
    for values in X.T:
        plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and one zero
        hashes = (hashes ^ plain.view(np.uint64)) * _ODD
        hashes ^= hashes >> _HALF
    return len(X) - len(np.unique(hashes))


def _outside(ruler: Ruler, rows: int, present: FloatVector) -> Column:
    """Count where there are no edges, because training saw no number, or no numbers."""
    return Column(
        rows=rows,
        missing=rows - len(present),
        counts=(0,) * ruler.bins,
        gaps=(0.0,) * ruler.bins,
        above=len(present),
        least=float(present.min()) if present.size else None,
        greatest=float(present.max()) if present.size else None,
    )


def _counts(bins: IntVector, most: int) -> tuple[int, ...]:
    return tuple(np.bincount(bins, minlength=most).tolist())
