"""The job of an export: convert a pipeline, prove the graph, and collect the package's parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

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
from training.proof.adversary import FULL, Budget
from training.proof.conversion import Conversion

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
    return model, signature, parity, conversion.golden(model, signature, cases, equality)
