"""Functions of numpy, as FunctionTransformer applies them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from sklearn.preprocessing import FunctionTransformer

from sklambda.arrays import FloatVector
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope

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


def _power_of_two(graph: Graph, values: str) -> str:
    return graph.node("Pow", graph.constant(2.0), values)


def _cube_root(graph: Graph, values: str) -> str:
    root = graph.node("Pow", graph.node("Abs", values), graph.constant(1 / 3))
    return graph.node("Mul", graph.node("Sign", values), root)


def _logarithm(base: float) -> Apply:
    return lambda graph, values: graph.node(
        "Div", graph.node("Log", values), graph.constant(np.log(base))
    )


def _times(factor: float) -> Apply:
    return lambda graph, values: graph.node("Mul", values, graph.constant(factor))


def log1p(graph: Graph, values: str) -> str:
    """Compute log(1 + x) to the last bits: what rounding 1 + x has lost is added to its logarithm.

    With u = 1 + x rounded it is log(u) + (x - (u - 1)) / u: log1p of fdlibm, by K. C. Ng.
    """
    one = graph.constant(1.0)
    shifted = graph.node("Add", values, one)
    lost = graph.node("Sub", values, graph.node("Sub", shifted, one))
    none = graph.node("Equal", lost, graph.constant(0.0))
    correction = graph.node("Where", none, lost, graph.node("Div", lost, shifted))
    return graph.node("Add", graph.node("Log", shifted), correction)


def expm1(graph: Graph, values: str) -> str:
    """Compute exp(x) - 1 to the last bits: the error of exp(x) is divided out.

    Kahan's formula: N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 1.14.
    """
    one = graph.constant(1.0)
    powers = graph.node("Exp", values)
    rounded = graph.node("Sub", powers, one)
    # Far from 0 the plain difference is right.
    far = graph.node("Greater", graph.node("Abs", values), one)
    nothing = graph.node("Equal", powers, one)
    plain = graph.node("Or", far, nothing)
    log = graph.node("Where", plain, one, graph.node("Log", powers))
    near = graph.node("Mul", rounded, graph.node("Div", values, log))
    return graph.node("Where", nothing, values, graph.node("Where", far, rounded, near))


# The first are equal to the last bit. The others are nearly so, which trees may see at a boundary:
# the gate tries those. What is not here onnxruntime has in float32 alone, or numpy has not.
FUNCTIONS: Final[Mapping[Any, Apply]] = {
    np.abs: _operator("Abs"),
    np.ceil: _operator("Ceil"),
    np.deg2rad: _times(np.pi / 180),
    np.degrees: _times(180 / np.pi),
    np.fabs: _operator("Abs"),
    np.floor: _operator("Floor"),
    np.isnan: _is_nan,
    np.negative: _operator("Neg"),
    np.positive: _operator("Identity"),
    np.rad2deg: _times(180 / np.pi),
    np.radians: _times(np.pi / 180),
    np.reciprocal: _reciprocal,
    np.rint: _operator("Round"),
    np.sign: _operator("Sign"),
    np.sqrt: _operator("Sqrt"),
    np.square: _square,
    np.trunc: _truncate,
    np.cbrt: _cube_root,
    np.cos: _operator("Cos"),
    np.exp: _operator("Exp"),
    np.exp2: _power_of_two,
    np.expm1: expm1,
    np.log: _operator("Log"),
    np.log10: _logarithm(10),
    np.log1p: log1p,
    np.log2: _logarithm(2),
    np.sin: _operator("Sin"),
    np.tanh: _operator("Tanh"),
}

NOT_EXACT: Final = frozenset(
    (
        np.cbrt,
        np.cos,
        np.exp,
        np.exp2,
        np.expm1,
        np.log,
        np.log10,
        np.log1p,
        np.log2,
        np.sin,
        np.tanh,
    )
)
"""Those that differ from numpy's in the last bit."""

TURNS: Final[Mapping[Any, tuple[float, ...] | None]] = {
    **dict.fromkeys((np.abs, np.fabs, np.reciprocal, np.sqrt, np.square), (0.0,)),
    **dict.fromkeys((np.log, np.log10, np.log2), (0.0,)),
    np.log1p: (-1.0,),
    **dict.fromkeys((np.cos, np.sin), None),
}
"""Where a function turns or begins; the others are monotone throughout."""


def elementwise(function: Any, kw_args: Mapping[str, Any] | None = None) -> Elementwise:
    """Return one of `FUNCTIONS`, or ``numpy.clip`` with its bounds, as a step of one column."""

    def apply(values: FloatVector) -> FloatVector:
        return np.asarray(function(values, **(kw_args or {})), dtype=np.float64)

    name = f"np.{function.__name__}"
    return Elementwise(name, apply, function not in NOT_EXACT, TURNS.get(function, ()))


def _function_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
    inert = "inverse_func validate accept_sparse check_inverse feature_names_out inv_kw_args"
    if estimator.func is None:
        # The identity, as which ColumnTransformer writes "passthrough".
        scope.admit(estimator, free=f"{inert} func kw_args")
        return matrix
    if estimator.func is np.clip:
        scope.admit(estimator, free=f"{inert} func kw_args")
        clipped = _clip(scope, matrix.tensor, estimator.kw_args or {})
        return matrix.mapped(clipped, [elementwise(np.clip, estimator.kw_args)] * matrix.width)
    known = any(estimator.func is function for function in FUNCTIONS)
    if scope.user_code is not None and (not known or estimator.kw_args):
        return scope.follow(estimator, matrix)
    scope.admit(estimator, free=inert, only={"func": tuple(FUNCTIONS), "kw_args": (None, {})})
    computed = FUNCTIONS[estimator.func](scope.graph, matrix.tensor)
    return matrix.mapped(computed, [elementwise(estimator.func)] * matrix.width)


def _clip(scope: Scope, values: str, bounds: Mapping[str, Any]) -> str:
    """Clip between two numbers, which numpy names in two ways."""
    for name, bound in bounds.items():
        known = name in ("a_min", "a_max", "min", "max")
        if not known or not (bound is None or isinstance(bound, (int, float))) or bound != bound:
            scope.refuse(
                f"FunctionTransformer(func=clip, kw_args={{{name!r}: ...}}) is not followed: "
                "give numbers as min and max"
            )
    least, greatest = (bounds.get(f"a_{end}", bounds.get(end)) for end in ("min", "max"))
    graph = scope.graph
    if least is not None:
        values = graph.node("Max", values, graph.constant(least))
    return values if greatest is None else graph.node("Min", values, graph.constant(greatest))


CONVERTERS: Final[dict[type, Convert]] = {FunctionTransformer: _function_transformer}
