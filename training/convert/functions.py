"""Functions of numpy, as FunctionTransformer applies them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from training.convert.graph import Graph, Matrix
from training.convert.scope import Convert, Estimator, Scope

type Apply = Callable[[Graph, str], str]


def _operator(name: str) -> Apply:
    return lambda graph, values: graph.node(name, values)


def _square(graph: Graph, values: str) -> str:
    return graph.node("Mul", values, values)


def _truncate(graph: Graph, values: str) -> str:
    whole = graph.node("Floor", graph.node("Abs", values))
    return graph.node("Mul", graph.node("Sign", values), whole)


def _reciprocal(graph: Graph, values: str) -> str:
    return graph.node("Div", graph.constant(1.0), values)


def _is_nan(graph: Graph, values: str) -> str:
    return graph.double(graph.node("IsNaN", values))


# Only those whose last bit is settled. For logarithms, exponentials and the like it is not: numpy
# and onnxruntime round them otherwise, and outside their domain scikit-learn refuses the row.
_FUNCTIONS: Final[Mapping[Any, Apply]] = {
    np.abs: _operator("Abs"),
    np.ceil: _operator("Ceil"),
    np.fabs: _operator("Abs"),
    np.floor: _operator("Floor"),
    np.isnan: _is_nan,
    np.negative: _operator("Neg"),
    np.positive: _operator("Identity"),
    np.reciprocal: _reciprocal,
    np.rint: _operator("Round"),
    np.sign: _operator("Sign"),
    np.sqrt: _operator("Sqrt"),
    np.square: _square,
    np.trunc: _truncate,
}


def _function_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    inert = "inverse_func validate accept_sparse check_inverse feature_names_out inv_kw_args"
    if estimator.func is None:
        # The identity, as which ColumnTransformer writes "passthrough".
        scope.admit(estimator, free=f"{inert} func kw_args")
        return matrix
    scope.admit(estimator, free=inert, only={"func": tuple(_FUNCTIONS), "kw_args": (None, {})})
    return matrix.numbers(_FUNCTIONS[estimator.func](scope.graph, matrix.tensor))


CONVERTERS: Final[dict[type, Convert]] = {FunctionTransformer: _function_transformer}
