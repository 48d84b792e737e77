"""Outcomes as arrays, one of a prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import numpy as np

from functions.monitor.answers import Digests
from sklambda.arrays import FloatMatrix, FloatVector


@dataclass(frozen=True, slots=True)
class Truths:
    """Outcomes in the order of their digests, one of a prediction: the last.

    Attributes
    ----------
    ids : Digests
        Shape [n]: of the predictions.
    values : FloatMatrix
        Shape [n, T]: for each target the position of the class, or the value.
    times : FloatVector
        Shape [n]: when it became true, in seconds since 1970.
    arrivals : FloatVector
        Shape [n]: when it was written, likewise.
    selection : FloatVector
        Shape [n]: the chance that each had to be asked for; 1 unless told.
    sources : Digests
        What they were gathered from.
    """

    ids: Digests
    values: FloatMatrix
    times: FloatVector
    arrivals: FloatVector
    selection: FloatVector
    sources: Digests

    @classmethod
    def last(cls, parts: Sequence[Self]) -> Self:
        """Put parts, at least one, together: of each prediction its last outcome."""
        ids = np.concatenate([part.ids for part in parts])
        times = np.concatenate([part.times for part in parts])
        order = np.lexsort((-times, ids))
        kept = order[np.unique(ids[order], return_index=True)[1]]
        return cls(
            ids[kept],
            np.concatenate([part.values for part in parts])[kept],
            times[kept],
            np.concatenate([part.arrivals for part in parts])[kept],
            np.concatenate([part.selection for part in parts])[kept],
            np.concatenate([part.sources for part in parts]),
        )

    def written(self) -> bytes:
        """Write them; `read` reads what this gives."""
        file = BytesIO()
        members = {name: getattr(self, name) for name in self.__slots__}
        np.savez(file, **members)
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what was written."""
        with np.load(BytesIO(content)) as kept:
            return cls(**{name: kept[name] for name in kept.files})
