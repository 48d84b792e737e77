"""Whether scores still mean what they meant: concept drift."""

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Final

from functions.monitor.statistics.significance import normal_tail
from sklambda.arrays import Flags, FloatVector

LEVEL: Final = 0.01
"""How often the alarm may sound where nothing has changed."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Realised beside expected accuracy, on the same rows.

    Attributes
    ----------
    rows : int
        How many had an outcome.
    expected, realised : float
        The accuracy; NaN without rows.
    z, p : float
        How many standard deviations it lies below what was expected, and the chance of that.
    alarm : bool
        Whether that is too little to be chance.
    """

    rows: int
    expected: float
    realised: float
    z: float
    p: float
    alarm: bool


def concept(
    chances: FloatVector, positive: Flags, true: Flags, calibrated_on: float = inf
) -> Concept:
    """Test whether the labels of two classes are right less often than their scores say.

    Each label is right with the chance that its calibrated score gives; how many are has a mean
    and a variance. As far as a row's chance to get an outcome depends on its features only, the
    test holds without weights.

    Parameters
    ----------
    chances : FloatVector
        Shape [n]: of the second class, by the calibrated score.
    positive, true : Flags
        Shape [n]: whether it is the label, and whether it was true.
    calibrated_on : float, optional
        From how many rows the calibrator was learnt, which is not sure of itself either.
    """
    expected = positive * chances + ~positive * (1 - chances)
    return concept_of_labels(expected, positive == true, calibrated_on)


def concept_of_labels(chances: FloatVector, right: Flags, calibrated_on: float = inf) -> Concept:
    """Test the same among any number of classes, by the chance, [n], that each label is right."""
    rows = len(chances)
    variance = float((chances * (1 - chances)).sum()) * (1 + rows / calibrated_on)
    if not variance:
        missed = bool((chances > right).any())
        return Concept(rows, _mean(chances), _mean(right), nan, nan, missed)
    z = float((chances - right).sum()) / sqrt(variance)
    p = normal_tail(z)
    return Concept(rows, _mean(chances), _mean(right), z, p, p < LEVEL)


def _mean(values: FloatVector | Flags) -> float:
    return float(values.mean()) if len(values) else nan
