"""Scores rows with a model package."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.codec import Codec, Row
from sklambda.errors import PackageRefused
from sklambda.package import EXPLAINER, ModelPackage
from sklambda.session import Session
from sklambda.signature import Scalar, Target

if TYPE_CHECKING:
    from sklambda.explainer import Explainer, Explanation

TOLERANCE: Final = 1e-9
"""The greatest difference from scikit-learn's score that counts as equal: absolute up to a score
of 1, relative above."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row; a member that does not apply is None.

    Attributes
    ----------
    label : bool, int, float, str or None
        A class, or the number of a cluster, as scikit-learn's ``predict`` gives it.
    score : float or None
        Of two classes: the probability of ``classes[1]``, or the decision where there are no
        probabilities. Of more: the score of the label.
    threshold : float or None
        The score that decides between two classes.
    probabilities : dict of str to float, or None
        The probability of each class, where the classifier has them.
    values : dict of str to float, or None
        A regressor's values by the names of its outputs.
    targets : dict of str to dict, or None
        The members of the answer for each target, by its name, of a model that has several.
    """

    label: Scalar | None = None
    score: float | None = None
    threshold: float | None = None
    probabilities: dict[str, float] | None = None
    values: dict[str, float] | None = None
    targets: dict[str, dict[str, object]] | None = None

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
            Shape [N, C], float64: what the signature's target says.

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; none was scored.
        """
        if not rows:
            return np.empty((0, self._session.classes))
        return self.run(self.encode(rows))

    def encode(self, rows: Sequence[Row]) -> FloatMatrix:
        """Encode rows for `run`, [N, K] float64; takes and raises what `score` does."""
        return self._codec.encode(rows)

    def run(self, X: FloatMatrix) -> FloatMatrix:
        """Score encoded rows, [N, K] float64; gives [N, C] float64."""
        return self._session.run(X)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Score rows and name the label of each; takes and raises what `score` does."""
        return decide(self.package.signature.target, self.score(rows))

    @property
    def explains(self) -> bool:
        """Whether the package can explain its scores."""
        return EXPLAINER in self.package.manifest.files

    def explain(self, X: FloatMatrix) -> list[list["Explanation"]]:
        """Explain the answers to encoded rows, [N, K] float64.

        Returns
        -------
        list of list of Explanation
            For each row, one for each target, or for each value of a regressor.

        Raises
        ------
        PackageRefused
            The package has no explanations, or what it has is damaged.
        """
        explainer = self._explainer
        return [explainer.explain(X[place : place + 1]) for place in range(len(X))]

    @cached_property
    def _explainer(self) -> "Explainer":
        # Who asks for no explanation does not wait for it to be imported and read.
        from sklambda.explainer import Explainer

        content = self.package.explainer
        if content is None:
            raise PackageRefused(f"{self.package.path} has no explanations")
        return Explainer.open(content, self._session, self.package.signature)

    def replay(self) -> GoldenMismatch | None:
        """Score the golden rows; gives the first whose scores or label are not scikit-learn's."""
        golden = self.package.golden
        if not golden:
            return None
        scores = self.score([row.row for row in golden])
        found = labels(self.package.signature.target, choose(self.package.signature.target, scores))
        differences = distances(np.array([row.scores for row in golden]), scores)
        for row, difference, named in zip(golden, differences, found, strict=True):
            # The comparison is written so that NaN fails it.
            if not difference <= TOLERANCE or row.labels != named:
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
    if target.parts:
        names = [str(part.name) for part in target.parts]
        each = [decide(part, own) for part, own in _apart(target, scores)]
        return [
            Prediction(targets={name: one.members for name, one in zip(names, row, strict=True)})
            for row in zip(*each, strict=True)
        ]
    rows = scores.tolist()
    if target.task == "regression":
        return [Prediction(values=dict(zip(target.outputs, row, strict=True))) for row in rows]
    pairs = zip(_chosen(target, scores).tolist(), rows, strict=True)
    return [_classified(target, index, row) for index, row in pairs]


def _apart(target: Target, scores: FloatMatrix) -> Iterator[tuple[Target, FloatMatrix]]:
    """Give each of several targets its columns."""
    start = 0
    for part in target.parts or (target,):
        yield part, scores[:, start : start + part.width]
        start += part.width


def _classified(target: Target, index: int, row: list[float]) -> Prediction:
    label = target.classes[index]
    if target.scores == "label":
        return Prediction(label)
    score = row[-1] if target.task == "binary" or len(row) == 1 else row[index]
    if target.scores != "probability":
        return Prediction(label, score, threshold(target))
    probabilities = dict(zip(target.class_names, row, strict=True))
    return Prediction(label, score, threshold(target), probabilities)


def threshold(target: Target) -> float | None:
    """Give the score that decides between two classes; None where there are not two.

    A threshold that the model has of its own is reached by the second class; scikit-learn's, half
    a probability or a decision of 0, is passed.
    """
    if target.threshold is not None:
        return target.threshold
    if target.scores == "decision" and target.width == 1:
        return 0.0
    return 0.5 if target.scores == "probability" and target.task == "binary" else None


def choose(target: Target, scores: FloatMatrix) -> IntMatrix:
    """Give the positions in ``classes`` of each row's labels.

    Parameters
    ----------
    target : Target
        What the scores are of.
    scores : FloatMatrix
        Shape [N, C].

    Returns
    -------
    IntMatrix
        Shape [N, L]: a column for each target that has labels, so none for a regressor.
    """
    columns = [_chosen(part, own) for part, own in _apart(target, scores) if part.classes]
    return np.stack(columns, axis=1) if columns else np.empty((len(scores), 0), dtype=np.intp)


def labels(target: Target, positions: IntMatrix) -> list[tuple[Scalar, ...]]:
    """Name the labels at `positions`, [N, L]."""
    classes = [part.classes for part in target.parts or (target,)]
    return [
        tuple(own[place] for own, place in zip(classes, row, strict=True)) if row else ()
        for row in positions.tolist()
    ]


def _chosen(target: Target, scores: FloatMatrix) -> IntVector:
    if target.threshold is not None:
        return (scores[:, -1] >= target.threshold).astype(np.intp)
    if target.scores == "decision" and target.width == 1:
        return (scores[:, 0] > 0).astype(np.intp)
    if target.scores == "votes":
        return np.rint(scores).argmax(axis=1)
    return scores.argmax(axis=1)


def _agree(package: ModelPackage, session: Session) -> None:
    signature = package.signature
    if session.width != signature.width:
        raise PackageRefused(
            f"{package.path}: the graph takes {session.width} columns and the signature names "
            f"{signature.width}"
        )
    if session.classes != signature.target.width:
        raise PackageRefused(
            f"{package.path}: the graph gives {session.classes} scores a row and the signature "
            f"names {signature.target.width}"
        )
