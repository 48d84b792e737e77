"""Predictions that outcomes are joined with: the id, scores, labels and groups of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, IntMatrix, IntVector

MISSING_GROUP: Final = -2
"""The code of a group whose value was not captured."""

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
    """

    ids: Digests
    scores: FloatMatrix
    labels: IntMatrix
    groups: IntMatrix

    @classmethod
    def merge(cls, chunks: Sequence[Self]) -> Self:
        """Merge at least one chunk; of several predictions with the same id the first stays."""
        ids, first = np.unique(np.concatenate([chunk.ids for chunk in chunks]), return_index=True)
        return cls(
            ids,
            np.concatenate([chunk.scores for chunk in chunks])[first],
            np.concatenate([chunk.labels for chunk in chunks])[first],
            np.concatenate([chunk.groups for chunk in chunks])[first],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Flags | IntVector) -> "Predictions":
        """Return the predictions of some rows."""
        return Predictions(self.ids[rows], self.scores[rows], self.labels[rows], self.groups[rows])

    def to_bytes(self) -> bytes:
        """Write an ``.npz`` file, which `read` reads."""
        file = BytesIO()
        np.savez(
            file,
            ids=self.ids,
            scores=self.scores,
            labels=self.labels.astype(np.int32),
            groups=self.groups.astype(np.int32),
        )
        return file.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the file that `to_bytes` writes."""
        with np.load(BytesIO(content)) as arrays:
            return cls(
                arrays["ids"],
                arrays["scores"],
                arrays["labels"].astype(np.intp),
                arrays["groups"].astype(np.intp),
            )


def no_predictions(scores: int, labels: int, groups: int) -> Predictions:
    """Return zero predictions with the given numbers of columns."""
    counts = np.empty((0, labels), dtype=np.intp), np.empty((0, groups), dtype=np.intp)
    return Predictions(np.empty(0, dtype=np.uint64), np.empty((0, scores)), *counts)


def digest(prediction_id: str) -> int:
    """Return 64 bits for a prediction id: any two of a million collide with probability 3e-8."""
    return int.from_bytes(blake2b(str.encode(prediction_id), digest_size=_DIGEST_BYTES).digest())


def locate(ids: Digests, wanted: Digests) -> tuple[IntVector, Flags]:
    """Locate digests, [m], among ascending ones; return their positions, and which exist."""
    if not ids.size:
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
    positions = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return positions, ids[positions] == wanted
