"""The verdicts of checks: a family of tests is corrected for their number, and ranked by impact."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal, NamedTuple

import numpy as np

from functions.monitor.statistics.significance import benjamini_hochberg
from sklambda.sketch.baseline import Reference
from sklambda.sketch.sketch import Histogram

type About = Literal["feature", "prediction"]
type State = Literal["no_data", "insufficient_data", "stable", "changed"]
type Check = Literal[
    "distribution", "missing", "unseen", "out_of_range", "coerced", "constant", "duplicated"
]


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """The counts of a column, before and after.

    Attributes
    ----------
    name : str
        The feature, score or target.
    reference : Reference
        The column of training; both were counted on its ruler.
    before, after : Histogram
        The counts to compare.
    categories : sequence of str
        The name of each code; empty for numbers.
    about : {"feature", "prediction"}
        Whether the column is a feature, or a score or label.
    weight : float
        The feature's share of the model's attributions.
    """

    name: str
    reference: Reference
    before: Histogram
    after: Histogram
    categories: Sequence[str] = ()
    about: About = "feature"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of a change: its effect is large enough, and it is significant.

    Attributes
    ----------
    effect : float
        The least distance of two distributions: Wasserstein's in standard deviations of training,
        for categories that of Jensen and Shannon.
    points : float
        The least difference of two rates, such as that of missing values.
    rate : float
        The false discovery rate (Benjamini and Hochberg).
    enough : int
        With fewer rows nothing is called stable.
    """

    effect: float = 0.1
    points: float = 0.05
    rate: float = 0.05
    enough: int = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a check of a column.

    Attributes
    ----------
    name : str
        The feature, score or target; empty for the rows as a whole.
    check : str
        The check.
    rows : int
        The number of values.
    effect, least : float
        The size of the difference, and its threshold.
    p : float
        The p-value, before the correction for many tests.
    before, after : float or None
        The means of numbers, or the rates, that are compared.
    direction : str
        "up", "down", "wider", "narrower" or, of categories, "mix".
    shifts : tuple of (str, float)
        The categories whose shares changed most, and their changes.
    measures : dict of str to float
        Other usual distances, by name.
    about : {"feature", "prediction"}
        Whether the column is a feature, or a score or label.
    weight : float
        The feature's share of the model's attributions.
    detectable : float or None
        The smallest effect that is detected in about 4 of 5 such windows; None if none is.
    state : {"no_data", "insufficient_data", "stable", "changed"}
        The outcome of the check.
    """

    name: str
    check: Check
    rows: int
    effect: float
    least: float
    p: float
    before: float | None = None
    after: float | None = None
    direction: str = ""
    shifts: tuple[tuple[str, float], ...] = ()
    measures: dict[str, float] = field(default_factory=dict)
    about: About = "feature"
    weight: float = 1.0
    detectable: float | None = None
    state: State = "no_data"

    @property
    def changed(self) -> bool:
        """Whether the state is "changed"."""
        return self.state == "changed"

    @property
    def impact(self) -> float:
        """The effect in units of its threshold, times the weight of the feature."""
        return self.effect / self.least * self.weight


class PendingVerdict(NamedTuple):
    """A verdict before the correction, and the function from a level to a detectable effect."""

    verdict: Verdict
    detectable: Callable[[float], float]


def to_verdicts(pending: Iterable[PendingVerdict], thresholds: Thresholds) -> list[Verdict]:
    """Return the verdicts of a family of tests, corrected for their number and ranked.

    A test without rows is "no_data", and does not count in the correction.
    """
    pending = list(pending)
    tests = [one for one in pending if one.verdict.rows]
    significant = benjamini_hochberg(np.array([one.verdict.p for one in tests]), thresholds.rate)
    verdicts = [
        _with_state(one, bool(flag), thresholds, thresholds.rate / len(tests))
        for one, flag in zip(tests, significant, strict=True)
    ]
    no_data = [one.verdict for one in pending if not one.verdict.rows]
    return rank_by_impact([*verdicts, *no_data])


def rank_by_impact(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Sort verdicts: changes first, then by impact."""
    return sorted(verdicts, key=lambda one: (not one.changed, -one.impact))


def _with_state(
    pending: PendingVerdict, is_significant: bool, thresholds: Thresholds, level: float
) -> Verdict:
    verdict = pending.verdict
    state: State = "stable" if verdict.rows >= thresholds.enough else "insufficient_data"
    if is_significant and verdict.effect >= verdict.least:
        state = "changed"
    detectable = max(verdict.least, pending.detectable(level))
    return replace(verdict, state=state, detectable=detectable if isfinite(detectable) else None)
