"""What a score says of the chance that its class is true, learnt from held-out rows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from sklambda.arrays import FloatVector
from sklambda.baseline import Calibrator

_CROWD: Final = 20
"""The fewest rows behind a knot: none of them tells of one outcome."""

_FEW: Final = 10
"""Over how many bins an error is measured: the usual number."""


def calibrate(
    scores: FloatVector, true: NDArray[np.bool_], probability: bool = True
) -> Calibrator | None:
    """Fit an isotonic calibrator, and keep it if it is worth it.

    Parameters
    ----------
    scores : FloatVector
        Shape [N] float64, of rows that the model was not fitted on.
    true : array of bool
        Shape [N]: whether the class, or the label, was true.
    probability : bool
        Whether a score without a calibrator is a chance at all.

    Returns
    -------
    Calibrator or None
        Its knots are means over bins of scores, so that none tells of one row. None where, fitted
        on either half of the rows and measured on the other, the calibration error is not lower.
    """
    fitted = _fit(scores, true)
    if not probability:
        return fitted
    even, odd = slice(0, None, 2), slice(1, None, 2)
    halves = [(even, odd), (odd, even)]
    before = sum(calibration_error(scores[half], true[half]) for half, _ in halves)
    after = sum(
        calibration_error(_fit(scores[one], true[one])(scores[other]), true[other])
        for one, other in halves
    )
    return fitted if after < before else None


def calibration_error(chances: FloatVector, true: NDArray[np.bool_]) -> float:
    """Give the expected calibration error over bins of equal counts (Naeini et al., 2015)."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, _FEW) if part.size]
    apart = [part.size * abs(chances[part].mean() - true[part].mean()) for part in parts]
    return float(sum(apart) / len(chances))


def _fit(scores: FloatVector, true: NDArray[np.bool_]) -> Calibrator:
    bins = max(1, len(scores) // _CROWD)
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, scores, side="left")
    counts = np.bincount(places)
    there = counts > 0
    means = np.bincount(places, scores)[there] / counts[there]
    shares = np.bincount(places, true)[there] / counts[there]
    isotonic = IsotonicRegression(y_min=0, y_max=1).fit(means, shares, counts[there])
    chances = isotonic.predict(means)
    steps = np.diff(chances, prepend=-1.0, append=2.0) != 0
    ends = steps[:-1] | steps[1:]  # the others lie on a level line
    return Calibrator(
        scores=tuple(means[ends].tolist()), chances=tuple(chances[ends].tolist()), rows=len(scores)
    )
