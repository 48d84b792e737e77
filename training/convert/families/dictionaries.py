"""Dictionaries of features, spread over columns by the names of their keys."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from sklearn.feature_extraction import DictVectorizer

from sklambda.session import INPUT
from training.convert.families.encoding import require_double
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import category_tree, look_up
from training.convert.unconverted import qualified

_NOWHERE: Final = -1.0


def _dict_vectorizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free="dtype separator sparse sort")
    require_double(estimator, scope)
    graph = scope.graph
    if matrix.tensor != INPUT or len(graph.names) != matrix.width:
        scope.refuse(
            f"{qualified(estimator)} has a step before it, whose columns have no names: make it "
            "the first step"
        )
    sources = [_source(name, estimator, matrix, scope) for name in estimator.feature_names_]
    numbers = [column for column, category in sources if category is None]
    categories: dict[int, list[str]] = {}
    for column, category in sources:
        if category is not None:
            categories.setdefault(column, []).append(category)
    parts = [_numbers(graph, matrix, numbers), *_indicators(graph, matrix, categories)]
    joined = graph.join([part for part in parts if part.width])
    made: list[tuple[int, str | None]] = [(column, None) for column in numbers]
    made += [(column, each) for column, those in categories.items() for each in those]
    return graph.take(joined, [made.index(source) for source in sources])


def _source(
    name: str, estimator: Estimator, matrix: Matrix, scope: Scope
) -> tuple[int, str | None]:
    """Return the column that a feature is read from, and its category; None for a number."""
    found: list[tuple[int, str | None]] = []
    for column, key in enumerate(scope.graph.names):
        start = f"{key}{estimator.separator}"
        if matrix.vocabularies[column] is None and name == key:
            found.append((column, None))
        elif matrix.vocabularies[column] is not None and name.startswith(start):
            found.append((column, name.removeprefix(start)))
    if len(found) != 1:
        what = "of no column" if not found else "of several columns alike"
        scope.refuse(
            f"{qualified(estimator)} has the feature {name!r}, {what}: give each key values of one "
            f"kind, numbers or strings, and no name with {estimator.separator!r}"
        )
    return found[0]


def _numbers(graph: Graph, matrix: Matrix, columns: list[int]) -> Matrix:
    """Return columns of numbers; what a dictionary lacks is 0."""
    taken = graph.take(matrix, columns)
    absent = graph.node("IsNaN", taken.tensor)
    return taken.numbers(graph.node("Where", absent, graph.constant(0.0), taken.tensor))


def _indicators(graph: Graph, matrix: Matrix, categories: Mapping[int, list[str]]) -> list[Matrix]:
    """Return 1 where a column has a category, for all of them in order, and else 0."""
    if not categories:
        return []
    trees = [
        category_tree(
            column,
            matrix.vocabularies[column],
            {category: float(place) for place, category in enumerate(those)},
            unknown=_NOWHERE,
            missing=_NOWHERE,
        )
        for column, those in categories.items()
    ]
    widths = [len(those) for those in categories.values()]
    places = look_up(graph, matrix, trees)
    spread = graph.take(places, np.repeat(np.arange(len(widths)), widths).tolist())
    own = np.concatenate([np.arange(width) for width in widths])
    hot = graph.node("Equal", spread.tensor, graph.constant([own]))
    return [matrix.numbers(graph.double(hot), len(own))]


CONVERTERS: Final[dict[type, Convert]] = {DictVectorizer: _dict_vectorizer}
