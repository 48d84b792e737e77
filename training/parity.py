"""The gate: the graph must answer as scikit-learn does, on every row, or the run stops."""

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sklambda.arrays import Flags, FloatMatrix, IntVector
from sklambda.codec import Codec
from sklambda.errors import RowsInvalid
from sklambda.manifest import ParityReport
from sklambda.predictor import TOLERANCE, choose, distances
from sklambda.session import Session
from sklambda.signature import Scores, Signature
from training.adversary import Case
from training.convert.scope import Estimator
from training.errors import ParityFailed
from training.frames import ClientRow

type MakeFrame = Callable[[Sequence[ClientRow]], pd.DataFrame]

_CHUNK: Final = 2000
_HUGE: Final = 1e300
# The greatest float64 that rounds to a float32, then smaller ones for what a scaler makes larger.
_LIMITS: Final = (3.4028235677973362e38, 1e38, 1e36, 1e33, 1e30, 1e20)
_SAMPLE_SIZES: Final = (1, 7)


@dataclass(frozen=True, slots=True)
class Answers:
    """What one side says to some rows.

    Attributes
    ----------
    scores : FloatMatrix
        Shape [N, C]; NaN where the row was refused.
    labels : IntVector
        Shape [N]: positions in ``classes``; -1 where the row was refused.
    """

    scores: FloatMatrix
    labels: IntVector

    @property
    def refused(self) -> Flags:
        """Which rows were refused, [N]."""
        return self.labels < 0


