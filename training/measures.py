"""How good a model is on held-out rows, by the metrics that the monitor compares."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from scipy.stats import rankdata

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntMatrix, IntVector
from sklambda.manifest import MetricInterval
from sklambda.signature import Target
from sklambda.sketch.watched_scores import scored

type _Measure = Callable[[IntVector], float]
type _Measures = dict[str, _Measure]

_RESAMPLES: Final = 200
_CONFIDENCE: Final = 0.95
_SEED: Final = 0


def measure_labels(
    target: Target, scores: FloatMatrix, labels: IntMatrix, true: IntMatrix
) -> dict[str, MetricInterval]:
    """Measure a classifier.

    Parameters
    ----------
    target : Target
        What it answers.
    scores : FloatMatrix
        Shape [M, C].
    labels, true : IntMatrix
        Shape [M, L]: the positions of the labels that it gives, and of the true ones.

    Returns
    -------
    dict of str to MetricInterval
        ``accuracy``, and between two classes ``precision``, ``recall``, ``f1`` and, of scores that
        rank, ``roc_auc``; what nothing decides is left out. Of several targets their name stands
        before. Intervals are the percentile bootstrap's.
    """
    ranking = {one.place: one.of(scores, labels) for one in scored(target) if one.label == 1}
    found: dict[str, MetricInterval] = {}
    for place, part in enumerate(target.parts or (target,)):
        answer, right = labels[:, place], true[:, place]
        measures = _accuracy(answer == right)
        if len(part.classes) == 2:
            measures |= _two_classes(answer == 1, right == 1, ranking.get(place))
        found |= _named(measures, f"{part.name}: " if target.parts else "", len(labels))
    return found


def measure_values(
    target: Target, values: FloatMatrix, true: FloatMatrix
) -> dict[str, MetricInterval]:
    """Measure a regressor's values, [M, V], by the true ones.

    Gives its ``bias``, ``mean_absolute_error`` and ``root_mean_squared_error``; of several values
    their name stands before.
    """
    found: dict[str, MetricInterval] = {}
    for name, errors in zip(target.outputs, (values - true).T, strict=True):
        before = f"{name}: " if len(target.outputs) > 1 else ""
        found |= _named(_errors(errors), before, len(values))
    return found


def _errors(errors: FloatVector) -> _Measures:
    return {
        "bias": lambda rows: float(errors[rows].mean()),
        "mean_absolute_error": lambda rows: float(np.abs(errors[rows]).mean()),
        "root_mean_squared_error": lambda rows: float(np.sqrt((errors[rows] ** 2).mean())),
    }


def _accuracy(right: Flags) -> _Measures:
    return {"accuracy": lambda rows: _share(right[rows])}


def _two_classes(positive: Flags, true: Flags, scores: FloatVector | None) -> _Measures:
    both = positive & true

    def f1(rows: IntVector) -> float:
        called = int(positive[rows].sum() + true[rows].sum())
        return 2 * int(both[rows].sum()) / called if called else np.nan

    measures: _Measures = {
        "precision": lambda rows: _share(both[rows[positive[rows]]]),
        "recall": lambda rows: _share(both[rows[true[rows]]]),
        "f1": f1,
    }
    if scores is not None:
        measures["roc_auc"] = lambda rows: _area(scores[rows], true[rows])
    return measures


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else np.nan


def _area(scores: FloatVector, true: Flags) -> float:
    """Give the area under the curve by the ranks of Mann and Whitney."""
    ones = int(true.sum())
    pairs = ones * (len(true) - ones)
    if not pairs:
        return np.nan
    return float((rankdata(scores)[true].sum() - ones * (ones + 1) / 2) / pairs)


def _named(measures: Mapping[str, _Measure], before: str, rows: int) -> dict[str, MetricInterval]:
    return {
        f"{before}{name}": interval
        for name, measure in measures.items()
        for interval in _interval(measure, rows)
    }


def _interval(measure: _Measure, rows: int) -> Iterator[MetricInterval]:
    value, drawn = measure(np.arange(rows)), np.random.default_rng(_SEED)
    if not np.isfinite(value):
        return
    seen = np.array([measure(drawn.integers(0, rows, rows)) for _ in range(_RESAMPLES)])
    ends = [50 * (1 - _CONFIDENCE), 50 * (1 + _CONFIDENCE)]
    low, high = np.percentile(seen[np.isfinite(seen)], ends).tolist()
    yield MetricInterval(value=value, low=low, high=high)
