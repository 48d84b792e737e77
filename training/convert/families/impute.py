"""Missing values filled in, or indicated."""

from math import nan
from typing import Any, Final

from sklearn.impute import MissingIndicator, SimpleImputer

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.vocabulary import Vocabulary


def _simple_imputer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="missing_values strategy fill_value copy add_indicator keep_empty_features",
    )
    graph = scope.graph
    kept = [place for place, value in enumerate(estimator.statistics_) if value == value]
    if not kept:
        scope.refuse("SimpleImputer met no value in any column")
    missing = _missing(estimator, matrix, scope)
    columns = graph.take(matrix, kept)
    fills = [
        _fill(estimator.statistics_[place], vocabulary, scope)
        for place, vocabulary in zip(kept, columns.vocabularies, strict=True)
    ]
    empty = graph.take(matrix.numbers(missing), kept).tensor
    filled = columns.alike(graph.node("Where", empty, graph.constant([fills]), columns.tensor))
    if not estimator.add_indicator:
        return filled
    flags = _indicators(graph, matrix, missing, estimator.indicator_.features_)
    return graph.join([filled, flags]) if flags.width else filled


def _fill(value: Any, vocabulary: Vocabulary | None, scope: Scope) -> float:
    if vocabulary is None:
        if isinstance(value, str):
            scope.refuse("SimpleImputer fills a column of numbers with a string")
        return float(value)
    if not isinstance(value, str):
        scope.refuse(f"SimpleImputer fills a column of strings with {value!r}")
    return vocabulary.code(value)


def _missing(estimator: Estimator, matrix: Matrix, scope: Scope) -> str:
    """Find missing values, [N, K] bool: NaN, or the one value that means missing."""
    value, graph = estimator.missing_values, scope.graph
    if isinstance(value, float) and value != value:
        return graph.node("IsNaN", matrix.tensor)
    same_kind = all(
        isinstance(value, str) if vocabulary else isinstance(value, (int, float))
        for vocabulary in matrix.vocabularies
    )
    if not same_kind or isinstance(value, bool):
        scope.refuse(
            f"{type(estimator).__name__}(missing_values={value!r}) has no exact conversion"
        )
    values = [
        float(value) if vocabulary is None else vocabulary.code(value)
        for vocabulary in matrix.vocabularies
    ]
    return graph.node("Equal", matrix.tensor, graph.constant([values]))


def _indicators(graph: Graph, matrix: Matrix, missing: str, places: Any) -> Matrix:
    """Return 1 where a value is missing, for some of the columns."""
    flags = graph.take(matrix.numbers(missing), [int(place) for place in places])
    return flags.alike(graph.double(flags.tensor))


def _missing_indicator(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # Where a column must miss nothing, so says the signature.
    scope.admit(estimator, free="features sparse error_on_new", only={"missing_values": (nan,)})
    if not len(estimator.features_):
        scope.refuse("MissingIndicator leaves no column")
    missing = scope.graph.node("IsNaN", matrix.tensor)
    return _indicators(scope.graph, matrix, missing, estimator.features_)


CONVERTERS: Final[dict[type, Convert]] = {
    MissingIndicator: _missing_indicator,
    SimpleImputer: _simple_imputer,
}
