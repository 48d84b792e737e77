"""feature-engine's imputers, encoders, selectors and wrappers.

Its transformers take a frame, change the columns that ``variables_`` names, and pass the others on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sklearn.impute import SimpleImputer

from training.convert.families.compose import pipeline
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import with_columns
from training.convert.graph.tables import TEXT, Encoder, tabulated
from training.convert.unconverted import named

type Change = Callable[[Estimator, Matrix, Scope], Matrix | Outputs]


def columns(estimator: Estimator, names: Sequence[Any]) -> list[int]:
    """Return the places of columns of the frame that a transformer was fitted on."""
    places = {name: place for place, name in enumerate(estimator.feature_names_in_)}
    return [places[name] for name in names]


def without(estimator: Estimator, matrix: Matrix, names: Sequence[Any], scope: Scope) -> Matrix:
    """Drop columns by their names in the frame of fitting; those that were added stay."""
    dropped = set(columns(estimator, names))
    kept = [place for place in range(matrix.width) if place not in dropped]
    if not kept:
        scope.refuse(f"feature_engine.{type(estimator).__name__} leaves no column: keep one")
    return scope.graph.take(matrix, kept)


def admitted(parameters: str, change: Change) -> Convert:
    """Return the converter of a transformer whose parameters `change`, or its fit, honours."""

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
        scope.admit(estimator, free=parameters)
        return change(estimator, matrix, scope)

    return convert


def _imputed(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    fills = {
        place: fill
        for name, fill in estimator.imputer_dict_.items()
        if fill == fill  # there was no value to take the mean of
        for place in columns(estimator, [name])
    }
    if not fills:
        return matrix
    for place, fill in fills.items():
        if isinstance(fill, str) != (matrix.vocabularies[place] is not None):
            scope.refuse(
                f"feature_engine.{type(estimator).__name__} fills "
                f"{estimator.feature_names_in_[place]!r} with a value of another type, {fill!r}: "
                "fill numbers with a number, and categories with a string"
            )
    filler = SimpleImputer(strategy="constant")
    filler.statistics_ = np.array([*fills.values()], dtype=object)
    filled = scope.transform("fillna", filler, scope.graph.take(matrix, [*fills]))
    return with_columns(scope.graph, matrix, [*fills], filled)


def _indicated(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    places = columns(estimator, estimator.variables_)
    if not places:
        return matrix
    graph = scope.graph
    flags = graph.node("IsNaN", graph.take(matrix, places).tensor)
    return graph.join([matrix, matrix.numbers(graph.double(flags), len(places))])


def _encoded(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    met = getattr(estimator, "encoder_dict_", None) or estimator.category_dict_
    places = columns(estimator, estimator.variables_)
    known = {place: [*met[name]] for place, name in zip(places, estimator.variables_, strict=True)}
    made = list(estimator.get_feature_names_out())
    return tabulated(encoder_of(estimator, matrix, known, made), matrix, scope)


def encoder_of(
    estimator: Estimator, matrix: Matrix, known: Mapping[int, Sequence[object]], made: Sequence[Any]
) -> Encoder:
    """Return a transformer as one that is tried: of numbers and texts, on its frame of fitting."""
    kinds = [np.dtype(np.float64) if each is None else TEXT for each in matrix.vocabularies]
    names = list(estimator.feature_names_in_)
    return Encoder(
        named(estimator), estimator.transform, names, kinds, matrix.vocabularies, known, made
    )


def _selected(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return without(estimator, matrix, [*estimator.features_to_drop_], scope)


def _wrapped(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    inner, graph = estimator.transformer_, scope.graph
    places = columns(estimator, estimator.variables_)
    if hasattr(estimator, "features_to_drop_"):
        return without(estimator, matrix, estimator.features_to_drop_, scope)
    made = scope.transform("transformer_", inner, graph.take(matrix, places))
    if type(inner).__name__ not in ("OneHotEncoder", "PolynomialFeatures"):
        return with_columns(graph, matrix, places, made)
    others = [place for place in range(matrix.width) if place not in places]
    return graph.join([graph.take(matrix, others), made]) if others else made


def refused(reason: str, remedy: str) -> Convert:
    """Return the converter of a transformer that has no conversion, by what it does."""

    def convert(estimator: Estimator, _: Matrix, scope: Scope) -> Matrix:
        scope.refuse(f"feature_engine.{type(estimator).__name__} {reason}: {remedy}")

    return convert


_OF_OTHER_ROWS: Final = refused(
    "computes a row from the rows before it, and a request holds one",
    "compute these columns before fitting, and have clients send them",
)
_OF_FEWER_ROWS: Final = refused(
    "drops rows at prediction too, which then have no answer",
    "drop them before fitting, or use MeanMedianImputer or Winsorizer",
)
_AT_RANDOM: Final = refused(
    "fills with values drawn at random, so that no two answers are the same",
    "use MeanMedianImputer or CategoricalImputer",
)
_BY_SPELLING: Final = refused(
    "compares how categories are written, which no table holds",
    "use feature_engine.OrdinalEncoder or CountFrequencyEncoder(unseen='encode')",
)
_OF_TEXTS: Final = refused(
    "counts in texts, which its graph does not hold",
    "use sklearn's CountVectorizer or TfidfVectorizer, or compute these columns before fitting",
)

_SELECTORS: Final = {
    "DropConstantFeatures": "tol missing_values",
    "DropCorrelatedFeatures": "method threshold missing_values",
    "DropDuplicateFeatures": "missing_values",
    "DropFeatures": "features_to_drop",
    "DropHighPSIFeatures": "split_col split_frac split_distinct cut_off switch threshold bins "
    "strategy min_pct_empty_bins missing_values p_value",
    "MRMR": "method max_features discrete_features n_neighbors scoring param_grid cv regression "
    "random_state n_jobs",
    "ProbeFeatureSelection": "estimator collective scoring n_probes distribution n_categories cv "
    "random_state groups threshold",
    "RecursiveFeatureAddition": "estimator scoring cv groups threshold",
    "RecursiveFeatureElimination": "estimator scoring cv groups threshold",
    "SelectByInformationValue": "bins strategy threshold",
    "SelectByShuffling": "estimator scoring cv threshold random_state",
    "SelectBySingleFeaturePerformance": "estimator scoring cv groups threshold",
    "SelectByTargetMeanPerformance": "bins strategy scoring cv groups threshold regression",
    "SmartCorrelatedSelection": "method threshold missing_values selection_method estimator "
    "scoring cv groups",
}
_ENCODING: Final = " variables missing_values ignore_format unseen fill_value"
_ENCODERS: Final = {
    "CountFrequencyEncoder": "encoding_method",
    "DecisionTreeEncoder": "encoding_method cv scoring regression param_grid random_state "
    "precision",
    "MeanEncoder": "smoothing",
    "OneHotEncoder": "top_categories drop_last drop_last_binary",
    "OrdinalEncoder": "encoding_method",
    "RareLabelEncoder": "tol n_categories max_n_categories replace_with",
    "WoEEncoder": "",
}
_IMPUTERS: Final = {
    "ArbitraryNumberImputer": "arbitrary_number imputer_dict",
    "CategoricalImputer": "imputation_method fill_value return_object ignore_format",
    "EndTailImputer": "imputation_method tail fold",
    "MeanMedianImputer": "imputation_method",
}


def _named(table: Mapping[str, str], more: str, change: Change) -> dict[str, Convert]:
    return {
        f"feature_engine.{name}": admitted(f"{own} {more}", change) for name, own in table.items()
    }


CONVERTERS: Final[Mapping[str, Convert]] = {
    **_named(_IMPUTERS, "variables", _imputed),
    **_named(_ENCODERS, _ENCODING, _encoded),
    **_named(_SELECTORS, "variables confirm_variables", _selected),
    "feature_engine.AddMissingIndicator": admitted("missing_only variables", _indicated),
    "feature_engine.MatchCategories": admitted("variables ignore_format missing_values", _encoded),
    "feature_engine.Pipeline": pipeline,
    "feature_engine.SklearnTransformerWrapper": admitted("transformer variables", _wrapped),
    **dict.fromkeys(
        (f"feature_engine.{name}Features" for name in ("ExpandingWindow", "Lag", "Window")),
        _OF_OTHER_ROWS,
    ),
    "feature_engine.DropMissingData": _OF_FEWER_ROWS,
    "feature_engine.OutlierTrimmer": _OF_FEWER_ROWS,
    "feature_engine.RandomSampleImputer": _AT_RANDOM,
    "feature_engine.StringSimilarityEncoder": _BY_SPELLING,
    "feature_engine.TextFeatures": _OF_TEXTS,
}
