"""Scores rows with a model package."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from sklambda.arrays import Flags, FloatMatrix
from sklambda.codec.codec import Codec, Row
from sklambda.decision import (
    TOLERANCE,
    Prediction,
    decided,
    label_positions,
    labels_at,
    row_differences,
    scales,
    to_predictions,
)
from sklambda.errors import Fault, FaultCode, OutOfTime, PackageRefused, RowsInvalid
from sklambda.manifest import GoldenRow
from sklambda.package import EXPLAINER, GOLDEN, ModelPackage
from sklambda.session import Session
from sklambda.signature import Scalar

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explainer, Explanation


@dataclass(frozen=True, slots=True)
class GoldenMismatch:
    """A golden row whose scores or labels differ from those of scikit-learn."""

    name: str
    difference: float


class Predictor:
    """Scores rows with a model package.

    Parameters
    ----------
    package : ModelPackage
        A package whose files were checked.
    threads : int
        The number of threads that a call may use.

    Raises
    ------
    PackageRefused
        The graph does not fit the signature.
    """

    def __init__(self, package: ModelPackage, threads: int = 1) -> None:
        self.package = package
        self._codec = Codec(package.signature)
        self._session = Session(package.model, threads)
        self._partial = package.signature.partial
        _require_fit(package, self._session)

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the package in the directory `path`.

        Raises
        ------
        PackageRefused
            The package is absent, damaged or too new, or its graph does not fit its signature.
        """
        return cls(ModelPackage.open(path))

    def score(self, rows: Sequence[Row]) -> FloatMatrix:
        """Score rows.

        Parameters
        ----------
        rows : sequence of mapping
            Feature values by name; None is a missing value.

        Returns
        -------
        FloatMatrix
            Shape [N, C], float64: the scores that the target of the signature describes, without
            the decisions that a label may follow instead (`run` returns them behind).

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; no row was scored.
        """
        target = self.package.signature.target
        scores = self._all_scores(rows)
        return scores if target.label_by is None else scores[:, : target.shown]

    def _all_scores(self, rows: Sequence[Row]) -> FloatMatrix:
        if not rows:
            return np.empty((0, self._session.classes))
        return self.run(self.encode(rows))

    def encode(self, rows: Sequence[Row]) -> FloatMatrix:
        """Encode rows for `run`, [N, K] float64; takes and raises what `score` does."""
        return self._codec.encode(rows)

    def run(self, X: FloatMatrix) -> FloatMatrix:
        """Score encoded rows, [N, K] float64; returns [N, C] float64.

        Raises
        ------
        RowsInvalid
            The model is partial, and some row has no score.
        """
        scores = self._session.run(X)
        if self._partial:
            _require_scores(scores)
        return scores

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Score rows and choose their labels; takes and raises what `score` does."""
        return to_predictions(self.package.signature.target, self._all_scores(rows))

    @property
    def explains(self) -> bool:
        """Whether the package has an explainer."""
        return EXPLAINER in self.package.manifest.files

    def explain(self, X: FloatMatrix, deadline: float = inf) -> list[list["Explanation"]]:
        """Explain the predictions of encoded rows, [N, K] float64.

        Parameters
        ----------
        X : FloatMatrix
            Shape [N, K], float64: encoded rows.
        deadline : float
            When the time is over, by ``time.perf_counter``, in seconds.

        Returns
        -------
        list of list of Explanation
            For each row, one for each target, or for each value of a regressor.

        Raises
        ------
        PackageRefused
            The package has no explainer, or a damaged one.
        OutOfTime
            The deadline passed; holds how many rows were explained.
        """
        explained: list[list[Explanation]] = []
        try:
            for place in range(len(X)):
                row = X[place : place + 1]
                explained.append(self.explainer.explain(row, deadline=deadline))
        except OutOfTime:
            raise OutOfTime(len(explained)) from None
        return explained

    @cached_property
    def explainer(self) -> "Explainer":
        """The explainer, read at the first access and held from then on.

        Raises
        ------
        PackageRefused
            The package has no explainer, or a damaged one.
        """
        # Predictions without explanations do not pay for the import and the file.
        from sklambda.explain.explainer import Explainer

        content = self.package.explainer
        if content is None:
            raise PackageRefused(f"{self.package.path} has no explainer")
        return Explainer.open(content, self._session, self.package.signature)

    def replay(self) -> GoldenMismatch | None:
        """Score the golden rows; returns the first whose scores or label are not scikit-learn's.

        A label is compared unless the score is within its tolerance of where the label changes.

        Raises
        ------
        PackageRefused
            The signature refuses a golden row; names the row and its fault.
        """
        golden, target = self.package.golden, self.package.signature.target
        if not golden:
            return None
        scores, expected = self._golden_scores(), _scores(golden)
        tolerances = np.array([row.tolerance or TOLERANCE for row in golden])
        apart = row_differences(expected, scores)
        sure = decided(target, expected, tolerances[:, None] * scales(expected))
        found = labels_at(target, label_positions(target, scores))
        for row, difference, tolerance, named, clear in zip(
            golden, apart, tolerances, found, sure, strict=True
        ):
            # The comparison is written so that NaN fails it.
            if not difference <= tolerance or _differ(row.labels, named, clear):
                return GoldenMismatch(row.name, float(difference))
        return None

    def _golden_scores(self) -> FloatMatrix:
        golden = self.package.golden
        try:
            return self._all_scores([row.row for row in golden])
        except RowsInvalid as invalid:
            fault = invalid.faults[0]
            place = f"golden row {golden[fault.row].name!r}"
            raise PackageRefused(
                f"{self.package.path / GOLDEN}: {place}: {fault.feature or 'the row'} "
                f"{fault.detail}: the package contradicts its own signature; train it again"
            ) from invalid


def _require_scores(scores: FloatMatrix) -> None:
    lacking = np.flatnonzero(np.isnan(scores).any(axis=1))
    if len(lacking):
        detail = "has no score: a number that the pipeline computes of it is not finite"
        raise RowsInvalid(
            [Fault(row, None, FaultCode.NO_SCORE, detail) for row in lacking.tolist()]
        )


def _scores(golden: Sequence[GoldenRow]) -> FloatMatrix:
    return np.array([row.scores for row in golden])


def _differ(expected: Sequence[Scalar], found: Sequence[Scalar], clear: Flags) -> bool:
    if len(expected) != len(found):
        return True
    pairs = zip(expected, found, clear.tolist(), strict=True)
    return any(sure and label != own for label, own, sure in pairs)


def _require_fit(package: ModelPackage, session: Session) -> None:
    signature = package.signature
    if session.width != signature.width:
        raise PackageRefused(
            f"{package.path}: the graph takes {session.width} columns and the signature has "
            f"{signature.width}"
        )
    if session.classes != signature.target.width:
        raise PackageRefused(
            f"{package.path}: the graph returns {session.classes} scores a row and the signature "
            f"has {signature.target.width}"
        )
