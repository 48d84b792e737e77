"""Scores rows with a model package."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntVector
from sklambda.codec import Codec, Row
from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from sklambda.session import Session
from sklambda.signature import Scalar, Target

TOLERANCE: Final = 1e-9
"""The greatest difference from scikit-learn's score that counts as equal: absolute up to a score
of 1, relative above."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row; a member that does not apply is None.

    Attributes
    ----------
    label : bool, int, float, str or None
        A classifier's class, as scikit-learn's ``predict`` gives it.
    score : float or None
        Binary: the probability of ``classes[1]``, or the decision where the classifier has no
        probabilities. Multiclass: that of the label.
    probabilities : dict of str to float, or None
        The probability of each class, where the classifier has them.
    values : dict of str to float, or None
        A regressor's values by the names of its outputs.
    """

    label: Scalar | None = None
    score: float | None = None
    probabilities: dict[str, float] | None = None
    values: dict[str, float] | None = None

    @property
    def members(self) -> dict[str, object]:
        """The members that apply, as an answer shows them."""
        named = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in named if value is not None}


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
        if not golden:
            return None
        scores = self.score([row.row for row in golden])
        labels = decide(self.package.signature.target, scores)
        differences = distances(np.array([row.scores for row in golden]), scores)
        for row, difference, prediction in zip(golden, differences, labels, strict=True):
            # The comparison is written so that NaN fails it.
            if not difference <= TOLERANCE or prediction.label != row.label:
                return GoldenMismatch(row.name, float(difference))
        return None


def distances(expected: FloatMatrix, found: FloatMatrix) -> FloatVector:
    """Give the greatest difference in each row, [N]: absolute up to 1, relative above.

    Equal infinities and two NaN are no difference.
    """
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(expected - found) / np.maximum(1.0, np.abs(expected))
    greatest: FloatVector = np.where(same, 0.0, apart).max(axis=1)
    return greatest


def decide(target: Target, scores: FloatMatrix) -> list[Prediction]:
    """Turn scores [N, C] into predictions."""
    if target.task == "regression":
        return [
            Prediction(values=dict(zip(target.outputs, row, strict=True)))
            for row in scores.tolist()
        ]
    rows = scores.tolist()
    pairs = zip(choose(target, scores).tolist(), rows, strict=True)
    return [_classified(target, index, row) for index, row in pairs]


def _classified(target: Target, index: int, row: list[float]) -> Prediction:
    label = target.classes[index]
    score = row[-1] if target.task == "binary" else row[index]
    if target.scores == "decision":
        return Prediction(label, score)
    return Prediction(label, score, dict(zip(target.class_names, row, strict=True)))


def choose(target: Target, scores: FloatMatrix) -> IntVector:
    """Give the position in ``classes`` of each row's label, [N]; 0 for a regressor."""
    if target.task == "regression":
        return np.zeros(len(scores), dtype=np.intp)
    if target.threshold is not None:
        return (scores[:, 1] >= target.threshold).astype(np.intp)
    if target.width == 1:
        return (scores[:, 0] > 0).astype(np.intp)
    return scores.argmax(axis=1)


def _agree(package: ModelPackage, session: Session) -> None:
    signature = package.signature
    if session.width != len(signature.features):
        raise PackageRefused(
            f"{package.path}: the graph takes {session.width} columns and the signature names "
            f"{len(signature.features)}"
        )
    if session.classes != signature.target.width:
        raise PackageRefused(
            f"{package.path}: the graph gives {session.classes} scores a row and the signature "
            f"names {signature.target.width}"
        )
