"""XGBoost's boosted trees and forests, where the library is installed.

It computes in float32: inputs, thresholds, leaves, their sums one tree after the other, and links.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from training.convert.graph import single_precision, xgboost_model
from training.convert.graph.answer import Answer
from training.convert.graph.categories import numbered, with_columns
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import Ensemble, constant_leaf
from training.convert.graph.xgboost_model import Model

_FITTING: Final = (
    "alpha base_score callbacks colsample_bylevel colsample_bynode colsample_bytree "
    "early_stopping_rounds enable_categorical eta eval_metric feature_types feature_weights gamma "
    "grow_policy huber_slope importance_type interaction_constraints lambda learning_rate max_bin "
    "max_cat_threshold max_cat_to_onehot max_delta_step max_depth max_leaves min_child_weight "
    "monotone_constraints n_estimators n_jobs normalize_type nthread num_parallel_tree objective "
    "one_drop quantile_alpha random_state rate_drop reg_alpha reg_lambda sample_type "
    "sampling_method scale_pos_weight seed skip_drop subsample tree_method tweedie_variance_power "
    "validate_parameters verbosity"
)
_ONLY: Final[dict[str, tuple[object, ...]]] = {
    "booster": (None, "gbtree", "dart"),
    "device": (None, "cpu"),
    "missing": (np.nan,),
    "multi_strategy": (None, "one_output_per_tree"),
}


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    model, raw = _raw(estimator, matrix, scope)
    graph, count = scope.graph, int(estimator.n_classes_)
    if model.objective == "multi:softprob" and raw.width == count:
        return Answer(single_precision.softmax(graph, raw))
    if model.objective == "binary:logistic" and count == 2 and raw.width == 1:
        return Answer(single_precision.both(graph, single_precision.logistic(graph, raw)))
    scope.refuse(f"{_named(estimator)} of {count} classes has no exact conversion")


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Answer:
    model, raw = _raw(estimator, matrix, scope)
    if model.objective not in _LINKS or (raw.width > 1 and "quantile" in model.objective):
        scope.refuse(f"{_named(estimator)} has no exact conversion")
    return Answer(value=_LINKS[model.objective](scope.graph, raw))


def _named(estimator: Estimator) -> str:
    return f"{type(estimator).__name__}(objective={estimator.objective!r})"


def _same(graph: Graph, raw: Matrix) -> Matrix:
    return raw


def _exponential(graph: Graph, raw: Matrix) -> Matrix:
    return raw.alike(single_precision.exponential(graph, raw.tensor))


_SAME: Final = (
    "reg:squarederror reg:squaredlogerror reg:pseudohubererror reg:absoluteerror reg:quantileerror"
)
_LINKS: Final[dict[str, Callable[[Graph, Matrix], Matrix]]] = {
    **dict.fromkeys(_SAME.split(), _same),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), _exponential),
    "reg:logistic": single_precision.logistic,
}


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    scope.admit(estimator, free=_FITTING, only=_ONLY)
    model, graph = _model(estimator, scope), scope.graph
    width, sizes = len(model.start), model.sizes()
    ensemble = Ensemble(width + len(model.trees))
    for target, value in enumerate(model.start.tolist()):
        ensemble.add(constant_leaf(value), target)
    parts = [1] * width
    for fields, group, weight in zip(model.trees, model.groups, model.weights, strict=True):
        ensemble.add(xgboost_model.tree(fields, weight, sizes), parts[group] * width + group)
        parts[group] += 1
    matrix = numbered(graph, matrix, model.categories)
    matrix = matrix.alike(single_precision.rounded(graph, matrix.tensor))
    leaves = ensemble.node(graph, _coded(graph, matrix, sizes))
    return model, single_precision.added_in_order(graph, leaves, width)


def _model(estimator: Estimator, scope: Scope) -> Model:
    if callable(estimator.objective):
        scope.refuse(f"{type(estimator).__name__} has an objective of its own")
    model = xgboost_model.read(estimator.get_booster())
    if model.several_targets:
        scope.refuse("trees of several targets have no exact conversion")
    if model.numeric().intersection(model.sizes()):
        scope.refuse("fitted further on other data, trees compare one feature in two ways")
    _refuse_gaps(model, scope)
    return model


def _refuse_gaps(model: Model, scope: Scope) -> None:
    """Refuse integers with gaps: there XGBoost raises, and a signature has bounds alone."""
    for categories in model.categories.values():
        numbers = [category for category in categories if isinstance(category, int)]
        if numbers and max(numbers) - min(numbers) >= len(numbers):
            scope.refuse("categories that are integers with gaps have no exact conversion")


def _coded(graph: Graph, matrix: Matrix, sizes: Mapping[int, int]) -> Matrix:
    """Number the categories; a missing one comes behind the last, and -1 is any other."""
    if not sizes:
        return matrix
    columns = graph.take(matrix, list(sizes))
    count = graph.constant([[float(size) for size in sizes.values()]])
    known = graph.node("Less", columns.tensor, count)
    whole = graph.node("Floor", columns.tensor)
    code = graph.node("Where", known, whole, graph.constant(-1.0))
    missing = graph.node("IsNaN", columns.tensor)
    code = graph.node("Where", missing, count, code)
    return with_columns(graph, matrix, list(sizes), columns.numbers(code))


def _converters() -> dict[type, Convert]:
    try:
        from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor
    except ImportError:
        return {}
    return {
        XGBClassifier: _classifier,
        XGBRFClassifier: _classifier,
        XGBRegressor: _regressor,
        XGBRFRegressor: _regressor,
    }


CONVERTERS: Final = _converters()
