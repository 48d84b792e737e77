"""Functions of one column that are constant between steps, looked up by a binary tree.

A tree finds its interval in log2(steps) comparisons, whatever the number of categories or bins, and
one node serves all columns; comparisons of the whole row with each category would not.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from sklambda.arrays import FloatVector
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Estimator
from training.convert.graph.trees import Ensemble, Tree
from training.convert.graph.vocabulary import Vocabulary


def step_tree(feature: int, bounds: FloatVector, values: FloatVector, missing: float) -> Tree:
    """Build the tree of a step function of one column.

    Parameters
    ----------
    feature : int
        The column.
    bounds : FloatVector
        Shape [S], ascending; a value that is not greater than a bound is before it.
    values : FloatVector
        Shape [S + 1]: the value up to each bound, and after the last.
    missing : float
        The value for NaN.
    """
    # Nothing but NaN goes left at the root: no number that the codec lets in is -inf.
    nodes: list[tuple[int, int, float, float]] = [(1, 2, -np.inf, 0.0), (0, 0, 0.0, missing)]

    def grow(low: int, high: int) -> int:
        place = len(nodes)
        nodes.append((0, 0, 0.0, float(values[low])))
        if low < high:
            middle = (low + high) // 2
            left, right = grow(low, middle), grow(middle + 1, high)
            nodes[place] = (left, right, float(bounds[middle]), 0.0)
        return place

    grow(0, len(bounds))
    left, right, threshold, value = (np.array(column) for column in zip(*nodes, strict=True))
    return Tree(
        left=left,
        right=right,
        leaf=left == 0,
        feature=np.full(len(nodes), feature),
        threshold=threshold,
        missing_left=np.arange(len(nodes)) == 0,
        value=value,
    )


def look_up(graph: Graph, matrix: Matrix, trees: Sequence[Tree]) -> Matrix:
    """Look up one column of the result by each tree, [N, trees]."""
    ensemble = Ensemble(len(trees))
    for target, tree in enumerate(trees):
        ensemble.add(tree, target)
    return ensemble.node(graph, matrix)


def category_tree(
    feature: int,
    vocabulary: Vocabulary | None,
    values: Mapping[object, float],
    unknown: float,
    missing: float,
) -> Tree:
    """Build the tree that maps each category of one column to its value, others to `unknown`."""
    spans = sorted(
        (*_span(category, vocabulary), value)
        for category, value in values.items()
        if _can_be_sent(category, vocabulary)
    )
    bounds: list[float] = []
    between: list[float] = [unknown]
    for low, high, value in spans:
        if bounds and bounds[-1] == low:
            between[-1] = value
        else:
            bounds.append(low)
            between.append(value)
        bounds.append(high)
        between.append(unknown)
    return step_tree(feature, np.array(bounds), np.array(between), missing)


def _can_be_sent(category: object, vocabulary: Vocabulary | None) -> bool:
    """Check whether a row can hold a category; no client sends None or objects of other types."""
    if vocabulary is not None:
        return isinstance(category, str)
    return isinstance(category, (int, float, np.number, np.bool_))


def _span(category: Estimator, vocabulary: Vocabulary | None) -> tuple[float, float]:
    """Return the bounds (low, high] of a category.

    Codes are whole, so the bounds of neighbours can be shared.
    """
    if vocabulary is not None:
        code = vocabulary.code(category)
        return code - 0.5, code + 0.5
    return float(np.nextafter(float(category), -np.inf)), float(category)
