"""Columns of pandas' category dtype, whose categories a fitted booster keeps in lists."""

from collections.abc import Mapping, Sequence
from math import nan

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.steps import category_tree, look_up


def numbered(graph: Graph, matrix: Matrix, lists: Mapping[int, Sequence[object]]) -> Matrix:
    """Replace categories by their positions in lists, one a column; NaN where a list lacks one."""
    if not lists:
        return matrix
    trees = [
        category_tree(
            column,
            matrix.vocabularies[column],
            {category: float(place) for place, category in enumerate(categories)},
            unknown=nan,
            missing=nan,
        )
        for column, categories in lists.items()
    ]
    return with_columns(graph, matrix, list(lists), look_up(graph, matrix, trees))


def with_columns(graph: Graph, matrix: Matrix, columns: Sequence[int], new: Matrix) -> Matrix:
    """Replace some columns by those of another matrix."""
    order = list(range(matrix.width))
    for place, column in enumerate(columns):
        order[column] = matrix.width + place
    return graph.take(graph.join([matrix, new]), order)
