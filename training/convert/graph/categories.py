"""Columns of pandas' category dtype, whose categories a fitted booster keeps in lists."""

from collections.abc import Mapping, Sequence
from math import nan

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.steps import category_tree, look_up


def numbered(graph: Graph, matrix: Matrix, lists: Mapping[int, Sequence[object]]) -> Matrix:
    """Put places in lists, by column, where the categories are; what is in no list is NaN."""
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
    """Put the columns of another matrix in the place of some."""
    order = list(range(matrix.width))
    for place, column in enumerate(columns):
        order[column] = matrix.width + place
    return graph.take(graph.join([matrix, new]), order)
