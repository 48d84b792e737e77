"""Missing values filled in, or indicated."""

from math import nan
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.experimental import enable_iterative_imputer
from sklearn.impute import IterativeImputer, MissingIndicator, SimpleImputer

from sklambda.arrays import Flags, FloatVector
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.responses import response
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.vocabulary import Vocabulary
from training.convert.unconverted import qualified

__all__ = ["CONVERTERS", "enable_iterative_imputer"]  # its import is what makes the imputer


def _simple_imputer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="missing_values strategy fill_value copy add_indicator keep_empty_features",
    )
    graph = scope.graph
    kept = [place for place, value in enumerate(estimator.statistics_) if value == value]
    if not kept:
        scope.refuse("SimpleImputer met no value in any column: leave empty columns out")
    missing = _missing(estimator, matrix, scope)
    columns = graph.take(matrix, kept)
    fills = [
        _fill(estimator.statistics_[place], vocabulary, scope)
        for place, vocabulary in zip(kept, columns.vocabularies, strict=True)
    ]
    empty = graph.take(matrix.numbers(missing), kept).tensor
    filled = columns.mapped(
        graph.node("Where", empty, graph.constant([fills]), columns.tensor),
        [
            _filled(_number(estimator.missing_values), fill) if vocabulary is None else None
            for fill, vocabulary in zip(fills, columns.vocabularies, strict=True)
        ],
    )
    if not estimator.add_indicator:
        return filled
    flags = _indicators(graph, matrix, missing, estimator.indicator_)
    return graph.join([filled, flags]) if flags.width else filled


def _filled(value: Any, fill: float) -> Elementwise:
    """Return the step that replaces NaN, or the number that means missing, by another."""

    def apply(values: FloatVector) -> FloatVector:
        return np.where(_equal(values, value), fill, values)

    return Elementwise("SimpleImputer", apply, turns=_turns(value))


def _flagged(value: float) -> Elementwise:
    """Return the step that indicates NaN, or the number that means missing."""

    def apply(values: FloatVector) -> FloatVector:
        return _equal(values, value).astype(np.float64)

    return Elementwise("MissingIndicator", apply, turns=_turns(value))


def _equal(values: FloatVector, value: float) -> Flags:
    equal: Flags = np.isnan(values) if value != value else values == value
    return equal


def _number(missing: Any) -> float:
    """Return what means missing among numbers; NaN for pandas' own."""
    return nan if missing is pd.NA else float(missing)


def _turns(value: float) -> tuple[float, ...]:
    return () if value != value else (value,)


def _fill(value: Any, vocabulary: Vocabulary | None, scope: Scope) -> float:
    if vocabulary is None:
        # Beside strings numbers stay numbers, among which an encoder knows no string: it is unseen.
        return nan if isinstance(value, str) else float(value)
    if not isinstance(value, str):
        scope.refuse(
            f"SimpleImputer fills a column of strings with {value!r}: use a string as fill_value"
        )
    return vocabulary.code(value)


def _missing(estimator: Estimator, matrix: Matrix, scope: Scope) -> str:
    """Find missing values, [N, K] bool: NaN, or the one value that means missing."""
    value, graph = estimator.missing_values, scope.graph
    if (isinstance(value, float) and value != value) or value is pd.NA:
        return graph.node("IsNaN", matrix.tensor)
    if value is None:
        scope.refuse(
            f"{qualified(estimator)}(missing_values=None) finds no missing value of a client, "
            "which scikit-learn reads as NaN: use missing_values=np.nan"
        )
    same_kind = all(
        isinstance(value, str) if vocabulary else isinstance(value, (int, float))
        for vocabulary in matrix.vocabularies
    )
    if not same_kind or isinstance(value, bool):
        scope.refuse(
            f"{qualified(estimator)}(missing_values={value!r}) is not of the kind of its columns: "
            "impute columns of numbers and of strings apart"
        )
    values = [
        float(value) if vocabulary is None else vocabulary.code(value)
        for vocabulary in matrix.vocabularies
    ]
    return graph.node("Equal", matrix.tensor, graph.constant([values]))


def _indicators(graph: Graph, matrix: Matrix, missing: str, indicator: Estimator) -> Matrix:
    """Return 1 where a value is missing, for some of the columns."""
    places, value = [int(place) for place in indicator.features_], indicator.missing_values
    flags = graph.double(graph.take(matrix.numbers(missing), places).tensor)
    columns = graph.take(matrix, places)
    steps = [
        _flagged(each.code(value) if each and isinstance(value, str) else _number(value))
        for each in columns.vocabularies
    ]
    return columns.mapped(flags, steps)


def _missing_indicator(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # Where a column must miss nothing, so says the signature.
    scope.admit(estimator, free="features sparse error_on_new", only={"missing_values": (nan,)})
    if not len(estimator.features_):
        scope.refuse("MissingIndicator leaves no column: use features='all'")
    missing = scope.graph.node("IsNaN", matrix.tensor)
    return _indicators(scope.graph, matrix, missing, estimator)


def _iterative_imputer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(
        estimator,
        free="estimator missing_values max_iter tol n_nearest_features initial_strategy fill_value "
        "imputation_order skip_complete sample_posterior min_value max_value verbose random_state "
        "add_indicator keep_empty_features",
    )
    if estimator.sample_posterior:
        scope.refuse(
            "sklearn.impute.IterativeImputer(sample_posterior=True) draws other values at each "
            "call: fit it with sample_posterior=False"
        )
    graph = scope.graph
    filled = scope.transform("initial_imputer_", estimator.initial_imputer_, matrix)
    empty = estimator._is_empty_feature
    if estimator.keep_empty_features and empty.any():
        scope.refuse(
            "sklearn.impute.IterativeImputer(keep_empty_features=True) fails on a lone row, where "
            "it writes to a column without any value: leave the column out"
        )
    all_missing = matrix.numbers(_missing(estimator, matrix, scope))
    missing = graph.take(all_missing, np.flatnonzero(~empty).tolist())
    if estimator.n_iter_:
        filled = _rounds(estimator, filled, missing, scope)
    if not estimator.add_indicator:
        return filled
    flags = _indicators(graph, matrix, all_missing.tensor, estimator.indicator_)
    return graph.join([filled, flags]) if flags.width else filled


def _rounds(estimator: Estimator, filled: Matrix, missing: Matrix, scope: Scope) -> Matrix:
    """Predict each missing value from the others, in the rounds of fitting."""
    graph = scope.graph
    known = [graph.take(filled, [place]) for place in range(filled.width)]
    flags = [graph.take(missing, [place]).tensor for place in range(filled.width)]
    for number, (place, others, inner) in enumerate(estimator.imputation_sequence_):
        name = f"imputation_sequence_[{number}]"
        outputs = scope.predict(name, inner, graph.join([known[int(other)] for other in others]))
        value = response(outputs, inner, "predict", scope)
        least, greatest = (
            graph.constant(float(bounds[place]))
            for bounds in (estimator._min_value, estimator._max_value)
        )
        bounded = graph.node("Min", graph.node("Max", value.tensor, least), greatest)
        chosen = graph.node("Where", flags[place], bounded, known[place].tensor)
        known[place] = known[place].alike(chosen)
    return graph.join(known)


CONVERTERS: Final[dict[type, Convert]] = {
    IterativeImputer: _iterative_imputer,
    MissingIndicator: _missing_indicator,
    SimpleImputer: _simple_imputer,
}
