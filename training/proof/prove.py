"""The job of an export: convert a pipeline, prove the graph, choose its golden rows.

Golden rows are real ones and edge cases with scikit-learn's own scores; they are in the package, as
are the explainer and the files of monitoring that are made here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from sklambda.decision import TOLERANCE, labels_at
from sklambda.errors import DocumentInvalid, RowsInvalid
from sklambda.manifest import GoldenRow, ParityReport
from sklambda.package import EXPLAINER
from sklambda.policy.watching import Watching
from sklambda.signature import Kind, Signature
from training.baseline.monitoring_files import BaselineData, monitoring_files
from training.convert.graph.scope import Estimator
from training.errors import ConversionRefused
from training.explain import explainer_file
from training.metrics import Evaluation, Metric, Plan
from training.proof.adversary import FULL, Budget, Case
from training.proof.conversion import Conversion
from training.proof.equality import Equality
from training.proof.reference import Reference
from training.proof.surface import NEAR_TIES

_SEED: Final = 0
_DATA: Final = 32
_EDGES: Final = 32
_TRIED: Final = 8
"""How many further rows are tried for each that is refused or depends on rounding."""

_LONG: Final = 10_000
"""The greatest length of a text of a golden row: they are replayed at each start."""
type Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ExportJob:
    """A pipeline to convert and to prove, with its data.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    frame : DataFrame
        Shape [N, K]: the columns that it was fitted on.
    kinds : mapping of str to kind
        The kind of each feature; the other columns are never read.
    targets : sequence of str
        The target's column, or the columns of several targets; empty where they are unknown.
    row_id : str or None
        A column of the source that clients may send along.
    held_out : DataFrame or None
        Further rows of features.
    outcomes : DataFrame or None
        Their outcomes, a column for each target or value.
    evaluation : Evaluation or None
        Metrics of the held-out rows that were measured already.
    plan : Plan
        The plan of measuring the others.
    watching : Watching or None
        What the monitor compares; the default where it is None.
    budget : Budget
        The number of rows at boundaries.
    single_precision : float or None
        How far the answers of a network in float32 are from those of the pipeline, in float64.
    """

    pipeline: Estimator
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    targets: Sequence[str] = ()
    row_id: str | None = None
    held_out: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    evaluation: Evaluation | None = None
    plan: Plan = field(default_factory=Plan)
    watching: Watching | None = None
    budget: Budget = FULL
    single_precision: float | None = None

    @property
    def baseline_data(self) -> BaselineData:
        """The data of the baseline."""
        return BaselineData(
            self.frame,
            self.held_out,
            self.outcomes,
            self.evaluation,
            self.plan,
            self.watching or Watching(),
        )

    @property
    def conversion(self) -> Conversion:
        """The pipeline with its frame."""
        return Conversion(self.pipeline, self.frame, self.kinds)


@dataclass(frozen=True, slots=True)
class ProvenModel:
    """A graph that passed the proof, with the other parts of its package."""

    model: bytes
    signature: Signature
    golden: Sequence[GoldenRow]
    parity: ParityReport
    optional: Mapping[str, bytes]
    metrics: Mapping[str, Metric]


def convert_and_prove(job: ExportJob, progress: Progress) -> ProvenModel:
    """Convert a pipeline, and compare the graph with it on all rows of the proof.

    Raises
    ------
    ConversionRefused
        A step has no exact conversion, the graph's scores or labels differ from scikit-learn's, or
        what a package says of the model would contradict itself.
    DataError
        The frame is not the one that the pipeline was fitted on, or an outcome is not one of the
        target's classes or finite values.
    """
    try:
        return _proven(job, progress)
    except DocumentInvalid as error:
        raise ConversionRefused("package", f"it cannot describe the model: {error}") from error
    except RowsInvalid as error:
        raise ConversionRefused("signature", f"it refuses rows of the frame: {error}") from error


def _proven(job: ExportJob, progress: Progress) -> ProvenModel:
    model, signature, parity, golden = _compared(job, progress)
    explainer = explainer_file(model, signature, job.frame)
    files, metrics = monitoring_files(job.baseline_data, model, signature, explainer)
    return ProvenModel(model, signature, golden, parity, files | {EXPLAINER: explainer}, metrics)


def _compared(
    job: ExportJob, progress: Progress
) -> tuple[bytes, Signature, ParityReport, list[GoldenRow]]:
    """Convert and compare; the rows and sessions of it, which fill the memory, end here."""
    conversion = job.conversion
    progress("convert", 0, 1)
    model, signature = conversion.convert(job.targets, job.row_id)
    progress("convert", 1, 1)
    cases = conversion.cases(model, signature, job.held_out, job.budget)
    equality = conversion.equality(model, signature)
    parity = conversion.prove(
        model, signature, cases, lambda *done: progress("prove", *done), equality
    )
    if job.single_precision is not None:
        parity = parity.replace(single_precision=job.single_precision)
    return model, signature, parity, golden_rows(conversion, signature, cases, equality)


def golden_rows(
    conversion: Conversion, signature: Signature, cases: Sequence[Case], equality: Equality
) -> list[GoldenRow]:
    """Return real rows and edge cases with scikit-learn's scores, the same for the same cases.

    They are rows that both sides score: scikit-learn scores some that the codec refuses, as one
    with a whole number beyond 2^53, and a package with such a row could not be replayed. A row is
    passed over if another processor may round it to another label, or further from scikit-learn's
    score than usual. Where too few are left, these are taken too, with a tolerance of their own.

    Parameters
    ----------
    conversion : Conversion
        The pipeline, with its rows.
    signature : Signature
        Its signature.
    cases : sequence of Case
        The rows to choose from.
    equality : Equality
        What compares its scores with those of its graph.
    """
    reference = conversion.reference(signature.target)
    generator = np.random.default_rng(_SEED)
    others = ("data", *NEAR_TIES)
    edges = [case for case in cases if case.group not in others and not _is_long(case)]
    real_rows = [case for case in cases if case.group == "data"]
    chosen = []
    for pool, count in ((real_rows, _DATA), (edges, _EDGES)):
        places = generator.choice(len(pool), min(count, len(pool)), replace=False)
        chosen += _picked(reference, equality, pool, sorted(places.tolist()))
    return chosen


def _is_long(case: Case) -> bool:
    return any(isinstance(value, str) and len(value) > _LONG for value in case.row.values())


@dataclass(frozen=True, slots=True)
class _Choice:
    """A row that may be golden; a stable one is the same on every processor."""

    place: int
    row: GoldenRow
    stable: bool


def _picked(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[GoldenRow]:
    """Return the rows at some places, but others for those that are refused or not stable."""
    choices = _choices(reference, equality, pool, places)
    kept = [choice for choice in choices if choice.stable]
    lacking = len(places) - len(kept)
    if lacking:
        others = np.setdiff1d(np.arange(len(pool)), places)
        more = np.random.default_rng(_SEED).permutation(others)[: _TRIED * lacking]
        further = _choices(reference, equality, pool, more.tolist())
        ranked = [
            *(choice for choice in further if choice.stable),
            *(x for x in choices if not x.stable),
        ]
        kept += ranked[:lacking]
    return [choice.row for choice in sorted(kept, key=lambda choice: choice.place)]


def _choices(
    reference: Reference, equality: Equality, pool: Sequence[Case], places: Sequence[int]
) -> list[_Choice]:
    """Return the rows whose scores and bounds are finite: both sides score them.

    A row that scikit-learn refuses has no score, and one that the codec refuses no bound.
    """
    cases = [pool[place] for place in places]
    rows = [case.row for case in cases]
    predicted = reference.predict(rows)
    named = labels_at(reference.target, predicted.labels)
    bounds = equality.bounds(rows, predicted.scores)
    stable = (bounds <= TOLERANCE) & equality.labels_hold(predicted.scores, bounds)
    return [
        _Choice(
            place,
            GoldenRow(
                name=case.name,
                row=case.row,
                scores=tuple(scores.tolist()),
                labels=label,
                tolerance=float(bound) if bound > TOLERANCE else None,
            ),
            bool(sure),
        )
        for place, case, scores, label, bound, sure in zip(
            places, cases, predicted.scores, named, bounds, stable, strict=True
        )
        if np.isfinite(scores).all() and np.isfinite(bound)
    ]
