"""skrub's vectorisers of tables, which take a frame column by column, and its scaler."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Final

import numpy as np

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import CAST_BEFORE, Code, Convert, Estimator, Scope
from training.convert.graph.single_precision import narrowed
from training.convert.graph.steps import category_tree, look_up, with_columns
from training.convert.graph.tables import TEXT, Encoder, tabulated
from training.convert.graph.vocabulary import Vocabulary
from training.convert.unconverted import named

type Places = Sequence[tuple[Matrix, int]]  # columns, each with the matrix that it is of


def _steps(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Convert the steps that a vectoriser made of itself; its parameters are in them."""
    for place, (_, step) in enumerate(estimator._pipeline.steps):
        matrix = scope.transform(str(place), step, matrix)
    return matrix


def _vectorizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    vectorized = _steps(estimator, matrix, scope)
    for place, name in enumerate(estimator.feature_names_in_):
        if _tells_missing(estimator.transformers_.get(name)):
            _close(matrix.vocabularies[place])
    return vectorized


def _tells_missing(encoder: Estimator) -> bool:
    """Check whether what an encoder makes of a missing text may differ from that of an unseen."""
    if type(encoder).__name__ == "ToCategorical":  # for boosted trees, to which they are the same
        return False
    known = getattr(encoder, "categories_", ((np.nan,),))
    return any(category != category for own in known for category in own)


