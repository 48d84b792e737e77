"""A model of two classes with simulated scores, outcomes and drift."""

from dataclasses import dataclass

import numpy as np

from functions.monitor.performance.estimated import Estimate, estimate
from functions.monitor.statistics.classification import sort_rows
from sklambda.arrays import Flags, FloatVector
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.baseline import Baseline, Calibrator
from training.baseline.monitoring_files import HeldOut, baseline

SIGNATURE = Signature(
    features=(Feature(name="x", kind="number", nullable=False),),
    target=Target(name="y", task="binary", classes=("no", "yes")),
)


@dataclass(frozen=True)
class Scored:
    """Rows that were scored and have outcomes, [n] each."""

    scores: FloatVector
    positive: Flags
    true: Flags

    def only(self, rows: Flags) -> "Scored":
        """Return some of the rows."""
        return Scored(self.scores[rows], self.positive[rows], self.true[rows])


def draw(rows: int, seed: int, moved: float = 0.0, reversed_: float = 0.0) -> Scored:
    """Draw rows whose scores are overconfident.

    Parameters
    ----------
    rows : int
        The number of rows.
    seed : int
        The seed.
    moved : float
        Covariate shift in standard deviations.
    reversed_ : float
        Concept drift: by how much, from 0 to 1, the outcome depends less on the rows.
    """
    drawn = np.random.default_rng(seed)
    x = drawn.normal(moved, 1, rows)
    chance = 1 / (1 + np.exp(-1.4 * (1 - reversed_) * x + 0.3))
    scores = 1 / (1 + np.exp(-2.2 * x + 0.2))
    return Scored(scores, scores > 0.5, drawn.random(rows) < chance)


def base(rows: int = 20_000, seed: int = 1) -> Baseline:
    """Return the baseline of held-out rows without drift."""
    known = draw(rows, seed)
    scores = np.stack([1 - known.scores, known.scores], axis=1)
    labels, true = known.positive.astype(np.intp), known.true.astype(np.intp)
    held_out = HeldOut(scores, labels[:, None], true[:, None])
    return baseline(SIGNATURE, known.scores[:, None], held_out)


def estimate_from_rows(
    scores: FloatVector, positive: Flags, calibrator: Calibrator | None = None
) -> dict[str, Estimate]:
    """Estimate the performance from rows, [n]: the reference of an estimate from bins."""
    probabilities = scores if calibrator is None else calibrator(scores)
    return estimate(sort_rows(scores, probabilities, positive))
