"""LightGBM's boosted trees and forests, where the library is installed."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sklambda.arrays import Flags
from training.convert.graph import lightgbm_model
from training.convert.graph.answer import Answer
from training.convert.graph.categories import numbered
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.lightgbm_model import ZERO, Compared, Model
from training.convert.graph.links import both, logistic, probabilities
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble

_FITTING: Final = (
    "alpha bagging_by_query bagging_fraction bagging_freq bagging_seed boost_from_average boosting "
    "boosting_type cat_l2 cat_smooth categorical_feature class_weight colsample_bytree "
    "data_random_seed data_sample_strategy deterministic device_type drop_rate drop_seed "
    "early_stopping_min_delta early_stopping_round enable_bundle extra_seed extra_trees fair_c "
    "feature_fraction feature_fraction_bynode feature_fraction_seed feature_pre_filter "
    "first_metric_only force_col_wise force_row_wise importance_type interaction_constraints "
    "is_unbalance lambda_l1 lambda_l2 learning_rate linear_tree max_bin max_bin_by_feature "
    "max_cat_threshold max_cat_to_onehot max_delta_step max_depth max_drop metric "
    "min_child_samples min_child_weight min_data_in_bin min_data_in_leaf min_data_per_group "
    "min_gain_to_split min_split_gain min_sum_hessian_in_leaf monotone_constraints "
    "monotone_constraints_method monotone_penalty neg_bagging_fraction num_class num_leaves "
    "num_threads n_estimators n_jobs objective other_rate path_smooth poisson_max_delta_step "
    "pos_bagging_fraction random_state reg_alpha reg_lambda reg_sqrt scale_pos_weight seed sigmoid "
    "skip_drop subsample subsample_for_bin subsample_freq top_rate tweedie_variance_power "
    "uniform_drop use_missing verbose verbosity xgboost_dart_mode zero_as_missing"
)


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    model, raw = _raw(estimator, matrix, scope)
    objective, graph = model.objective.split()[0], scope.graph
    if objective == "multiclass":
        return Answer(probabilities(graph, raw), raw)
    if objective == "multiclassova":
        return Answer(logistic(graph, _steepened(model, graph, raw)), raw)
    if objective == "binary" and len(estimator.classes_) == 2:
        return Answer(both(graph, logistic(graph, _steepened(model, graph, raw))), raw)
    scope.refuse(f"LGBMClassifier with an objective {objective!r} has no exact conversion")


def _steepened(model: Model, graph: Graph, raw: Matrix) -> Matrix:
    """Apply `sigmoid` with the six digits of the text: the library reads its own after fitting."""
    slope = float(model.objective.rpartition("sigmoid:")[2])
    if slope == 1:
        return raw
    return raw.alike(graph.node("Mul", raw.tensor, graph.constant(slope)))


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    model, raw = _raw(estimator, matrix, scope)
    if model.objective not in _LINKS:
        scope.refuse(f"LGBMRegressor with an objective {model.objective!r} has no exact conversion")
    return Answer(value=_LINKS[model.objective](scope.graph, raw))


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Exp", raw.tensor))


def _signed_square(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(graph.node("Mul", raw.tensor, graph.node("Abs", raw.tensor)))


_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), _same),
    **dict.fromkeys(("regression sqrt", "regression_l1 sqrt"), _signed_square),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _exponential),
    "cross_entropy": logistic,
}


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, free=_FITTING)
    booster, graph = estimator.booster_, scope.graph
    model = lightgbm_model.read(booster)
    lists = booster.pandas_categorical or []
    places = _of_the_category_dtype(len(lists), model, matrix, scope)
    matrix = numbered(graph, matrix, dict(zip(places, lists, strict=True)))
    ensemble = Ensemble(model.width)
    for place, fields in enumerate(model.trees):
        ensemble.add(lightgbm_model.tree(fields), place % model.width)
    sums = ensemble.node(graph, _compared(matrix, _kinds(model, scope), graph))
    if model.averaged_over == 1:
        return model, sums
    count = graph.constant(float(model.averaged_over))
    return model, sums.alike(graph.node("Div", sums.tensor, count))


def _of_the_category_dtype(count: int, model: Model, matrix: Matrix, scope: Scope) -> list[int]:
    """Find the columns of the category dtype: LightGBM keeps their categories, not their places.

    Strings are of that dtype, and so is what fitting took for categories of itself. Categories of
    numbers that it puts in order look like numbers, unless nothing else is there.
    """
    everything = range(matrix.width)
    strings = {place for place in everything if matrix.vocabularies[place] is not None}
    for places in (strings, strings | model.declared, everything):
        if len(places) == count:
            return sorted(places)
    scope.refuse("categories of numbers that LightGBM puts in order have no exact conversion here")


def _kinds(model: Model, scope: Scope) -> dict[int, Compared]:
    """Tell as what each feature is compared."""
    if model.linear:
        scope.refuse("linear_tree has no exact conversion")
    kinds: dict[int, Compared] = {}
    for feature, kind in model.comparisons():
        if kinds.setdefault(feature, kind) != kind:
            scope.refuse("fitted further on other data, trees compare one feature in two ways")
    return kinds


def _compared(matrix: Matrix, kinds: dict[int, Compared], graph: Graph) -> Matrix:
    """Make whole numbers of categories, and NaN of each 0 that stands for a missing value."""
    categories, gaps = (
        np.array([[kinds.get(place) == kind for place in range(matrix.width)]])
        for kind in ("category", "number or gap")
    )
    if categories.any():
        matrix = _whole(graph, matrix, categories)
    if gaps.any():
        # No magnitude is below -1, so that the other columns stay as they are.
        greatest = graph.constant(np.where(gaps, ZERO, -1.0))
        is_zero = graph.node("LessOrEqual", graph.node("Abs", matrix.tensor), greatest)
        matrix = matrix.alike(graph.node("Where", is_zero, graph.constant(np.nan), matrix.tensor))
    return matrix


def _whole(graph: Graph, matrix: Matrix, columns: Flags) -> Matrix:
    """Cut off the fractions in some columns: 2.5 is category 2, and -0.5 is category 0."""
    negative = graph.node("Less", matrix.tensor, graph.constant(0.0))
    up, down = graph.node("Ceil", matrix.tensor), graph.node("Floor", matrix.tensor)
    whole = graph.node("Where", negative, up, down)
    chosen = graph.constant(columns, np.bool_)
    return matrix.alike(graph.node("Where", chosen, whole, matrix.tensor))


def _converters() -> dict[type, Convert]:
    try:
        from lightgbm import LGBMClassifier, LGBMRegressor
    except (ImportError, OSError):  # not installed, or without the OpenMP that it needs
        return {}
    return {LGBMClassifier: _classifier, LGBMRegressor: _regressor}


CONVERTERS: Final = _converters()
