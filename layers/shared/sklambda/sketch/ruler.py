"""The bins of a column; counts in the same bins can be added and compared."""

from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.document import Document
from sklambda.errors import DocumentInvalid
from sklambda.signature import FiniteFloat

TENTHS: Final = 10
"""The number of equal parts of the range of training in a binned capture."""


class Ruler(Document):
    """The bins of one column: between edges, or one for each code.

    Attributes
    ----------
    edges : tuple of float
        Ascending. Bin 0 holds values up to the first edge, bin i values above edge i - 1 and up to
        edge i, the last bin also values above the last edge.
    codes : int
        The number of codes; 0 for numbers.
    """

    edges: tuple[FiniteFloat, ...] = ()
    codes: int = 0

    def validate(self) -> None:
        """Raise `DocumentInvalid` for edges that do not ascend, and for edges with codes."""
        pairs = zip(self.edges, self.edges[1:], strict=False)
        if self.codes < 0 or (self.codes and self.edges) or any(a >= b for a, b in pairs):
            raise DocumentInvalid("edges must ascend, and be empty with codes")

    @property
    def bins(self) -> int:
        """The number of bins."""
        return self.codes or len(self.edges)


def equal_parts[Values: (FloatVector, FloatMatrix)](
    values: Values, low: float | FloatVector, width: float | FloatVector, last: float | FloatVector
) -> Values:
    """Return the part of each number: `last` parts of a width from `low` on.

    It is -1 below the parts and `last` above them.

    For a matrix [N, K] the arguments may be vectors [K].
    """
    parts = (values - low) / width
    inside: Values = np.floor(parts) - (parts == last)
    return np.clip(inside, -1.0, last)


def bins_of(ruler: Ruler, values: FloatVector) -> IntVector:
    """Return the bin of each number, [n], within the edges."""
    return np.searchsorted(np.array(ruler.edges), values, side="left")
