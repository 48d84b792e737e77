"""Dates and times that are hard on whatever counts them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from sklambda.arrays import FloatVector

_QUANTILES: Final = 33
_MOST: Final = 2_000

EXTREME_MOMENTS: Final = (
    "1970-01-01T00:00:00",
    "1969-12-31T23:59:59",
    "2000-02-29",
    "1900-03-01 12:30",
    "2038-01-19T03:14:08",
    "1677-09-21T00:12:43",  # the first and the last seconds that nanoseconds reach
    "2262-04-11T23:47:16",
    "1582-10-10",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59",
)


def moments_around(seen: Sequence[str], limits: FloatVector) -> list[str]:
    """Give moments of the data, those at limits, and their neighbours on both sides.

    Parameters
    ----------
    seen : sequence of str
        The moments of the data, all to the same unit.
    limits : FloatVector
        Boundaries in that unit.
    """
    if not seen:
        return []
    known = np.sort(np.array(seen, dtype="datetime64"))  # numpy takes the unit from the digits
    spread = known[np.linspace(0, len(known) - 1, _QUANTILES).astype(np.intp)].view(np.int64)
    first, last = int(spread[0]), int(spread[-1])
    near = limits[(limits > 2.0 * first - last) & (limits < 2.0 * last - first)]
    whole = np.concatenate([spread, np.floor(near).astype(np.int64)])
    counts = np.unique(np.concatenate([whole - 1, whole, whole + 1]))
    counts = counts[:: len(counts) // _MOST + 1]
    texts: list[str] = np.datetime_as_string(counts.view(known.dtype)).tolist()
    return texts
