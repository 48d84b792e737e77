"""The operations of expressions: each in numpy, and as nodes of the graph.

numpy's side is what the user's code was seen to do on the sample; a rule that is not numpy's to the
last bits, or nearly so, is refused there, and proven by the gate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from onnx import TensorProto

from sklambda.arrays import FloatVector
from training.convert.families.functions import FUNCTIONS, NOT_EXACT, TURNS
from training.convert.graph.graph import Elementwise, Graph
from training.convert.tracing.expressions import Array, Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on columns.

    Attributes
    ----------
    evaluate : callable
        Of arrays [N], and of the parameter where it has one.
    emit : callable
        Adds the nodes for tensors that broadcast, and returns the name of the result.
    """

    evaluate: Callable[..., Array]
    emit: Callable[..., str]


def _node(name: str) -> Callable[..., str]:
    return lambda graph, *tensors: graph.node(name, *tensors)


def _not_equal(graph: Graph, one: str, other: str) -> str:
    # NaN differs from everything, as in numpy.
    return graph.node("Not", graph.node("Equal", one, other))


def _cast(to: int) -> Callable[[Graph, str], str]:
    return lambda graph, tensor: graph.node("Cast", tensor, to=to)


def _is_finite(graph: Graph, tensor: str) -> str:
    outside = graph.node("Or", graph.node("IsNaN", tensor), _is_infinite(graph, tensor))
    return graph.node("Not", outside)


def _is_infinite(graph: Graph, tensor: str) -> str:
    size = graph.node("Abs", tensor)
    return graph.node("Equal", size, graph.constant(np.inf))


def _remainder(graph: Graph, dividend: str, divisor: str) -> tuple[str, str]:
    """Return fmod with the divisor's sign, and whether a divisor was added for it."""
    zero = graph.constant(0.0)
    rest = graph.node("Mod", dividend, divisor, fmod=1)
    some = graph.node("Not", graph.node("Equal", rest, zero))
    signs = graph.node("Xor", graph.node("Less", divisor, zero), graph.node("Less", rest, zero))
    return rest, graph.node("And", some, signs)


def _modulo(graph: Graph, dividend: str, divisor: str) -> str:
    rest, turned = _remainder(graph, dividend, divisor)
    return graph.node("Where", turned, graph.node("Add", rest, divisor), rest)


def _floor_divide(graph: Graph, dividend: str, divisor: str) -> str:
    """Follow numpy's ``npy_floor_divide``: Floor(a / b) alone is wrong beside whole quotients."""
    rest, turned = _remainder(graph, dividend, divisor)
    one = graph.constant(1.0)
    quotient = graph.node("Div", graph.node("Sub", dividend, rest), divisor)
    quotient = graph.node("Where", turned, graph.node("Sub", quotient, one), quotient)
    below = graph.node("Floor", quotient)
    far = graph.node("Greater", graph.node("Sub", quotient, below), graph.constant(0.5))
    below = graph.node("Where", far, graph.node("Add", below, one), below)
    undefined = graph.node("Equal", divisor, graph.constant(0.0))
    return graph.node("Where", undefined, graph.node("Div", dividend, divisor), below)


def _whole_part(graph: Graph, dividend: str, divisor: str) -> str:
    """Divide whole numbers by one above 0, rounding down; the graph's own rounds to 0."""
    rest = graph.node("Mod", dividend, divisor)
    return graph.node("Div", graph.node("Sub", dividend, rest), divisor)


def _round(graph: Graph, tensor: str, digits: int) -> str:
    if digits == 0:
        return graph.node("Round", tensor)
    scale = graph.constant(10.0 ** abs(digits))
    there, back = ("Mul", "Div") if digits > 0 else ("Div", "Mul")
    return graph.node(back, graph.node("Round", graph.node(there, tensor, scale)), scale)


def _sigmoid(graph: Graph, tensor: str) -> str:
    one = graph.constant(1.0)
    return graph.node(
        "Div", one, graph.node("Add", one, graph.node("Exp", graph.node("Neg", tensor)))
    )


def _hyperbolic(sign: str) -> Callable[[Graph, str], str]:
    def emit(graph: Graph, tensor: str) -> str:
        up, down = graph.node("Exp", tensor), graph.node("Exp", graph.node("Neg", tensor))
        return graph.node("Div", graph.node(sign, up, down), graph.constant(2.0))

    return emit


