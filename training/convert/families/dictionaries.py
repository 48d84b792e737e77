"""Dictionaries of features, spread over columns by the names of their keys."""

from typing import Final

from sklearn.feature_extraction import DictVectorizer

from sklambda.session import INPUT
from training.convert.families.encoding import require_double
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import indicators, positions
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
    parts = [_numbers(graph, matrix, numbers)] if numbers else []
    if categories:
        places = positions(graph, matrix, categories, _NOWHERE)
        parts.append(indicators(graph, places, [len(those) for those in categories.values()]))
    joined = graph.join(parts)
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


CONVERTERS: Final[dict[type, Convert]] = {DictVectorizer: _dict_vectorizer}