def _cleaner(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    cleaned = _steps(estimator, matrix, scope)
    for vocabulary in matrix.vocabularies:
        _close(vocabulary)
    return cleaned


def _close(vocabulary: Vocabulary | None) -> None:
    """Refuse unseen categories: one of blanks alone is missing here, and codes do not tell."""
    if vocabulary is not None:
        vocabulary.close()


def _applied(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return scope.transform("transformer", estimator._wrapped_transformer, matrix)


def _to_each_column(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    graph = scope.graph
    steps = [estimator.transformers_.get(name) for name in estimator.all_inputs_]
    numbers = [
        place
        for place, step in enumerate(steps)
        if type(step).__name__ == "ToFloat" and matrix.vocabularies[place] is None
    ]
    floats = narrowed(graph, graph.take(matrix, numbers)) if numbers else matrix
    columns: list[tuple[Matrix, int]] = []
    for place, (name, step) in enumerate(zip(estimator.all_inputs_, steps, strict=True)):
        if step is None or estimator.keep_original:
            columns.append((matrix, place))
        if place in numbers:
            columns.append((floats, numbers.index(place)))
        elif step is not None and not _drops(step):
            found = scope.transform(str(name), _in_float64(step), graph.take(matrix, [place]))
            columns += [(found, column) for column in range(found.width)]
    return _beside(graph, columns, estimator, scope)


def _drops(step: Estimator) -> bool:
    return type(step).__name__ == "Drop" or getattr(step, "drop_", False) is True


def _in_float64(step: Estimator) -> Estimator:
    """Return an encoder of zeros and ones, of whatever type, as that of float64."""
    if type(step).__name__ != "OneHotEncoder" or np.dtype(step.dtype).kind != "f":
        return step
    same = copy(step)
    same.dtype = np.float64
    return same


def _beside(graph: Graph, columns: Places, estimator: Estimator, scope: Scope) -> Matrix:
    """Set columns side by side, those of one matrix in one piece."""
    pieces: list[tuple[Matrix, list[int]]] = []
    for matrix, place in columns:
        if pieces and pieces[-1][0] is matrix:
            pieces[-1][1].append(place)
        else:
            pieces.append((matrix, [place]))
    if not pieces:
        scope.refuse(f"{named(estimator)} leaves no column: keep one")
    return graph.join([graph.take(*piece) for piece in pieces])


def _to_sub_frame(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    graph, names = scope.graph, list(estimator.all_inputs_)
    chosen = [names.index(name) for name in estimator._columns]
    kept = [place for place in range(len(names)) if estimator.keep_original or place not in chosen]
    parts = [graph.take(matrix, kept)] if kept else []
    if chosen:
        inner = _in_float64(estimator.transformer_)
        parts.append(scope.transform("transformer_", inner, graph.take(matrix, chosen)))
    return graph.join(parts)


def _selected(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    chosen = "columns_" if hasattr(estimator, "columns_") else "kept_cols_"
    names = list(getattr(estimator, chosen))
    # They do not say which columns they were fitted on: those of the rows that they get.
    return scope.follow(estimator, matrix, lambda frame: frame[names])


def _same(_: Estimator, matrix: Matrix, __: Scope) -> Matrix:
    return matrix


def _strings_alone(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    if None in matrix.vocabularies:
        scope.refuse(
            f"{named(estimator)} makes strings of numbers, which has no exact conversion: make the "
            "column strings before fitting"
        )
    return matrix


def _no_nulls(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Replace strings that mean missing; of unseen ones see `_close`."""
    vocabulary = matrix.vocabularies[0]
    if vocabulary is None:
        return matrix
    nulls = {text for text in vocabulary.categories if _is_null(text, estimator.null_strings_)}
    if not nulls:
        return matrix
    graph = scope.graph
    codes: dict[object, float] = {
        text: np.nan if text in nulls else vocabulary.code(text) for text in vocabulary.categories
    }
    tree = category_tree(0, vocabulary, codes, -1.0, np.nan)
    return Matrix(look_up(graph, matrix, [tree]).tensor, matrix.vocabularies)


def _is_null(text: str, nulls: Sequence[str]) -> bool:
    return not text.strip() or text in nulls


def _float(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    if matrix.vocabularies[0] is None:
        return narrowed(scope.graph, matrix)
    return _table(estimator, matrix, scope, ["number"])


def _dates_alone(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    if matrix.vocabularies[0] is not None:
        scope.refuse(
            f"{named(estimator)} reads dates out of text, which has no exact conversion: parse the "
            "column before fitting, by pd.to_datetime"
        )
    return matrix


_PARTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "year": lambda dates: dates.year,
    "month": lambda dates: dates.month,
    "day": lambda dates: dates.day,
    "hour": lambda dates: dates.hour,
    "minute": lambda dates: dates.minute,
    "second": lambda dates: dates.second,
    "weekday": lambda dates: dates.day_of_week + 1,
    "day_of_year": lambda dates: dates.day_of_year,
}


def _dates(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    features, graph = list(estimator.extracted_features_), scope.graph
    unknown = [each for each in features if each not in (*_PARTS, "total_seconds")]
    if unknown:
        scope.refuse(f"{named(estimator)}(resolution={unknown[0]!r}): use resolution='second'")
    found = scope.follow(estimator, matrix, _parts_of(features))
    parts = found if isinstance(found, Matrix) else matrix
    bent = estimator._periodic_encoders
    plain = [place for place, feature in enumerate(features) if feature not in bent]
    made = [narrowed(graph, graph.take(parts, plain))] if plain else []
    for feature, encoder in bent.items():
        inner = getattr(encoder, "transformer_", None)
        if inner is None:
            scope.refuse(
                f"{named(estimator)}(periodic_encoding='circular') has no exact conversion: use "
                "'spline'"
            )
        one = graph.take(parts, [features.index(feature)])
        made.append(scope.transform(feature, inner, one))
    return graph.join(made)


def _parts_of(features: Sequence[str]) -> Code:
    def code(dates: Any) -> Any:
        made = {
            feature: (dates - _EPOCH).dt.total_seconds()
            if feature == "total_seconds"
            else _PARTS[feature](dates.dt)
            for feature in features
        }
        return dates.to_frame("dates").assign(**made)[list(features)]

    return code


_EPOCH: Final = np.datetime64("1970-01-01", "s")


def _spelled(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return _table(estimator, matrix, scope, list(estimator.get_feature_names_out()))


def _table(estimator: Estimator, matrix: Matrix, scope: Scope, made: Sequence[Any]) -> Matrix:
    """Convert an encoder of texts by what it makes of those of training; others are refused."""
    vocabulary = matrix.vocabularies[0]
    if vocabulary is None:
        scope.refuse(f"{named(estimator)} of numbers has no exact conversion: leave it out")
    name = getattr(estimator, "input_name_", "texts")
    encoder = Encoder(
        named(estimator),
        lambda frame: estimator.transform(frame.iloc[:, 0]),
        [name],
        [TEXT],
        matrix.vocabularies,
        {0: list(vocabulary.categories)},
        list(made),
        closes=True,
    )
    return tabulated(encoder, matrix, scope)


def _squashed(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    robust, ranged = estimator.robust_scaler_, estimator.minmax_scaler_
    fitted = robust.center_ if robust is not None else getattr(ranged, "median_", np.empty(0))
    if fitted.dtype == np.float32:
        scope.refuse(f"{named(estimator)} was fitted on float32 and computes in it: {CAST_BEFORE}")
    graph, scaled = scope.graph, matrix
    for chosen, inner in ((estimator.robust_cols_, robust), (estimator.minmax_cols_, ranged)):
        places = np.flatnonzero(chosen).tolist()
        if places:
            part = graph.take(matrix, places)
            if inner is robust:
                new = scope.transform("scale", robust, part)
            else:
                new = part.numbers(_ranged(graph, part, ranged))
            scaled = with_columns(graph, scaled, places, new)
    constant = np.flatnonzero(estimator.zero_cols_).tolist()
    if constant:
        part = graph.take(matrix, constant)
        gaps = graph.node("IsNaN", part.tensor)
        zeros = graph.node("Where", gaps, part.tensor, graph.constant(0.0))
        scaled = with_columns(graph, scaled, constant, part.numbers(zeros))
    share = graph.node("Div", scaled.tensor, graph.constant(float(estimator.max_absolute_value)))
    square = graph.node("Add", graph.node("Mul", share, share), graph.constant(1.0))
    return scaled.numbers(graph.node("Div", scaled.tensor, graph.node("Sqrt", square)))


def _ranged(graph: Graph, matrix: Matrix, scaler: Estimator) -> str:
    less = graph.node("Sub", matrix.tensor, graph.constant([scaler.median_]))
    return graph.node("Mul", less, graph.constant([scaler.scale_]))


CONVERTERS: Final[Mapping[str, Convert]] = {
    f"skrub.{name}": convert
    for name, convert in {
        "ApplyToCols": _applied,
        "ApplyToEachCol": _to_each_column,
        "ApplyToSubFrame": _to_sub_frame,
        "CheckInputDataFrame": _same,
        "CleanCategories": _strings_alone,
        "CleanNullStrings": _no_nulls,
        "Cleaner": _cleaner,
        "DatetimeEncoder": _dates,
        "DropCols": _selected,
        "DropUninformative": _same,
        "GapEncoder": _spelled,
        "MinHashEncoder": _spelled,
        "PassThrough": _same,
        "SelectCols": _selected,
        "SimilarityEncoder": _spelled,
        "SquashingScaler": _squashed,
        "StringEncoder": _spelled,
        "TableVectorizer": _vectorizer,
        "ToCategorical": _strings_alone,
        "ToDatetime": _dates_alone,
        "ToFloat": _float,
        "ToStr": _strings_alone,
    }.items()
}
