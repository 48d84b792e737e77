"""The float64 numbers in their order, so that one can bisect over them."""

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatVector


def rank(values: FloatVector) -> NDArray[np.int64]:
    """Number float64 values in their order, so that neighbours differ by 1."""
    bits = np.asarray(values).view(np.int64)
    return np.where(bits >= 0, bits, np.iinfo(np.int64).min - bits)


def unrank(ranks: NDArray[np.int64]) -> FloatVector:
    """Give the float64 values with these numbers."""
    bits = np.where(ranks >= 0, ranks, np.iinfo(np.int64).min - ranks)
    return bits.view(np.float64)
