"""The float64 numbers in their order, numbered so that neighbours differ by 1."""

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatVector


def rank(values: FloatVector) -> NDArray[np.int64]:
    """Return the places of float64 values in their order, so that neighbours differ by 1."""
    bits = np.asarray(values).view(np.int64)
    return np.where(bits >= 0, bits, np.iinfo(np.int64).min - bits)


def unrank(ranks: NDArray[np.int64]) -> FloatVector:
    """Return the float64 values at these places."""
    bits = np.where(ranks >= 0, ranks, np.iinfo(np.int64).min - ranks)
    return bits.view(np.float64)