def _tangent(graph: Graph, tensor: str) -> str:
    return graph.node("Div", graph.node("Sin", tensor), graph.node("Cos", tensor))


def chosen(test: Any, yes: Any, no: Any) -> Array:
    """Return what numpy's where returns, with text beside numbers as objects."""
    arrays = [np.asarray(each) for each in (yes, no)]
    if any(each.dtype.kind in "OUT" for each in arrays):
        arrays = [each.astype(object) for each in arrays]
    return np.where(np.asarray(test), *arrays)


_ARCTANGENT: Final = (
    *(3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01),
    *(-1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02),
    *(6.66107313738753120669e-02, -5.83357013379057348645e-02, 4.97687799461593236017e-02),
    *(-3.65315727442169155270e-02, 1.62858201153657823623e-02),
)


def _arctangent(graph: Graph, tensor: str) -> str:
    """Follow ``s_atan.c`` of fdlibm, by K. C. Ng: five intervals, and a polynomial in each."""
    size, sign = graph.node("Abs", tensor), graph.node("Sign", tensor)
    one = graph.constant(1.0)
    reduced, offset = size, graph.constant(0.0)
    for least, centre, angle in (
        (7 / 16, 0.5, 4.63647609000806093515e-01),
        (11 / 16, 1.0, 7.85398163397448278999e-01),
        (19 / 16, 1.5, 9.82793723247329054082e-01),
        (39 / 16, np.inf, 1.57079632679489655800e00),
    ):
        above = graph.node("GreaterOrEqual", size, graph.constant(least))
        if np.isinf(centre):
            moved = graph.node("Neg", graph.node("Div", one, size))
        else:
            middle = graph.constant(centre)
            product = graph.node("Add", one, graph.node("Mul", middle, size))
            moved = graph.node("Div", graph.node("Sub", size, middle), product)
        reduced = graph.node("Where", above, moved, reduced)
        offset = graph.node("Where", above, graph.constant(angle), offset)
    square = graph.node("Mul", reduced, reduced)
    series = graph.constant(_ARCTANGENT[-1])
    for weight in _ARCTANGENT[-2::-1]:
        series = graph.node("Add", graph.node("Mul", series, square), graph.constant(weight))
    bent = graph.node("Mul", reduced, graph.node("Mul", square, series))
    angle_of = graph.node("Sub", offset, graph.node("Sub", bent, reduced))
    return graph.node("Mul", sign, angle_of)


def _arcsine(graph: Graph, tensor: str) -> str:
    one = graph.constant(1.0)
    below, above = graph.node("Sub", one, tensor), graph.node("Add", one, tensor)
    other = graph.node("Sqrt", graph.node("Mul", below, above))
    return _arctangent(graph, graph.node("Div", tensor, other))


def _arccosine(graph: Graph, tensor: str) -> str:
    one = graph.constant(1.0)
    below, above = graph.node("Sub", one, tensor), graph.node("Add", one, tensor)
    ratio = graph.node("Sqrt", graph.node("Div", below, above))
    return graph.node("Mul", graph.constant(2.0), _arctangent(graph, ratio))


def _arctangent_of_two(graph: Graph, opposite: str, adjacent: str) -> str:
    """Turn the angle of the sizes into the quadrant of the signs, which zeros have too."""
    zero, one = graph.constant(0.0), graph.constant(1.0)
    sizes = [graph.node("Abs", each) for each in (opposite, adjacent)]
    nowhere, far = (
        graph.node("And", *(graph.node("Equal", size, limit) for size in sizes))
        for limit in (zero, graph.constant(np.inf))
    )
    ratio = graph.node("Where", far, one, graph.node("Div", *sizes))
    angle = _arctangent(graph, graph.node("Where", nowhere, zero, ratio))
    down, behind = (
        # 1 / -0.0 is below 0, and 1 / -inf is not.
        graph.node(
            "Or",
            graph.node("Less", each, zero),
            graph.node("Less", graph.node("Div", one, each), zero),
        )
        for each in (opposite, adjacent)
    )
    angle = graph.node("Where", behind, graph.node("Sub", graph.constant(np.pi), angle), angle)
    return graph.node("Where", down, graph.node("Neg", angle), angle)


def _nearest(operator: str) -> Callable[[Graph, str, str], str]:
    """Return the greater or the less of two, of which a missing one does not count."""

    def emit(graph: Graph, one: str, other: str) -> str:
        found = graph.node(operator, one, other)
        found = graph.node("Where", graph.node("IsNaN", one), other, found)
        return graph.node("Where", graph.node("IsNaN", other), one, found)

    return emit


