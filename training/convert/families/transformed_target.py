"""Regression on a target that was transformed."""

from collections.abc import Callable
from typing import Any, Final

from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from training.convert.families.compose import predicting
from training.convert.families.functions import FUNCTIONS
from training.convert.families.powers_and_quantiles import restored, straightened
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import response
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.unconverted import qualified


def _transformed_target(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    scope.admit(estimator, free="regressor transformer func inverse_func check_inverse")
    inner = estimator.regressor_
    value = response(scope.predict("regressor", inner, matrix), inner, "predict", scope)
    return Outputs(value=value.alike(_inverse(estimator.transformer_, value, scope)))


def _inverse(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    if type(transformer) not in _INVERSES:
        known = ", ".join(sorted(kind.__name__ for kind in _INVERSES))
        scope.refuse(
            f"the inverse of {qualified(transformer)} has no exact conversion: use one of {known}, "
            "or func and inverse_func of numpy"
        )
    return _INVERSES[type(transformer)](transformer, value, scope)


def _backwards(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(transformer, free="steps memory transform_input verbose")
    for _, step in reversed(predicting(transformer)):
        value = value.alike(_inverse(step, value, scope))
    return value.tensor


def _function(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(
        transformer,
        free="func validate accept_sparse check_inverse feature_names_out kw_args",
        only={"inverse_func": (None, *FUNCTIONS), "inv_kw_args": (None, {})},
    )
    function = transformer.inverse_func
    return value.tensor if function is None else FUNCTIONS[function](scope.graph, value.tensor)


def _standard(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(transformer, free="copy with_mean with_std")
    scale = transformer.scale_ if transformer.with_std else None
    return _stretched(value, scale, transformer.mean_ if transformer.with_mean else None, scope)


def _robust(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(transformer, free="with_centering with_scaling quantile_range copy unit_variance")
    scale = transformer.scale_ if transformer.with_scaling else None
    center = transformer.center_ if transformer.with_centering else None
    return _stretched(value, scale, center, scope)


def _max_abs(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(transformer, free="copy clip")  # what is clipped is the way there, not back
    return _stretched(value, transformer.scale_, None, scope)


def _min_max(transformer: Estimator, value: Matrix, scope: Scope) -> str:
    scope.admit(transformer, free="feature_range copy clip")
    graph = scope.graph
    moved = graph.node("Sub", value.tensor, graph.constant([transformer.min_]))
    return graph.node("Div", moved, graph.constant([transformer.scale_]))


def _stretched(value: Matrix, scale: Any, center: Any, scope: Scope) -> str:
    graph, result = scope.graph, value.tensor
    if scale is not None:
        result = graph.node("Mul", result, graph.constant([scale]))
    if center is not None:
        result = graph.node("Add", result, graph.constant([center]))
    return result


_INVERSES: Final[dict[type, Callable[[Estimator, Matrix, Scope], str]]] = {
    FunctionTransformer: _function,
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    Pipeline: _backwards,
    PowerTransformer: straightened,
    QuantileTransformer: restored,
    RobustScaler: _robust,
    StandardScaler: _standard,
}

CONVERTERS: Final[dict[type, Convert]] = {TransformedTargetRegressor: _transformed_target}
