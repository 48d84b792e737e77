"""Columns selected by statistics of fitting."""

from dataclasses import replace
from functools import partial
from typing import Final

from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)

from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.errors import ConversionRefused


def _selector(estimator: Estimator, matrix: Matrix, scope: Scope, parameters: str) -> Matrix:
    # Every parameter says which columns are chosen, and scikit-learn has chosen them.
    scope.admit(estimator, free=parameters)
    chosen = estimator.get_support(indices=True).tolist()
    if not chosen:
        scope.refuse(f"{type(estimator).__name__} selects no column: have it keep at least one")
    return scope.graph.take(matrix, chosen)


def _elimination(
    estimator: Estimator, matrix: Matrix, scope: Scope, parameters: str
) -> Matrix | Outputs:
    """Convert the selector and the model that was fitted on its columns, which predicts."""
    chosen = _selector(estimator, matrix, scope, parameters)
    try:
        return replace(
            scope.predict("estimator_", estimator.estimator_, chosen), transformed=chosen
        )
    except ConversionRefused:  # before another model it is not asked to predict
        return chosen


_PARAMETERS: Final[dict[type, str]] = {
    GenericUnivariateSelect: "score_func mode param",
    RFE: "estimator n_features_to_select step verbose importance_getter",
    RFECV: "estimator step min_features_to_select cv scoring verbose n_jobs importance_getter",
    SelectFdr: "score_func alpha",
    SelectFpr: "score_func alpha",
    SelectFromModel: "estimator threshold prefit norm_order max_features importance_getter",
    SelectFwe: "score_func alpha",
    SelectKBest: "score_func k",
    SelectPercentile: "score_func percentile",
    SequentialFeatureSelector: "estimator n_features_to_select tol direction scoring cv n_jobs",
    VarianceThreshold: "threshold",
}

CONVERTERS: Final[dict[type, Convert]] = {
    selector: partial(
        _elimination if selector in (RFE, RFECV) else _selector, parameters=parameters
    )
    for selector, parameters in _PARAMETERS.items()
}