def _hypotenuse(graph: Graph, one: str, other: str) -> str:
    sizes = [graph.node("Abs", each) for each in (one, other)]
    most, least = graph.node("Max", *sizes), graph.node("Min", *sizes)
    ratio = graph.node("Div", least, most)  # no square of it overflows
    squares = graph.node("Add", graph.constant(1.0), graph.node("Mul", ratio, ratio))
    found = graph.node("Mul", most, graph.node("Sqrt", squares))
    plain = graph.node("Or", *(graph.node("Equal", most, graph.constant(x)) for x in (0.0, np.inf)))
    return graph.node("Where", plain, most, found)


OPERATIONS: Final[Mapping[str, Operation]] = {
    "add": Operation(np.add, _node("Add")),
    "sub": Operation(np.subtract, _node("Sub")),
    "mul": Operation(np.multiply, _node("Mul")),
    "truediv": Operation(np.divide, _node("Div")),
    "floordiv": Operation(np.floor_divide, _floor_divide),
    "mod": Operation(np.mod, _modulo),
    "fmod": Operation(np.fmod, lambda graph, *both: graph.node("Mod", *both, fmod=1)),
    "whole_part": Operation(np.floor_divide, _whole_part),
    "rest": Operation(np.mod, _node("Mod")),
    "power": Operation(np.power, _node("Pow")),
    "lt": Operation(np.less, _node("Less")),
    "le": Operation(np.less_equal, _node("LessOrEqual")),
    "gt": Operation(np.greater, _node("Greater")),
    "ge": Operation(np.greater_equal, _node("GreaterOrEqual")),
    "eq": Operation(np.equal, _node("Equal")),
    "ne": Operation(np.not_equal, _not_equal),
    "and": Operation(np.logical_and, _node("And")),
    "or": Operation(np.logical_or, _node("Or")),
    "xor": Operation(np.logical_xor, _node("Xor")),
    "not": Operation(np.logical_not, _node("Not")),
    "where": Operation(chosen, _node("Where")),
    "isnan": Operation(np.isnan, _node("IsNaN")),
    "isinf": Operation(np.isinf, _is_infinite),
    "isfinite": Operation(np.isfinite, _is_finite),
    "maximum": Operation(np.maximum, _node("Max")),
    "minimum": Operation(np.minimum, _node("Min")),
    "fmax": Operation(np.fmax, _nearest("Max")),
    "fmin": Operation(np.fmin, _nearest("Min")),
    "arccos": Operation(np.arccos, _arccosine),
    "arcsin": Operation(np.arcsin, _arcsine),
    "arctan": Operation(np.arctan, _arctangent),
    "arctan2": Operation(np.arctan2, _arctangent_of_two),
    "hypot": Operation(np.hypot, _hypotenuse),
    "sigmoid": Operation(lambda x: 1 / (1 + np.exp(-x)), _sigmoid),
    "sinh": Operation(np.sinh, _hyperbolic("Sub")),
    "cosh": Operation(np.cosh, _hyperbolic("Add")),
    "tan": Operation(np.tan, _tangent),
    "round": Operation(np.round, _round),
    "abs": Operation(np.abs, _node("Abs")),
    "neg": Operation(np.negative, _node("Neg")),
    "count": Operation(
        lambda x, unit: x.astype(f"{x.dtype.kind}8[{unit}]").astype(np.int64),
        lambda graph, tensor, unit: tensor,  # so the graph has it; see `emission`
    ),
    "to_number": Operation(lambda x: x.astype(np.float64), _cast(TensorProto.DOUBLE)),
    "to_integer": Operation(lambda x: x.astype(np.int64), _cast(TensorProto.INT64)),
    "single": Operation(
        lambda x: x.astype(np.float32).astype(np.float64),
        lambda graph, tensor: graph.double(graph.node("Cast", tensor, to=TensorProto.FLOAT)),
    ),
    "to_boolean": Operation(lambda x: x != 0, _cast(TensorProto.BOOL)),
    **{
        function.__name__: Operation(function, emit)
        for function, emit in FUNCTIONS.items()
        if function not in (np.isnan, np.abs, np.negative)
    },
}
"""Each operation by name."""

