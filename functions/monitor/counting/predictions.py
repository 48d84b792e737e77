"""Predictions that outcomes are joined with: id, scores, labels and groups of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import Flags, FloatMatrix, IntMatrix, IntVector

ABSENT: Final = -2
"""The code of a group that nobody recorded."""

_BYTES: Final = 8

type Digests = NDArray[np.uint64]
"""One dimension, ascending: predictions by their digests."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers in the order of their digests.

    Attributes
    ----------
    ids : Digests
        Shape [n].
    scores : FloatMatrix
        Shape [n, S]: those that `sklambda.sketch.watched_scores.scored` watches.
    labels : IntMatrix
        Shape [n, L]: positions among the classes.
    groups : IntMatrix
        Shape [n, G]: codes of the declared groups, `ABSENT` where nothing is recorded.
    """

    ids: Digests
    scores: FloatMatrix
    labels: IntMatrix
    groups: IntMatrix

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put parts, at least one, together; of answers to the same prediction the first stays."""
        ids, first = np.unique(np.concatenate([part.ids for part in parts]), return_index=True)
        return cls(
            ids,
            np.concatenate([part.scores for part in parts])[first],
            np.concatenate([part.labels for part in parts])[first],
            np.concatenate([part.groups for part in parts])[first],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Flags | IntVector) -> "Answers":
        """Leave out the others."""
        return Answers(self.ids[rows], self.scores[rows], self.labels[rows], self.groups[rows])

    def written(self) -> bytes:
        """Write them; `read` reads what this gives."""
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
        """Read what was written."""
        with np.load(BytesIO(content)) as kept:
            return cls(
                kept["ids"],
                kept["scores"],
                kept["labels"].astype(np.intp),
                kept["groups"].astype(np.intp),
            )


def digest(prediction_id: str) -> int:
    """Name a prediction by 64 bits: that any two of a million are equal has a chance of 3e-8."""
    return int.from_bytes(blake2b(str.encode(prediction_id), digest_size=_BYTES).digest())


def nothing(scores: int, labels: int, groups: int) -> Answers:
    """Give no answers, of a number of columns each."""
    counts = np.empty((0, labels), dtype=np.intp), np.empty((0, groups), dtype=np.intp)
    return Answers(np.empty(0, dtype=np.uint64), np.empty((0, scores)), *counts)


def places(ids: Digests, wanted: Digests) -> tuple[IntVector, Flags]:
    """Find digests, [m], among ascending ones: where each is, and whether it is there at all."""
    if not ids.size:
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return at, ids[at] == wanted
