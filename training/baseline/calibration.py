"""What a score says of the chance that its class is true, learnt from held-out rows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from sklambda.arrays import FloatVector
from sklambda.sketch.baseline import Calibrator

_CROWD: Final = 20
"""The fewest rows behind a knot: none of them tells of one outcome."""

_FOLDS: Final = 5

_CERTAIN: Final = 0.001
"""What is less likely counts as this likely: one surprise does not decide alone."""


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
        on four fifths of the rows and measured on the fifth, it does not lower the log loss: a
        proper score, which tells miscalibration from chance on fewer rows than the expected
        calibration error does.
    """
    fitted = _fit(scores, true)
    if not probability:
        return fitted
    folds = np.arange(len(scores)) % _FOLDS
    if len(scores) < _FOLDS * _CROWD:
        return None
    after = sum(
        _loss(_fit(scores[folds != fold], true[folds != fold])(scores[own]), true[own])
        for fold in range(_FOLDS)
        for own in [folds == fold]
    )
    return fitted if after < _loss(scores, true) else None


def _loss(chances: FloatVector, true: NDArray[np.bool_]) -> float:
    inside = np.clip(chances, _CERTAIN, 1 - _CERTAIN)
    return -float(np.log(np.where(true, inside, 1 - inside)).sum())


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
