"""The gate: the graph must answer as scikit-learn does, on every row, or the run stops."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, FloatVector
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, choose, distances
from sklambda.errors import RowsInvalid
from sklambda.manifest import ParityReport
from sklambda.session import Session
from sklambda.signature import Signature
from training.errors import ParityFailed
from training.frames import ClientRow
from training.proof.adversary import Case
from training.proof.reference import Answers, Reference, refusals

_CHUNK: Final = 2000
_CHUNK_NUMBERS: Final = 2**22
_SAMPLE_SIZES: Final = (1, 7)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The graph with its codec: what will serve."""

    signature: Signature
    codec: Codec
    session: Session

    def answers(self, rows: Sequence[ClientRow]) -> Answers:
        """Score rows; those that the codec refuses are marked."""
        target = self.signature.target
        X, accepted = self._encoded(rows)
        found = refusals(len(rows), target)
        if accepted.any():
            scores = self.session.run(X)
            found.scores[accepted] = scores
            found.labels[accepted] = choose(target, scores)
            found.refused[accepted] = False
        return found

    def _encoded(self, rows: Sequence[ClientRow]) -> tuple[FloatMatrix, Flags]:
        """Encode the rows that the codec accepts, and tell which they are."""
        accepted = np.ones(len(rows), dtype=bool)
        try:
            return self.codec.encode(rows), accepted
        except RowsInvalid as invalid:
            accepted[[fault.row for fault in invalid.faults]] = False
        kept = [row for row, ok in zip(rows, accepted, strict=True) if ok]
        return self.codec.encode(kept), accepted


@dataclass(slots=True)
class Proof:
    """What was compared so far."""

    rows: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    labels: int = 0
    max_difference: float = 0.0

    def report(self) -> ParityReport:
        """Give the part of the manifest that says it."""
        return ParityReport(
            rows=dict(self.rows),
            refused=self.refused,
            labels=self.labels,
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
    size = min(_CHUNK, max(1, _CHUNK_NUMBERS // candidate.signature.width))
    for start in range(0, len(cases), size):
        chunk = cases[start : start + size]
        _compare(reference, candidate, chunk, start, proof, guilty)
        progress(start + len(chunk), len(cases))
    _compare_sizes(candidate, [case.row for case in cases[: max(_SAMPLE_SIZES) * 20]], proof)
    return proof.report()


def _compare(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    first: int,
    proof: Proof,
    guilty: Callable[[ClientRow], str],
) -> None:
    rows = [case.row for case in cases]
    found = candidate.answers(rows)
    expected = _expected(reference, rows, found.refused)
    differences = distances(expected.scores, found.scores)
    faults = _faults(cases, expected, found, differences)
    for number, (case, fault) in enumerate(zip(cases, faults, strict=True), first):
        if fault:
            # Only a row that both sides score can tell which step is wrong.
            step = "signature" if fault in _REFUSALS else guilty(case.row)
            raise ParityFailed(step, f"row {number} of the proof, {case.name}: {fault}")
    compared = ~(expected.refused | found.refused)
    proof.rows.update(case.group for case, yes in zip(cases, compared, strict=True) if yes)
    proof.refused += int(found.refused.sum())
    proof.labels += found.labels[compared].size
    proof.max_difference = max(proof.max_difference, float(differences[compared].max(initial=0.0)))


def _expected(reference: Reference, rows: Sequence[ClientRow], refused: Flags) -> Answers:
    """Ask for the rows that the codec refused apart: where some raise, all are scored by halves."""
    answers = refusals(len(rows), reference.target)
    for part in (np.flatnonzero(refused), np.flatnonzero(~refused)):
        if len(part):
            given = reference.answers([rows[place] for place in part.tolist()])
            answers.scores[part] = given.scores
            answers.labels[part] = given.labels
            answers.refused[part] = given.refused
    return answers


_STRICT: Final = "scikit-learn scores it and the signature refuses it"
_LAX: Final = "scikit-learn refuses it and the signature accepts it"
_REFUSALS: Final = (_STRICT, _LAX)


def _faults(
    cases: Sequence[Case], expected: Answers, found: Answers, differences: FloatVector
) -> Iterator[str | None]:
    other = (expected.labels != found.labels).any(axis=1)
    for place, case in enumerate(cases):
        difference = differences[place]
        if found.refused[place]:
            # The codec may be stricter with numbers that float64 cannot hold, and nothing else.
            tolerated = expected.refused[place] or case.group == "extremes"
            yield None if tolerated else _STRICT
        elif expected.refused[place]:
            yield _LAX
        elif not difference <= TOLERANCE:  # so that NaN fails
            yield f"the scores differ by {difference:.3g}"
        elif other[place]:
            yield f"the labels differ, the scores by {difference:.3g}"
        else:
            yield None


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
