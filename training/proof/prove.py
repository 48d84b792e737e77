"""What becomes a package: a graph and its signature, with the proof that they are right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from sklambda.manifest import GoldenRow, ParityReport
from sklambda.package import EXPLAINER
from sklambda.policy.watching import Watching
from sklambda.signature import Kind, Signature
from training.baseline.monitoring_files import Known, monitoring_files
from training.convert.graph.scope import Estimator
from training.explain import explainer_file
from training.metrics import Measured, Metric, Plan
from training.proof.candidate import Draft

type Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be converted and proven.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    frame : DataFrame
        Shape [N, K]: the features that it was fitted on.
    kinds : mapping of str to kind
        How each feature is written.
    targets : sequence of str
        The target's column, or the columns of several targets; none where they are not known.
    row_id : str or None
        A column of the source that clients may send along.
    holdout : DataFrame or None
        Further rows of features.
    outcomes : DataFrame or None
        What became true of them, a column for each target or value.
    measured : Measured or None
        What was measured on them already.
    plan : Plan
        How the rest is measured.
    watching : Watching or None
        What the monitor looks at; what it looks at anyway where it is not said.
    """

    pipeline: Estimator
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    targets: Sequence[str] = ()
    row_id: str | None = None
    holdout: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    measured: Measured | None = None
    plan: Plan = field(default_factory=Plan)
    watching: Watching | None = None

    @property
    def known(self) -> Known:
        """What is known beside the pipeline."""
        watching = self.watching or Watching()
        return Known(self.frame, self.holdout, self.outcomes, self.measured, self.plan, watching)

    @property
    def draft(self) -> Draft:
        """The pipeline on its way to a package."""
        return Draft(self.pipeline, self.frame, self.kinds)


@dataclass(frozen=True, slots=True)
class Proven:
    """The parts of a package that has proven itself."""

    model: bytes
    signature: Signature
    golden: Sequence[GoldenRow]
    parity: ParityReport
    optional: Mapping[str, bytes]
    metrics: Mapping[str, Metric]


def convert_and_prove(job: Job, progress: Progress) -> Proven:
    """Convert a pipeline, and compare the graph with it on all rows of the proof.

    Raises
    ------
    ConversionRefused
        A step has no exact conversion, or the graph does not answer as scikit-learn does.
    DataError
        The frame is not what the pipeline was fitted on, or an outcome is none of its answers.
    """
    draft = job.draft
    progress("convert", 0, 1)
    model, signature = draft.convert(job.targets, job.row_id)
    progress("convert", 1, 1)
    cases = draft.cases(model, signature, job.holdout)
    parity = draft.prove(model, signature, cases, lambda *done: progress("prove", *done))
    golden = draft.golden(cases, signature.target)
    explainer = explainer_file(model, signature, draft.frame)
    files, metrics = monitoring_files(job.known, model, signature, explainer)
    return Proven(model, signature, golden, parity, files | {EXPLAINER: explainer}, metrics)
