"""Histograms of each column for the report: its values in training and in the window."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from functions.monitor.drift.verdict import About
from sklambda.arrays import FloatVector
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Reference, codes
from sklambda.sketch.sketch import Histogram, Sketch

MAX_BARS: Final = 24
"""The number of equal bars of numbers, and the most categories that have their own bar."""

OTHERS: Final = "all others"
UNSEEN: Final = "not seen in training"

_TAIL: Final = 0.005


@dataclass(frozen=True, slots=True)
class HistogramPair:
    """The histograms of a column in training and in the window.

    Attributes
    ----------
    name : str
        The feature or score.
    about : {"feature", "prediction"}
        Whether the column is a feature, or a score.
    labels : tuple of str
        The categories; empty for numbers.
    edges : tuple of float
        The edges of the bars of numbers, one more than bars; empty for categories.
    before, after : tuple of float
        The share of the present values in each bar, in training and in the window.
    """

    name: str
    about: About
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


def histogram_pairs(
    signature: Signature, baseline: Baseline, window: Sketch
) -> list[HistogramPair]:
    """Return the histograms of each feature and score with values on both sides.

    Parameters
    ----------
    signature : Signature
        The features, with the names of their categories.
    baseline : Baseline
        The baseline; the window was counted on its rulers.
    window : Sketch
        The window.
    """
    return list(_pairs(signature, baseline, window))


def _pairs(signature: Signature, baseline: Baseline, window: Sketch) -> Iterator[HistogramPair]:
    references = baseline.recorded(window.mode)
    for feature in signature.features:
        reference, column = references.get(feature.name), window.features.get(feature.name)
        if reference is None or column is None or not _has_bars(reference, column):
            continue
        if codes(feature):
            yield _categories(feature, reference.column, column)
        else:
            yield _numbers(feature.name, "feature", reference, column)
    for name, reference in baseline.scores.items():
        if name in window.scores and _has_bars(reference, window.scores[name]):
            yield _numbers(name, "prediction", reference, window.scores[name])


def _has_bars(reference: Reference, column: Histogram) -> bool:
    both = reference.column.present and column.present
    return bool(both) and (reference.ruler.codes > 0 or len(reference.ruler.edges) > 1)


def _categories(feature: Feature, before: Histogram, after: Histogram) -> HistogramPair:
    names = ("false", "true") if feature.kind == "boolean" else feature.vocabulary
    shares = _shares(before), _shares(after)
    order = np.argsort(-np.maximum(*shares), kind="stable")
    largest, others = order[:MAX_BARS], order[MAX_BARS:]
    labels = [names[code] for code in largest]
    bars = [one[largest].tolist() for one in shares]
    if others.size:
        labels.append(OTHERS)
        for bar, one in zip(bars, shares, strict=True):
            bar.append(float(one[others].sum()))
    if before.unseen or after.unseen:
        labels.append(UNSEEN)
        bars[0].append(before.unseen / before.present)
        bars[1].append(after.unseen / after.present)
    return HistogramPair(feature.name, "feature", tuple(labels), (), tuple(bars[0]), tuple(bars[1]))


def _shares(column: Histogram) -> FloatVector:
    return np.array(column.counts, dtype=np.float64) / column.present


def _numbers(name: str, about: About, reference: Reference, column: Histogram) -> HistogramPair:
    """Return equal bars of numbers; the first and the last one include the values beyond them."""
    edges = np.array(reference.ruler.edges)
    both = _cumulative(reference.column), _cumulative(column)
    low = min(_quantile(edges, one, _TAIL) for one in both)
    high = max(_quantile(edges, one, 1 - _TAIL) for one in both)
    if low >= high:
        low, high = edges[0], edges[-1]
    grid = np.linspace(low, high, MAX_BARS + 1)
    before, after = (tuple(_shares_between(edges, one, grid).tolist()) for one in both)
    return HistogramPair(name, about, (), tuple(grid.tolist()), before, after)


def _cumulative(column: Histogram) -> FloatVector:
    counts = np.cumsum(np.array(column.counts, dtype=np.float64))
    shares: FloatVector = counts / max(counts[-1], 1.0)
    return shares


def _quantile(edges: FloatVector, cumulative: FloatVector, share: float) -> float:
    """Return an edge beyond which at most a share of the values lies."""
    if share < 0.5:
        return float(edges[max(0, int(np.searchsorted(cumulative, share)) - 1)])
    return float(edges[min(len(edges) - 1, int(np.searchsorted(cumulative, share)))])


def _shares_between(edges: FloatVector, cumulative: FloatVector, grid: FloatVector) -> FloatVector:
    below = np.interp(grid, edges, cumulative)
    below[0], below[-1] = 0.0, 1.0
    return np.diff(below)