_METHODS: Final[dict[Scores, str]] = {
    "probability": "predict_proba",
    "decision": "decision_function",
    "value": "predict",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """scikit-learn's own answers.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    frame : callable
        Makes scikit-learn's input of client rows.
    scores : {"probability", "decision", "value"}
        Which of its answers are compared.
    width : int
        How many columns they have.
    """

    pipeline: Estimator
    frame: MakeFrame
    scores: Scores
    width: int

    def answers(self, rows: Sequence[ClientRow]) -> Answers:
        """Score rows; where scikit-learn raises, the rows at fault are found by halving."""
        # On few rows its threads cost more than they save, most of all on a busy machine. What it
        # warns of, extreme numbers and unseen categories, is here on purpose.
        with threadpool_limits(limits=1), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self._halving(rows)

    def accepts(self, row: ClientRow) -> bool:
        """Tell whether scikit-learn gives an answer to a row at all."""
        return not self.answers([row]).refused[0]

    def _halving(self, rows: Sequence[ClientRow]) -> Answers:
        try:
            return self._answers(rows)
        except (TypeError, ValueError):
            if len(rows) == 1:
                return Answers(np.full((1, self.width), np.nan), np.array([-1]))
            half = len(rows) // 2
            parts = [self._halving(rows[:half]), self._halving(rows[half:])]
            return Answers(
                np.concatenate([part.scores for part in parts]),
                np.concatenate([part.labels for part in parts]),
            )

    def _answers(self, rows: Sequence[ClientRow]) -> Answers:
        frame = self.frame(rows)
        method = getattr(self.pipeline, _METHODS[self.scores])
        scores = np.asarray(method(frame), dtype=np.float64).reshape(len(rows), -1)
        if self.scores == "value":
            return Answers(scores, np.zeros(len(rows), dtype=np.intp))
        positions = {label: position for position, label in enumerate(self.pipeline.classes_)}
        labels = [positions[label] for label in self.pipeline.predict(frame)]
        return Answers(scores, np.array(labels, dtype=np.intp))


@dataclass(frozen=True, slots=True)
class Candidate:
    """The graph with its codec: what will serve."""

    signature: Signature
    codec: Codec
    session: Session

    def answers(self, rows: Sequence[ClientRow]) -> Answers:
        """Score rows; those that the codec refuses are marked."""
        accepted = self._accepted(rows)
        scores = np.full((len(rows), self.session.classes), np.nan)
        labels = np.full(len(rows), -1, dtype=np.intp)
        if accepted.any():
            kept = [row for row, ok in zip(rows, accepted, strict=True) if ok]
            scores[accepted] = self.session.run(self.codec.encode(kept))
            labels[accepted] = choose(self.signature.target, scores[accepted])
        return Answers(scores, labels)

    def _accepted(self, rows: Sequence[ClientRow]) -> Flags:
        accepted = np.ones(len(rows), dtype=bool)
        try:
            self.codec.encode(rows)
        except RowsInvalid as invalid:
            accepted[[fault.row for fault in invalid.faults]] = False
        return accepted


@dataclass(slots=True)
class Proof:
    """What was compared so far."""

    rows: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    max_difference: float = 0.0

    def report(self) -> ParityReport:
        """Give the part of the manifest that says it."""
        return ParityReport(
            rows=dict(self.rows),
            refused=self.refused,
            max_difference=self.max_difference,
            tolerance=TOLERANCE,
        )


def prove(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    *,
    guilty: Callable[[ClientRow], str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ParityReport:
    """Compare the two sides on all cases.

    Parameters
    ----------
    reference, candidate
        The two sides.
    cases : sequence of Case
        The rows.
    guilty : callable
        Names the step that differs on a row; asked only for a row that failed.
    progress : callable
        Told how many cases are done, and of how many.

    Raises
    ------
    ParityFailed
        A score differs by more than the tolerance, a label differs, or one side refuses what the
        other accepts; names the step, the row and the difference.
    """
    proof = Proof()
    for start in range(0, len(cases), _CHUNK):
        chunk = cases[start : start + _CHUNK]
        _compare(reference, candidate, chunk, proof, guilty)
        progress(start + len(chunk), len(cases))
    _compare_sizes(candidate, [case.row for case in cases[: max(_SAMPLE_SIZES) * 20]], proof)
    return proof.report()


def _compare(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    proof: Proof,
    guilty: Callable[[ClientRow], str],
) -> None:
    rows = [case.row for case in cases]
    expected, found = reference.answers(rows), candidate.answers(rows)
    differences = distances(expected.scores, found.scores)
    for case, wanted, given, difference in zip(
        cases, expected.labels, found.labels, differences, strict=True
    ):
        fault = _fault(case, int(wanted), int(given), float(difference))
        if fault:
            # Only a row that both sides score can tell which step is wrong.
            step = "signature" if wanted < 0 or given < 0 else guilty(case.row)
            raise ParityFailed(step, f"{case.name}: {fault}")
        if given < 0:
            proof.refused += 1
        else:
            proof.rows[case.group] += 1
    compared = differences[~(expected.refused | found.refused)]
    proof.max_difference = max(proof.max_difference, float(compared.max(initial=0.0)))


def _fault(case: Case, wanted: int, given: int, difference: float) -> str | None:
    if given < 0:
        # The codec may be stricter with numbers that float64 cannot hold, never with anything else.
        tolerated = wanted < 0 or case.group == "extremes"
        return None if tolerated else "scikit-learn scores it and the signature refuses it"
    if wanted < 0:
        return "scikit-learn refuses it and the signature accepts it"
    if not difference <= TOLERANCE:  # so that NaN fails
        return f"the scores differ by {difference:.3g}"
    if wanted != given:
        return f"the labels differ, the scores by {difference:.3g}"
    return None


def _compare_sizes(candidate: Candidate, rows: Sequence[ClientRow], proof: Proof) -> None:
    """Score the same rows in batches of several sizes: the answer must not depend on it."""
    whole = candidate.answers(rows)
    kept = [row for row, no in zip(rows, whole.refused, strict=True) if not no]
    scores = whole.scores[~whole.refused]
    for size in _SAMPLE_SIZES:
        parts = [candidate.answers(kept[at : at + size]).scores for at in range(0, len(kept), size)]
        difference = float(distances(scores, np.concatenate(parts)).max(initial=0.0))
        if not difference <= TOLERANCE:
            raise ParityFailed("", f"batches of {size} rows: the scores differ by {difference:.3g}")
        proof.rows["batch sizes"] += len(kept)


def nullable(reference: Reference, rows: Sequence[ClientRow], name: str) -> bool:
    """Tell whether the pipeline accepts a row in which the feature `name` is missing."""
    return reference.accepts(rows[0] | {name: None})


def greatest_accepted(reference: Reference, rows: Sequence[ClientRow], name: str) -> float | None:
    """Find the magnitude up to which the pipeline accepts numbers; None where it takes them all.

    Trees of scikit-learn take float32, and refuse what does not fit.
    """
    if _accepts_both(reference, rows[0], name, _HUGE):
        return None
    limits = (limit for limit in _LIMITS if _accepts_both(reference, rows[0], name, limit))
    return next(limits, None)


def _accepts_both(reference: Reference, row: ClientRow, name: str, limit: float) -> bool:
    return all(reference.accepts(row | {name: value}) for value in (limit, -limit))


def accepts_unseen(
    reference: Reference, rows: Sequence[ClientRow], name: str, known: Sequence[str]
) -> bool:
    """Tell whether the pipeline accepts a category of the feature `name` that is not `known`."""
    longer_than_all = f"unseen {max(known, key=len, default='')}"
    return reference.accepts(rows[0] | {name: longer_than_all})
