"""How the values of each column are spread, then and now, in as many bars as an eye can hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from functions.monitor.drift.verdict import About
from sklambda.arrays import FloatVector
from sklambda.signature import Feature, Signature
from sklambda.sketch.baseline import Baseline, Reference, codes
from sklambda.sketch.sketch import Column, Sketch

BARS: Final = 24
"""Into how many equal parts numbers are cut; of categories the most frequent so many are shown."""

REST: Final = "all others"
UNSEEN: Final = "not seen in training"

_TAIL: Final = 0.005


@dataclass(frozen=True, slots=True)
class Picture:
    """How the values of a column are spread, then and now.

    Attributes
    ----------
    name : str
        The feature or score.
    about : {"feature", "prediction"}
        What the column is.
    labels : tuple of str
        The categories; empty for numbers.
    edges : tuple of float
        The ends of the bars of numbers, one more than bars; empty for categories.
    before, after : tuple of float
        For each bar the share of the present values, in training and in the window.
    """

    name: str
    about: About
    labels: tuple[str, ...]
    edges: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


def pictures(signature: Signature, baseline: Baseline, window: Sketch) -> list[Picture]:
    """Give the picture of each feature and score that both have values of.

    Parameters
    ----------
    signature : Signature
        Names the categories.
    baseline : Baseline
        On whose rulers the window was counted.
    window : Sketch
        What is shown beside training.
    """
    return list(_pictures(signature, baseline, window))


def _pictures(signature: Signature, baseline: Baseline, window: Sketch) -> Iterator[Picture]:
    references = baseline.recorded(window.mode)
    for feature in signature.features:
        reference, column = references.get(feature.name), window.features.get(feature.name)
        if reference is None or column is None or not _drawable(reference, column):
            continue
        if codes(feature):
            yield _categories(feature, reference.column, column)
        else:
            yield _numbers(feature.name, "feature", reference, column)
    for name, reference in baseline.scores.items():
        if name in window.scores and _drawable(reference, window.scores[name]):
            yield _numbers(name, "prediction", reference, window.scores[name])


def _drawable(reference: Reference, column: Column) -> bool:
    both = reference.column.present and column.present
    return bool(both) and (reference.ruler.codes > 0 or len(reference.ruler.edges) > 1)


def _categories(feature: Feature, before: Column, after: Column) -> Picture:
    names = ("false", "true") if feature.kind == "boolean" else feature.vocabulary
    then, now = _shares(before), _shares(after)
    order = np.argsort(-np.maximum(then, now), kind="stable")
    shown, others = order[:BARS], order[BARS:]
    labels = [names[place] for place in shown]
    bars = [then[shown].tolist(), now[shown].tolist()]
    if others.size:
        labels.append(REST)
        bars[0].append(float(then[others].sum()))
        bars[1].append(float(now[others].sum()))
    if before.unseen or after.unseen:
        labels.append(UNSEEN)
        bars[0].append(before.unseen / before.present)
        bars[1].append(after.unseen / after.present)
    return Picture(feature.name, "feature", tuple(labels), (), tuple(bars[0]), tuple(bars[1]))


def _shares(column: Column) -> FloatVector:
    return np.array(column.counts, dtype=np.float64) / column.present


def _numbers(name: str, about: About, reference: Reference, column: Column) -> Picture:
    """Cut numbers into equal parts; what lies far out counts to the first or the last of them."""
    edges = np.array(reference.ruler.edges)
    then, now = _cumulated(reference.column), _cumulated(column)
    low = min(_quantile(edges, one, _TAIL) for one in (then, now))
    high = max(_quantile(edges, one, 1 - _TAIL) for one in (then, now))
    if low >= high:
        low, high = edges[0], edges[-1]
    grid = np.linspace(low, high, BARS + 1)
    bars = [tuple(_between(edges, one, grid).tolist()) for one in (then, now)]
    return Picture(name, about, (), tuple(grid.tolist()), bars[0], bars[1])


def _cumulated(column: Column) -> FloatVector:
    counts = np.cumsum(np.array(column.counts, dtype=np.float64))
    shares: FloatVector = counts / max(counts[-1], 1.0)
    return shares


def _quantile(edges: FloatVector, cumulated: FloatVector, share: float) -> float:
    """Give an edge beyond which at most the share lies."""
    if share < 0.5:
        return float(edges[max(0, int(np.searchsorted(cumulated, share)) - 1)])
    return float(edges[min(len(edges) - 1, int(np.searchsorted(cumulated, share)))])


def _between(edges: FloatVector, cumulated: FloatVector, grid: FloatVector) -> FloatVector:
    reached = np.interp(grid, edges, cumulated)
    reached[0], reached[-1] = 0.0, 1.0
    return np.diff(reached)
