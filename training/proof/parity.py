"""The gate: graph and scikit-learn must agree on every row, or the run stops."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched, chain, islice
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.arrays import Flags
from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, label_positions
from sklambda.manifest import ParityReport
from sklambda.session import Session
from sklambda.signature import Feature, Scalar, Signature
from training.errors import DataError, ParityFailed
from training.frames import ClientRow
from training.proof.adversary import Case
from training.proof.equality import Comparison, Equality
from training.proof.reference import (
    PipelineInput,
    Predictions,
    Reference,
    concatenate,
    refused_rows,
)

_CHUNK: Final = 2000
_CHUNK_NUMBERS: Final = 2**22
_ANSWERS: Final = 2**24
"""About the greatest number of the graph's scores that are held at once."""

_SAMPLE_SIZES: Final = (1, 7)
_MOST_NOISE: Final = 0.5
"""The greatest share of real rows whose scores may be nothing but rounding."""


type NameStep = Callable[[ClientRow], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The graph with its codec, as the service runs it.

    Attributes
    ----------
    signature, codec, model
        Those of the package.
    closed : frozenset of str
        Features whose unseen categories it refuses though scikit-learn accepts them.
    """

    signature: Signature
    codec: Codec
    model: bytes
    closed: frozenset[str] = frozenset()

    def is_closed_to(self, row: ClientRow) -> bool:
        """Check whether a row has an unseen category of a closed feature, or lacks one."""
        return any(
            feature.name in self.closed and _is_shut(feature, row[feature.name])
            for feature in self.signature.features
        )

    def predict(self, rows: Sequence[ClientRow]) -> Predictions:
        """Score rows; those that the codec refuses are flagged."""
        return next(self.answers([rows]))

    def answers(self, parts: Iterable[Sequence[ClientRow]]) -> Iterator[Predictions]:
        """Score lists of rows, in one session that ends with them: a forest's fills the memory."""
        session, target = Session(self.model), self.signature.target
        for rows in parts:
            X, accepted = self.codec.encode_accepted(rows)
            found = refused_rows(len(rows), target)
            if accepted.any():
                scores = session.run(X)
                found.scores[accepted] = scores
                found.labels[accepted] = label_positions(target, scores)
                found.refused[accepted] = self.signature.partial & np.isnan(scores).any(axis=1)
            yield found


def _is_shut(feature: Feature, value: Scalar | None) -> bool:
    if value is None:
        return not feature.nullable
    if isinstance(value, str):
        return value not in feature.vocabulary
    return bool(feature.choices) and value not in feature.choices


@dataclass(slots=True)
class Proof:
    """The counts of the comparison."""

    rows: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    labels: int = 0
    widened: int = 0
    undecidable: int = 0
    max_difference: float = 0.0
    judged: int = 0
    noisy: int = 0
    first_noise: str = ""

    def count_noise(
        self, comparison: Comparison, cases: Sequence[Case], real: Flags, first: int
    ) -> None:
        """Count the real rows, and those whose scores are nothing but rounding."""
        self.judged += int(real.sum())
        self.noisy += int(comparison.noise.sum())
        if comparison.noise.any() and not self.first_noise:
            place = int(comparison.noise.argmax())
            self.first_noise = (
                f"row {first + place} of the proof, {cases[place].name}, and most others: the "
                f"scores are rounding noise up to {comparison.bounds[place]:.3g}, so large are the "
                "terms that cancel: scale the features, or regularise the model"
            )

    def require_signal(self) -> None:
        """Raise `ParityFailed` if the scores of most real rows are nothing but rounding."""
        if self.noisy > _MOST_NOISE * self.judged:
            raise ParityFailed("", self.first_noise)

    def report(self) -> ParityReport:
        """Return the parity report of the manifest."""
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
    name_step: NameStep,
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
        Compares the predictions.
    name_step : callable
        Returns the step that differs on a row, and what to do about it where that is known; called
        for a row that failed.
    progress : callable
        Called with the number of compared cases, and of all.

    Raises
    ------
    ParityFailed
        A score differs by more than its tolerance, a label differs that rounding does not change,
        the scores of most real rows are nothing but rounding, or one side refuses what the other
        accepts; names the step, the row and the difference.
    """
    proof = Proof()
    size = min(_CHUNK, max(1, _CHUNK_NUMBERS // candidate.signature.width))
    chunks = [cases[start : start + size] for start in range(0, len(cases), size)]
    start = 0
    # The graph's answers first, for the bounds on its rounding take a session of their own.
    most = max(1, _ANSWERS // (size * candidate.signature.target.width))
    for block in batched(chunks, most):
        answers = [*candidate.answers([case.row for case in chunk] for chunk in block)]
        for chunk, found in zip(block, answers, strict=True):
            _compare(reference, candidate, chunk, start, found, equality, proof, name_step)
            start += len(chunk)
            progress(start, len(cases))
    proof.require_signal()
    few = [case.row for case in cases[: max(_SAMPLE_SIZES) * 20]]
    _compare_sizes(candidate, few, equality, proof)
    return proof.report()


def _compare(
    reference: Reference,
    candidate: Candidate,
    cases: Sequence[Case],
    first: int,
    found: Predictions,
    equality: Equality,
    proof: Proof,
    name_step: NameStep,
) -> None:
    rows = [case.row for case in cases]
    expected = _expected(reference, cases, rows, found.refused)
    real = np.array([case.group == "data" for case in cases])
    comparison = equality.compare(rows, expected, found, real)
    compared = ~(expected.refused | found.refused)
    proof.count_noise(comparison, cases, real & compared, first)
    faults = _faults(candidate, cases, expected, found, comparison)
    for number, (case, fault) in enumerate(zip(cases, faults, strict=True), first):
        if fault:
            proof.require_signal()
            # Only a row that both sides score can tell which step is wrong.
            step, advice = ("signature", "") if fault in _REFUSALS else name_step(case.row)
            raise ParityFailed(step, f"row {number} of the proof, {case.name}: {fault}{advice}")
    proof.rows.update(case.group for case, yes in zip(cases, compared, strict=True) if yes)
    proof.refused += int(found.refused.sum())
    proof.labels += int(comparison.decided[compared].sum())
    proof.undecidable += int((~comparison.decided[compared]).sum())
    proof.widened += int(comparison.widened.sum())
    greatest = float(comparison.differences[compared].max(initial=0.0))
    proof.max_difference = max(proof.max_difference, greatest)


def _expected(
    reference: Reference, cases: Sequence[Case], rows: Sequence[ClientRow], refused: Flags
) -> Predictions:
    """Score the rows; of those that the codec refused see only whether they have scores.

    They are tried apart: where some raise, all are scored by halves. Of extreme numbers nothing is
    asked, for the codec may refuse them in any case.
    """
    expected = refused_rows(len(rows), reference.target)
    taken = np.flatnonzero(~refused)
    own = reference.predict([rows[place] for place in taken.tolist()])
    expected.scores[taken] = own.scores
    expected.labels[taken] = own.labels
    expected.refused[taken] = own.refused
    extreme = np.array([case.group == "extremes" for case in cases])
    doubtful = np.flatnonzero(refused & ~extreme)
    accepted, scored = reference.acceptance([rows[place] for place in doubtful.tolist()])
    expected.refused[doubtful] = ~accepted
    expected.scores[doubtful[scored]] = 0.0
    return expected


_STRICT: Final = "scikit-learn scores the row and the signature refuses it"
_LAX: Final = "scikit-learn refuses the row and the signature accepts it"
_REFUSALS: Final = (_STRICT, _LAX)


def _faults(
    candidate: Candidate,
    cases: Sequence[Case],
    expected: Predictions,
    found: Predictions,
    comparison: Comparison,
) -> Iterator[str | None]:
    for place, case in enumerate(cases):
        difference = comparison.differences[place]
        if found.refused[place]:
            # The codec may be stricter with numbers that float64 cannot hold or of which the score
            # is none, and with categories of which nothing is known.
            tolerated = expected.refused[place] or case.group == "extremes"
            tolerated = tolerated or bool(np.isnan(expected.scores[place]).any())
            tolerated = tolerated or candidate.is_closed_to(case.row)
            yield None if tolerated else _STRICT
        elif expected.refused[place]:
            yield _LAX
        elif not comparison.equal[place]:
            yield f"the scores differ by {difference:.3g}"
        elif comparison.contradicted[place].any():
            yield f"the labels differ, the scores by {difference:.3g}"
        else:
            yield None


def _compare_sizes(
    candidate: Candidate, rows: Sequence[ClientRow], equality: Equality, proof: Proof
) -> None:
    """Score the same rows in batches of several sizes: scores must not depend on the size."""
    kept = [row for row, no in zip(rows, candidate.predict(rows).refused, strict=True) if not no]
    if not kept:
        return
    batches = [[kept[at : at + size] for at in range(0, len(kept), size)] for size in _SAMPLE_SIZES]
    answers = candidate.answers(chain([kept], *batches))
    whole = next(answers)
    for size, batch in zip(_SAMPLE_SIZES, batches, strict=True):
        comparison = equality.compare(kept, whole, concatenate([*islice(answers, len(batch))]))
        if not comparison.equal.all():
            difference = float(comparison.differences[~comparison.equal].max())
            raise ParityFailed("", f"batches of {size} rows: the scores differ by {difference:.3g}")
        proof.rows["batch sizes"] += len(kept)


def require_same_as_json(
    reference: Reference, equality: Equality, frame: pd.DataFrame, rows: Sequence[ClientRow]
) -> None:
    """Raise `DataError` if the scores of a frame change once it is written as JSON and read.

    Those of float32 do: scikit-learn then computes in float32, and a client's numbers are float64.

    Parameters
    ----------
    reference : Reference
        scikit-learn's side.
    equality : Equality
        Compares the predictions.
    frame : DataFrame
        Shape [N, K], unchanged.
    rows : sequence of ClientRow
        The same rows as a client would send them.
    """
    made = reference.frame(rows)
    same = _same_numbers(made, frame)
    try:
        direct = reference.predict_frame(frame.head(1) if same else frame)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"the pipeline cannot score the frame: {type(error).__name__}") from error
    if same:
        return
    comparison = equality.compare(rows, direct, reference.predict(rows))
    equal = comparison.equal & ~comparison.contradicted.any(axis=1)
    if not equal.all():
        raise DataError(
            f"row {int((~equal).argmax())} of the frame has another score once it is written as "
            f"JSON and read{_dtype_advice(frame)}"
        )


def _same_numbers(made: PipelineInput, frame: pd.DataFrame) -> bool:
    """Return whether two frames hold the same numbers, of which a pipeline makes the same."""
    plain = isinstance(made, pd.DataFrame) and all(
        isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in frame.dtypes
    )
    return plain and made.equals(frame)


def _dtype_advice(frame: pd.DataFrame) -> str:
    narrow = [str(name) for name in frame if str(frame[name].dtype).lower() in _NARROW]
    if narrow:
        return (
            f": column {narrow[0]!r} is {frame[narrow[0]].dtype}; fit on float64, the numbers of "
            "clients, by frame.astype('float64')"
        )
    torn = [str(name) for name in frame if len(_missing_values(frame[name])) > 1]
    if torn:
        return (
            f": column {torn[0]!r} has None and NaN, and both are null in JSON; fit on one of "
            "them, by column.where(column.notna(), None)"
        )
    return "; fit on columns of numbers, booleans or strings alone"


def _missing_values(column: "pd.Series[Any]") -> set[type]:
    """Return the types of the missing values of a column of objects, which encoders tell apart."""
    if column.dtype != np.dtype(object):
        return set()
    return {type(value) for value in column[column.isna()].tolist()}


_NARROW = frozenset({"float16", "float32"})
