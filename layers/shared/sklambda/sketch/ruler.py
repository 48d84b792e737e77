"""Where the values of a column are counted, so that counts of any two days can be added."""

from typing import Final

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.document import Document
from sklambda.errors import DocumentInvalid
from sklambda.signature import FiniteFloat

TENTHS: Final = 10
"""Into how many equal parts a binned capture cuts the range of training."""


class Ruler(Document):
    """Where the values of one column are counted: between edges, or by their codes.

    Attributes
    ----------
    edges : tuple of float
        Ascending. Bin 0 holds the first edge and what lies below it, bin i what lies above edge
        i - 1 and up to edge i, and the last one also what lies above all.
    codes : int
        How many codes there are; 0 where edges do the counting.
    """

    edges: tuple[FiniteFloat, ...] = ()
    codes: int = 0

    def agree(self) -> None:
        """Raise `DocumentInvalid` for edges that do not ascend, and beside codes."""
        pairs = zip(self.edges, self.edges[1:], strict=False)
        if self.codes < 0 or (self.codes and self.edges) or any(a >= b for a, b in pairs):
            raise DocumentInvalid("the edges do not ascend, or stand beside codes")

    @property
    def bins(self) -> int:
        """How many counts there are."""
        return self.codes or len(self.edges)


def equal_parts[Values: (FloatVector, FloatMatrix)](
    values: Values, low: float | FloatVector, width: float | FloatVector, last: float | FloatVector
) -> Values:
    """Give the part that each number lies in, by where parts begin, how wide and how many they are.

    What a column of a matrix is cut by may stand in vectors, [K].
    """
    parts = (values - low) / width
    inside: Values = np.floor(parts) - (parts == last)
    return np.clip(inside, -1.0, last)


def places(ruler: Ruler, values: FloatVector) -> IntVector:
    """Give the bin of each finite number, [n], none of which lies outside of the edges."""
    return np.searchsorted(np.array(ruler.edges), values, side="left")
