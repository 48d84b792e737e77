"""Scores rows with a model package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from sklambda.arrays import FloatMatrix, IntVector
from sklambda.codec import Codec, Row
from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from sklambda.session import Session
from sklambda.signature import Scalar, Target

TOLERANCE: Final = 1e-9
"""The greatest difference from scikit-learn's score that counts as equal."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row.

    Attributes
    ----------
    label : bool, int, float or str
        The class, as scikit-learn's ``predict`` gives it.
    score : float
        Binary: the probability of ``classes[1]``. Multiclass: the probability of the label.
    probabilities : dict of str to float
        The probability of each class.
    """

    label: Scalar
    score: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class GoldenMismatch:
    """A golden row whose answer is no longer scikit-learn's."""

    name: str
    difference: float


class Predictor:
    """Scores rows with a model package.

    Parameters
    ----------
    package : ModelPackage
        A package that was checked.
    threads : int
        How many threads one call may use.

    Raises
    ------
    PackageRefused
        The graph does not take or give what the signature says.
    """

    def __init__(self, package: ModelPackage, threads: int = 1) -> None:
        self.package = package
        self._codec = Codec(package.signature)
        self._session = Session(package.model, threads)
        _agree(package, self._session)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the package in the directory `path`.

        Raises
        ------
        PackageRefused
            There is none, or it is damaged, too new or at odds with itself.
        """
        return cls(ModelPackage.open(path))

    def score(self, rows: Sequence[Row]) -> FloatMatrix:
        """Score rows.

        Parameters
        ----------
        rows : sequence of mapping
            Feature values by name; None says "missing".

        Returns
        -------
        FloatMatrix
            Shape [N, C], float64: the probability of each class.

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; none was scored.
        """
        if not rows:
            return np.empty((0, self._session.classes))
        return self._session.run(self._codec.encode(rows))

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Score rows and name the label of each; takes and raises what `score` does."""
        return decide(self.package.signature.target, self.score(rows))

    def replay(self) -> GoldenMismatch | None:
        """Score the golden rows; gives the first whose scores or label are not scikit-learn's."""
        golden = self.package.golden
        scores = self.score([row.row for row in golden])
        labels = decide(self.package.signature.target, scores)
        for row, found, prediction in zip(golden, scores, labels, strict=True):
            difference = float(np.max(np.abs(found - row.scores)))
            # The comparison is written so that NaN fails it.
            if not difference <= TOLERANCE or prediction.label != row.label:
                return GoldenMismatch(row.name, difference)
        return None


def decide(target: Target, scores: FloatMatrix) -> list[Prediction]:
    """Turn scores [N, C] into labels with their scores."""
    names = target.class_names
    chosen = choose(target, scores)
    return [
        Prediction(
            label=target.classes[index],
            score=row[1] if target.task == "binary" else row[index],
            probabilities=dict(zip(names, row, strict=True)),
        )
        for index, row in zip(chosen.tolist(), scores.tolist(), strict=True)
    ]


def choose(target: Target, scores: FloatMatrix) -> IntVector:
    """Give the position in ``classes`` of each row's label, [N]."""
    if target.threshold is not None:
        return (scores[:, 1] >= target.threshold).astype(np.intp)
    return scores.argmax(axis=1)


def _agree(package: ModelPackage, session: Session) -> None:
    signature = package.signature
    if session.width != len(signature.features):
        raise PackageRefused(
            f"{package.path}: the graph takes {session.width} columns and the signature names "
            f"{len(signature.features)}"
        )
    if session.classes != len(signature.target.classes):
        raise PackageRefused(
            f"{package.path}: the graph gives {session.classes} scores a row and the signature "
            f"names {len(signature.target.classes)} classes"
        )
