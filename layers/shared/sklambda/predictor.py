"""Scores rows with a model package."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec, Row
from sklambda.decision import TOLERANCE, Prediction, choose, decide, distances, labels
from sklambda.errors import PackageRefused
from sklambda.package import EXPLAINER, ModelPackage
from sklambda.session import Session

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explainer, Explanation


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
    def open(cls, path: Path | str) -> Self:
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
        from sklambda.explain.explainer import Explainer

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
