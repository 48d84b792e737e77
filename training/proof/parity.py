"""The gate: the graph must answer as scikit-learn does, on every row, or the run stops."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sklambda.arrays import Flags
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, choose
from sklambda.manifest import ParityReport
from sklambda.session import Session
from sklambda.signature import Signature
from training.errors import ParityFailed
from training.frames import ClientRow
from training.proof.adversary import Case
from training.proof.equality import PLAUSIBLE, Comparison, Equality, encoded
from training.proof.reference import Answers, Reference, joined, refusals

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
        X, accepted = encoded(self.codec, rows)
        found = refusals(len(rows), target)
        if accepted.any():
            scores = self.session.run(X)
            found.scores[accepted] = scores
            found.labels[accepted] = choose(target, scores)
            found.refused[accepted] = False
        return found


@dataclass(slots=True)
class Proof:
    """What was compared so far."""

    rows: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    labels: int = 0
    widened: int = 0
    undecidable: int = 0
    max_difference: float = 0.0

    def report(self) -> ParityReport:
        """Give the part of the manifest that says it."""
        return ParityReport(
            rows=dict(self.rows),
            refused=self.refused,
            labels=self.labels,
            max_difference=self.max_difference,
            tolerance=TOLERANCE,
            widened=self.widened,
            undecidable=self.undecidable,
        )


def prove(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    equality: Equality,
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
    equality : Equality
        Compares the answers.
    guilty : callable
        Names the step that differs on a row; asked only for a row that failed.
    progress : callable
        Told how many cases are done, and of how many.

    Raises
    ------
    ParityFailed
        A score differs by more than its tolerance, a label differs that rounding does not change,
        or one side refuses what the other accepts; names the step, the row and the difference.
    """
    proof = Proof()
    size = min(_CHUNK, max(1, _CHUNK_NUMBERS // candidate.signature.width))
    for start in range(0, len(cases), size):
        chunk = cases[start : start + size]
        _compare(reference, candidate, chunk, start, equality, proof, guilty)
        progress(start + len(chunk), len(cases))
    few = [case.row for case in cases[: max(_SAMPLE_SIZES) * 20]]
    _compare_sizes(candidate, few, equality, proof)
    return proof.report()


def _compare(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    first: int,
    equality: Equality,
    proof: Proof,
    guilty: Callable[[ClientRow], str],
) -> None:
    rows = [case.row for case in cases]
    found = candidate.answers(rows)
    expected = _expected(reference, rows, found.refused)
    extreme = np.array([case.group == "extremes" for case in cases])
    comparison = equality.compare(rows, expected, found, extreme)
    faults = _faults(cases, expected, found, comparison)
    for number, (case, fault) in enumerate(zip(cases, faults, strict=True), first):
        if fault:
            # Only a row that both sides score can tell which step is wrong.
            step = "signature" if fault in _REFUSALS else guilty(case.row)
            raise ParityFailed(step, f"row {number} of the proof, {case.name}: {fault}")
    compared = ~(expected.refused | found.refused)
    proof.rows.update(case.group for case, yes in zip(cases, compared, strict=True) if yes)
    proof.refused += int(found.refused.sum())
    proof.labels += int(comparison.decided[compared].sum())
    proof.undecidable += int((~comparison.decided[compared]).sum())
    proof.widened += int(comparison.widened.sum())
    greatest = float(comparison.differences[compared].max(initial=0.0))
    proof.max_difference = max(proof.max_difference, greatest)


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
    cases: Sequence[Case], expected: Answers, found: Answers, comparison: Comparison
) -> Iterator[str | None]:
    for place, case in enumerate(cases):
        difference = comparison.differences[place]
        if found.refused[place]:
            # The codec may be stricter with numbers that float64 cannot hold, and nothing else.
            tolerated = expected.refused[place] or case.group == "extremes"
            yield None if tolerated else _STRICT
        elif expected.refused[place]:
            yield _LAX
        elif not comparison.equal[place]:
            yield f"the scores differ by {difference:.3g}{_advice(comparison.bounds[place])}"
        elif comparison.contradicted[place].any():
            yield f"the labels differ, the scores by {difference:.3g}"
        else:
            yield None


def _advice(bound: float) -> str:
    if not PLAUSIBLE < bound < np.inf:
        return ""
    return (
        f", and rounding alone can move them by {bound:.3g}, so large are the terms that cancel: "
        "scale the features, or regularise the model"
    )


def _compare_sizes(
    candidate: Candidate, rows: Sequence[ClientRow], equality: Equality, proof: Proof
) -> None:
    """Score the same rows in batches of several sizes: the answer must not depend on it."""
    kept = [row for row, no in zip(rows, candidate.answers(rows).refused, strict=True) if not no]
    if not kept:
        return
    whole = candidate.answers(kept)
    for size in _SAMPLE_SIZES:
        parts = [candidate.answers(kept[at : at + size]) for at in range(0, len(kept), size)]
        comparison = equality.compare(kept, whole, joined(parts))
        if not comparison.equal.all():
            difference = float(comparison.differences[~comparison.equal].max())
            raise ParityFailed("", f"batches of {size} rows: the scores differ by {difference:.3g}")
        proof.rows["batch sizes"] += len(kept)
