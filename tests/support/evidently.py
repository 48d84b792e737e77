"""The verdicts of Evidently's default tests, from raw rows of both sides.

Evidently 0.7.23: up to 1,000 rows of reference a p-value (Kolmogorov and Smirnov's for numbers,
chi-square's for categories, a z-test for two values), above that a distance of 0.1 (Wasserstein's
in standard deviations, or Jensen and Shannon's). It requires no minimum of rows, and does not
correct for many columns, unlike `functions.monitor.drift.compare`.
"""

from dataclasses import dataclass
from math import floor, inf, sqrt
from typing import Final, Literal

import numpy as np

from functions.monitor.statistics.distances import jensen_shannon
from functions.monitor.statistics.significance import (
    chi_square_tail,
    kolmogorov_smirnov_p,
    normal_tail,
)
from sklambda.arrays import FloatVector

SMALL: Final = 1000
"""The most rows of reference with which it tests; with more it measures a distance."""

_FEW: Final = 5
"""The most different numbers that count as categories."""

_MANY: Final = 10_000
"""With more rows scipy, which Evidently uses, approximates p: near 0.05 to within 0.001."""

_LEAST_DEVIATION: Final = 0.001
_LEVEL: Final = 0.05
_DISTANCE: Final = 0.1

type Method = Literal["wasserstein", "jensen_shannon", "kolmogorov_smirnov", "chi_square", "z"]


@dataclass(frozen=True, slots=True)
class EvidentlyVerdict:
    """Evidently's test, its p-value or distance, and whether that is drift."""

    method: Method
    score: float
    drifted: bool


def evidently(reference: FloatVector, current: FloatVector, number: bool) -> EvidentlyVerdict:
    """Return the verdict of Evidently about a column.

    Parameters
    ----------
    reference, current : FloatVector
        Shape [n], [m]: numbers, or codes of categories; NaN for a missing value, left out.
    number : bool
        Whether the values are numbers.

    Raises
    ------
    ValueError
        One side has no values.
    """
    reference, current = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if not reference.size or not current.size:
        raise ValueError("a column without values cannot be compared")
    if number and _many(reference, current):
        return _of_numbers(reference, current)
    return _of_categories(reference, current)


def drifted(verdicts: list[EvidentlyVerdict]) -> bool:
    """Return whether Evidently finds drift of the data set: in at least half of the columns."""
    return bool(verdicts) and 2 * sum(verdict.drifted for verdict in verdicts) >= len(verdicts)


def _many(reference: FloatVector, current: FloatVector) -> bool:
    """Return whether there are more than a few different values; the first ones mostly decide."""
    head = np.unique(np.concatenate([reference[:100], current[:100]]))
    return len(head) > _FEW or len(np.unique(np.concatenate([reference, current]))) > _FEW


def _of_numbers(reference: FloatVector, current: FloatVector) -> EvidentlyVerdict:
    first, second = np.sort(reference), np.sort(current)
    values = np.concatenate([first, second])
    values.sort(kind="stable")  # two ascending runs are merged
    below = np.searchsorted(first, values, side="right") / first.size
    apart = np.abs(below - np.searchsorted(second, values, side="right") / second.size)
    if reference.size > SMALL:
        area = float((apart[:-1] * np.diff(values)).sum())
        score = area / max(float(reference.std()), _LEAST_DEVIATION)
        return EvidentlyVerdict("wasserstein", score, score >= _DISTANCE)
    tail = kolmogorov_smirnov_p if current.size > _MANY else exact_kolmogorov_smirnov_p
    p = tail(float(apart.max()), reference.size, current.size)
    return EvidentlyVerdict("kolmogorov_smirnov", p, p <= _LEVEL)


def _of_categories(reference: FloatVector, current: FloatVector) -> EvidentlyVerdict:
    then, now = _counts(reference, current)
    if reference.size > SMALL:
        score = jensen_shannon(then, now)
        return EvidentlyVerdict("jensen_shannon", score, score >= _DISTANCE)
    if len(then) > 2:
        expected = then * (now.sum() / then.sum())
        with np.errstate(divide="ignore"):
            value = float(((now - expected) ** 2 / expected).sum())
        p = chi_square_tail(value, len(then) - 1)
        return EvidentlyVerdict("chi_square", p, p < _LEVEL)
    p = _two_shares_p(then, now)
    return EvidentlyVerdict("z", p, p < _LEVEL)


def _counts(reference: FloatVector, current: FloatVector) -> tuple[FloatVector, FloatVector]:
    values, places = np.unique(np.concatenate([reference, current]), return_inverse=True)
    then = np.bincount(places[: reference.size], minlength=len(values))
    now = np.bincount(places[reference.size :], minlength=len(values))
    return then.astype(np.float64), now.astype(np.float64)


def _two_shares_p(then: FloatVector, now: FloatVector) -> float:
    if len(then) == 1:
        return 1.0
    n, m = then.sum(), now.sum()
    both = (then[0] + now[0]) / (n + m)
    spread = sqrt(both * (1 - both) * (1 / n + 1 / m))
    z = abs(then[0] / n - now[0] / m) / spread if spread else inf
    return 2 * normal_tail(z)


def exact_kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Return the p-value of the greatest distance of two samples without ties, exactly.

    Paths on a lattice that stay near its diagonal are counted, row by row (Schroeer and Trenkler,
    "Exact and randomization distributions of Kolmogorov-Smirnov tests", 1995).
    """
    n, m = sorted((n, m))
    reach = floor(distance * n * m + 0.5)
    columns = np.arange(m + 1) * n
    inside = (columns < reach).astype(np.float64)
    for row in range(1, n + 1):
        near = np.abs(columns - row * m) < reach
        inside = np.where(near, np.cumsum(np.where(near, inside * (row / (row + m)), 0.0)), 0.0)
    return float(min(1.0, max(0.0, 1.0 - inside[m])))
