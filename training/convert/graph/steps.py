"""Functions of one column that are constant between steps, looked up by a binary tree.

A tree finds its interval in log2(steps) comparisons, whatever the number of categories or bins, and
one node serves all columns; comparisons of the whole row with each category would not.
"""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Estimator
from training.convert.graph.trees import Tree, look_up, step_tree
from training.convert.graph.vocabulary import Vocabulary

__all__ = [
    "category_tree",
    "indicators",
    "look_up",
    "numbered",
    "positions",
    "step_tree",
    "with_columns",
]


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


def indicators(graph: Graph, places: Matrix, widths: Sequence[int]) -> Matrix:
    """Return one-hot rows side by side, `widths` wide, of the places in each, [N, W]."""
    # Each column is set beside its own places, so that one comparison serves all of them.
    spread = graph.take(places, np.repeat(np.arange(len(widths)), widths).tolist())
    own = np.concatenate([np.arange(width) for width in widths])
    hot = graph.node("Equal", spread.tensor, graph.constant([own]))
    return places.numbers(graph.double(hot), len(own))


def numbered(graph: Graph, matrix: Matrix, lists: Mapping[int, Sequence[object]]) -> Matrix:
    """Replace categories by their positions in lists, one a column; NaN where a list lacks one."""
    if not lists:
        return matrix
    return with_columns(graph, matrix, list(lists), positions(graph, matrix, lists, nan))


def positions(
    graph: Graph, matrix: Matrix, lists: Mapping[int, Sequence[object]], lacking: float
) -> Matrix:
    """Look up the positions of categories in lists, one a column; others are `lacking`."""
    trees = [
        category_tree(
            column,
            matrix.vocabularies[column],
            {category: float(place) for place, category in enumerate(categories)},
            unknown=lacking,
            missing=lacking,
        )
        for column, categories in lists.items()
    ]
    return look_up(graph, matrix, trees)


def with_columns(graph: Graph, matrix: Matrix, columns: Sequence[int], new: Matrix) -> Matrix:
    """Replace some columns by those of another matrix."""
    order = list(range(matrix.width))
    for place, column in enumerate(columns):
        order[column] = matrix.width + place
    return graph.take(graph.join([matrix, new]), order)
