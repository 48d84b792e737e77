"""The monitor's baseline: counts of the rows of training, and calibrators from held-out rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from sklambda.arrays import FloatMatrix, FloatVector, IntMatrix
from sklambda.manifest import MetricInterval
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Calibrator, Reference, codes
from sklambda.sketch.ruler import Ruler
from sklambda.sketch.sketch import Counts
from sklambda.sketch.sketcher import (
    count_codes,
    count_duplicates,
    count_labels,
    count_numbers,
    count_tenths,
    watched_values,
)
from sklambda.sketch.watched_scores import WatchedScore, watched_scores
from training.baseline.rulers import quantile_ruler, share_ruler, tenth_ruler, tenths, with_edge

_CROWD: Final = 20
"""The fewest rows behind a knot, so that none discloses one outcome."""

_FOLDS: Final = 5

_RESOLUTION: Final = 1e-15
"""The difference of scores up to which isotonic regression takes them for one."""

_CERTAIN: Final = 0.001
"""The least probability in the log loss: one surprise does not decide alone."""


def calibrate(
    scores: FloatVector, true: NDArray[np.bool_], probability: bool = True
) -> Calibrator | None:
    """Fit an isotonic calibrator, and return it if it lowers the log loss.

    Parameters
    ----------
    scores : FloatVector
        Shape [N] float64, of rows that the model was not fitted on.
    true : array of bool
        Shape [N]: whether the class, or the label, was true.
    probability : bool
        Whether a score without a calibrator is a probability.

    Returns
    -------
    Calibrator or None
        Its knots are means over bins of scores, so that none discloses one row. None where, fitted
        on four fifths of the rows and measured on the fifth, it does not lower the log loss: a
        proper score, which separates miscalibration from chance on fewer rows than the expected
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
    while True:
        counts = np.bincount(places)
        there = counts > 0
        means = np.bincount(places, scores)[there] / counts[there]
        apart = np.diff(means, prepend=-np.inf) > _RESOLUTION
        if apart.all():
            break
        places = (np.cumsum(apart) - 1)[(np.cumsum(there) - 1)[places]]
    shares = np.bincount(places, true)[there] / counts[there]
    isotonic = IsotonicRegression(y_min=0, y_max=1).fit(means, shares, counts[there])
    chances = isotonic.predict(means)
    steps = np.diff(chances, prepend=-1.0, append=2.0) != 0
    ends = steps[:-1] | steps[1:]  # the others lie on a level line
    return Calibrator(
        scores=tuple(means[ends].tolist()), chances=tuple(chances[ends].tolist()), rows=len(scores)
    )


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that the model was not fitted on.

    Attributes
    ----------
    scores : FloatMatrix
        Shape [M, C] float64.
    labels : IntMatrix
        Shape [M, L]: the positions of the labels that the model gives.
    true : IntMatrix
        Shape [M, L]: the positions of the true labels; no column where they are unknown, and for
        a regressor.
    metrics : mapping of str to MetricInterval
        Metrics of the model on them.
    """

    scores: FloatMatrix
    labels: IntMatrix
    true: IntMatrix
    metrics: Mapping[str, MetricInterval] = field(default_factory=dict)


def baseline(
    signature: Signature,
    X: FloatMatrix,
    held_out: HeldOut,
    weights: Mapping[str, float] | None = None,
) -> Baseline:
    """Build the baseline: counts of the training rows and of the held-out scores.

    Parameters
    ----------
    signature : Signature
        Of the model.
    X : FloatMatrix
        Shape [N, K] float64: the encoded rows of training.
    held_out : HeldOut
        Their scores are as in production: those of training rows would be more extreme.
    weights : mapping of str to float, optional
        The model's attribution to each feature, such as the mean of absolute Shapley values.

    Returns
    -------
    Baseline
        Counts, and no row.
    """
    values = watched_values(signature, X)
    columns = list(zip(signature.features, values.T.copy(), strict=True))
    binned = {feature.name: _binned(feature, column) for feature, column in columns}
    return Baseline(
        rows=len(X),
        duplicates=count_duplicates(X),
        features={feature.name: _feature(feature, column) for feature, column in columns},
        binned={name: one for name, one in binned.items() if one is not None},
        scores={one.name: _score(one, held_out) for one in watched_scores(signature.target)},
        labels=count_labels(signature, held_out.labels),
        balance=_balance(signature, held_out.true),
        calibrators=dict(_calibrators(signature, held_out)),
        metrics=dict(held_out.metrics),
        weights=_shares(weights or {}),
        errors={},
    )


def numbers(ruler: Ruler, values: FloatVector) -> Reference:
    """Count numbers of training, [n] float64, on the ruler of the baseline."""
    column = count_numbers(ruler, values)
    return Reference(ruler=ruler, column=column, std=_deviation(ruler, values))


def _feature(feature: Feature, values: FloatVector) -> Reference:
    if codes(feature):
        ruler = Ruler(codes=codes(feature))
        return Reference(ruler=ruler, column=count_codes(ruler, values))
    # The signature has no range of a text's number of known terms.
    return numbers(quantile_ruler(values[np.isfinite(values)], feature.span), values)


def _binned(feature: Feature, values: FloatVector) -> Reference | None:
    """Count as a binned capture does; None for a feature that it leaves out."""
    if codes(feature):
        return _feature(feature, values)
    ruler = None if feature.span is None else tenth_ruler(feature.span)
    if feature.span is None or ruler is None:
        return None
    column = count_tenths(ruler, tenths(values, feature.span))
    return Reference(ruler=ruler, column=column, std=_deviation(ruler, values))


def _score(one: WatchedScore, held_out: HeldOut) -> Reference:
    values = one.of(held_out.scores, held_out.labels)
    chance = one.target.scores == "probability"
    ruler = share_ruler() if chance else quantile_ruler(values[np.isfinite(values)])
    return numbers(with_edge(ruler, one.boundary), values)


def _deviation(ruler: Ruler, values: FloatVector) -> float:
    present = values[np.isfinite(values)]
    if not ruler.edges or not present.size:
        return 0.0
    inside = np.clip(present, ruler.edges[0], ruler.edges[-1])
    # Of numbers near the greatest that there are, the squares are infinite.
    greatest = float(np.abs(inside).max()) or 1.0
    return float(min((inside / greatest).std() * greatest, np.finfo(np.float64).max))


def _calibrators(signature: Signature, held_out: HeldOut) -> Iterator[tuple[str, Calibrator]]:
    if not held_out.true.shape[1]:
        return
    for one in watched_scores(signature.target):
        expected = held_out.labels[:, one.place] if one.label is None else one.label
        right = held_out.true[:, one.place] == expected
        scores = one.of(held_out.scores, held_out.labels)
        fitted = calibrate(scores, right, one.target.scores == "probability")
        if fitted is not None:
            yield one.name, fitted


def _balance(signature: Signature, true: IntMatrix) -> dict[str, Counts]:
    return count_labels(signature, true) if true.shape[1] else {}


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(map(abs, weights.values()))
    return {name: abs(weight) / total for name, weight in weights.items()} if total else {}
