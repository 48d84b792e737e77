"""Predictions that outcomes are joined with: the ids, scores, labels and groups of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntMatrix, IntVector

MISSING_GROUP: Final = -2
"""The code of a group whose value was not captured."""

NO_ROW: Final = 0
"""In place of the digest of a client's row id, where there is none."""

_DIGEST_BYTES: Final = 8

type Digests = NDArray[np.uint64]
"""Digests of prediction ids, one dimension, ascending."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions in the order of their digests.

    Attributes
    ----------
    ids : Digests
        Shape [n].
    scores : FloatMatrix
        Shape [n, S]: the watched scores, `sklambda.sketch.watched_scores.watched_scores`.
    labels : IntMatrix
        Shape [n, L]: positions among the classes.
    groups : IntMatrix
        Shape [n, G]: codes of the declared groups, `MISSING_GROUP` where none was captured.
    times : FloatVector
        Shape [n]: when they were made, in seconds since 1970; NaN where unknown.
    rows : Digests
        Shape [n]: digests of the client's row ids, `NO_ROW` where none was captured.
    """

    ids: Digests
    scores: FloatMatrix
    labels: IntMatrix
    groups: IntMatrix
    times: FloatVector
    rows: Digests

    @classmethod
    def merge(cls, chunks: Sequence[Self]) -> Self:
        """Merge at least one chunk; of several predictions with the same id the first stays."""
        first = np.unique(np.concatenate([chunk.ids for chunk in chunks]), return_index=True)[1]
        columns = [
            np.concatenate([getattr(chunk, name) for chunk in chunks])[first]
            for name in cls.__slots__
        ]
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Flags | IntVector) -> "Predictions":
        """Return the predictions of some rows."""
        return Predictions(*(getattr(self, name)[rows] for name in self.__slots__))

    def to_bytes(self) -> bytes:
        """Write an ``.npz`` file, which `read` reads."""
        file = BytesIO()
        small = {name: getattr(self, name).astype(np.int32) for name in ("labels", "groups")}
        np.savez(file, **{name: getattr(self, name) for name in self.__slots__} | small)
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the file that `to_bytes` writes, or wrote before it had times and rows."""
        with np.load(BytesIO(content)) as arrays:
            ids = arrays["ids"]
            return cls(
                ids,
                arrays["scores"],
                arrays["labels"].astype(np.intp),
                arrays["groups"].astype(np.intp),
                arrays["times"] if "times" in arrays else np.full(len(ids), np.nan),
                arrays["rows"] if "rows" in arrays else np.full_like(ids, NO_ROW),
            )


def no_predictions(scores: int, labels: int, groups: int) -> Predictions:
    """Return zero predictions with the given numbers of columns."""
    counts = np.empty((0, labels), dtype=np.intp), np.empty((0, groups), dtype=np.intp)
    ids = np.empty(0, dtype=np.uint64)
    return Predictions(ids, np.empty((0, scores)), *counts, np.empty(0), ids)


def digest(prediction_id: str) -> int:
    """Return 64 bits for a prediction id: any two of a million collide with probability 3e-8."""
    return int.from_bytes(blake2b(str.encode(prediction_id), digest_size=_DIGEST_BYTES).digest())


def row_name(row: str) -> str:
    """Return what stands for a prediction's id where its client's row, a digest, names it."""
    return f"row {row}"


def locate(ids: Digests, wanted: Digests) -> tuple[IntVector, Flags]:
    """Locate digests, [m], among ascending ones; return their positions, and which exist."""
    if not ids.size:
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
    positions = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return positions, ids[positions] == wanted