_OF_INT64: Final = ("whole_part", "rest")  # numpy has one function for these and for float64
UFUNCS: Final[Mapping[Any, str]] = {
    **{
        operation.evaluate: name
        for name, operation in OPERATIONS.items()
        if isinstance(operation.evaluate, np.ufunc) and name not in _OF_INT64
    },
    np.float_power: "power",
    np.bitwise_and: "and",
    np.bitwise_or: "or",
    np.bitwise_xor: "xor",
    np.invert: "not",
}
"""The names of numpy's functions of each element."""

INEXACT: Final = frozenset(
    (
        *(function.__name__ for function in NOT_EXACT),
        *("arccos", "arcsin", "arctan", "arctan2", "cosh"),
        *("hypot", "power", "sigmoid", "sinh", "tan"),
    )
)
"""Operations whose last bits depend on the library and the processor."""

_MONOTONE: Final = (
    "add sub mul truediv maximum minimum fmax fmin lt le gt ge round neg sign isnan sinh sigmoid "
    "to_number single arccos arcsin arctan"
)
_TURNS: Final[Mapping[str, tuple[float, ...] | None]] = {
    **dict.fromkeys(_MONOTONE.split(), ()),
    **dict.fromkeys(("abs", "cosh", "power"), (0.0,)),
    **{function.__name__: TURNS.get(function, ()) for function in FUNCTIONS},
}


def steps_of(expression: Expression) -> tuple[int, list[Elementwise]] | None:
    """Return the one column that an expression is computed from, and the steps from it, in order.

    None where it depends on several columns, or an operation turns in a way that is not known:
    then trees behind it compare the result itself.
    """
    steps: list[Elementwise] = []
    while expression.operation != "leaf":
        inner = None if expression.operation == "estimated" else _inner(expression)
        turns = None if inner is None else _turns(expression, inner)
        if inner is None or turns is None:
            return None
        name = f"{expression.operation} in a function"
        exact = expression.operation not in INEXACT
        steps.insert(0, Elementwise(name, partial(computed, expression, inner), exact, turns))
        expression = inner
    return (expression.value, steps) if expression.kind != "category" else None


def _inner(expression: Expression) -> Expression | None:
    """Return the one argument that is not constant; None where there are others."""
    arguments = expression.arguments
    if expression.operation == "where":
        test, *choices = arguments
        arguments = (*(each for each in test.arguments if each.leaves), *choices)
    varying = {id(each): each for each in arguments if each.operation != "constant"}
    if len(varying) != 1:
        return None
    [inner] = varying.values()
    # Whole numbers are counted in int64, which has other limits, until they are made numbers.
    is_counted = inner.kind == "integer" and inner.operation != "leaf"
    return None if is_counted or expression.kind == "integer" else inner


def _turns(expression: Expression, inner: Expression) -> tuple[float, ...] | None:
    """Return where an operation of one argument and constants turns; None where that is unknown."""
    if expression.operation == "where":  # missing values filled, or numbers beyond a limit replaced
        test = expression.arguments[0]
        if test.operation not in ("isnan", "lt", "le", "gt", "ge", "eq"):
            return None
        return tuple(float(each.value) for each in test.arguments if each is not inner)
    if expression.operation == "truediv" and inner is expression.arguments[1]:
        return (0.0,)
    return _TURNS.get(expression.operation)


def whole_base(expression: Expression, is_whole: Callable[[Expression], bool]) -> Expression | None:
    """Return the whole number that an expression computes inexactly, as a sine of the hour.

    None where it computes exactly, or of other than whole numbers; `is_whole` tells of columns.
    """
    at, inexact = expression, False
    while not (at.kind == "integer" or (at.operation == "leaf" and is_whole(at))):
        inexact = inexact or at.operation in INEXACT
        before = [each for each in at.arguments if each.leaves]
        if (
            at.operation == "estimated"
            or not before
            or any(each is not before[0] for each in before)
        ):
            return None
        at = before[0]
    return at if inexact else None


def computed(expression: Expression, inner: Expression, values: FloatVector) -> FloatVector:
    """Return an expression for values of an inner one, [N]."""

    def of(at: Expression) -> Array:
        if at is inner:
            return values
        if at.operation == "constant":
            return np.asarray(np.nan if at.value is None else at.value)
        more = () if at.value is None else (at.value,)
        return OPERATIONS[at.operation].evaluate(*map(of, at.arguments), *more)

    return np.asarray(of(expression), dtype=np.float64)
