"""Names for the arrays that cross module borders."""

import numpy as np
from numpy.typing import NDArray

type FloatMatrix = NDArray[np.float64]
"""Two dimensions, float64, C order."""

type IntVector = NDArray[np.intp]
"""One dimension, positions."""

type IntMatrix = NDArray[np.intp]
"""Two dimensions, positions."""

type FloatVector = NDArray[np.float64]
"""One dimension, float64."""

type Flags = NDArray[np.bool_]
"""One dimension, true or false."""
