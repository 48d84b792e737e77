"""Stand-ins for a column: a series, an array of one dimension, and the value of one row."""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.expressions import (
    Expression,
    boolean,
    constant,
    integer,
    number,
    operate,
)
from training.convert.tracing.operations import UFUNCS, chosen
from training.convert.tracing.refusals import A_STEP, BATCH, LEARNT, OTHER_ROWS, ROW_WISE
from training.convert.tracing.trace import Real, Trace


class Value:
    """A stand-in: an expression with the real values of the sample.

    Parameters
    ----------
    trace : Trace
        The run.
    expression : Expression
        What was recorded.
    shadow : series or array
        The real values, of the sample's rows.
    """

    __array_priority__ = 1e6
    __slots__ = ("expression", "shadow", "trace", "view")
    rank: int

    def __init__(self, trace: Trace, expression: Expression, shadow: Real) -> None:
        self.trace, self.expression, self.shadow = trace, expression, shadow
        self.view = False

    def like(self, pair: tuple[Expression, Real]) -> Any:
        """Return a stand-in of this class."""
        return type(self)(self.trace, *pair)

    def __bool__(self) -> bool:
        self.trace.refuse("the truth of a whole column", "use np.where, or & and |")

    def __hash__(self) -> int:
        self.trace.refuse("a column's value is looked up in a set or a dictionary", "use map(...)")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self.trace.refuse("a library function takes the values of a column")

    def __float__(self) -> float:
        self.trace.refuse("float() of a column's value", "use astype(float)")

    def __int__(self) -> int:
        self.trace.refuse("int() of a column's value", "use astype(int)")

    def __index__(self) -> int:
        self.trace.refuse("a column's value as an index", "use map(...)")

    def __str__(self) -> str:
        self.trace.refuse("a text is made of a column's value")

    def __format__(self, _: str) -> str:
        self.trace.refuse("a text is made of a column's value")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        options = {name: value for name, value in options.items() if name != "dtype"}
        if method != "__call__":
            self.trace.refuse(f"np.{ufunc.__name__}.{method} looks at the other rows", OTHER_ROWS)
        if options:
            self.trace.refuse(f"np.{ufunc.__name__}({next(iter(options))}=...)")
        return spread(self.trace, lambda *each: element_wise(self.trace, ufunc, each), inputs)

    def __array_function__(self, function: Any, _: Any, inputs: Any, options: Any) -> Any:
        return self.trace.methods["numpy"]["call"](self.trace, function, inputs, options)


class Table:
    """What the stand-ins of frames and of arrays of two dimensions share; see `frames`."""

    __array_priority__ = 1e6
    __slots__ = ()
    ndim = 2
    trace: Trace
    expressions: list[Expression]
    shadow: Real

    __hash__ = Value.__hash__
    __bool__ = Value.__bool__
    __array__ = Value.__array__
    __array_ufunc__ = Value.__array_ufunc__
    __array_function__ = Value.__array_function__

    @property
    def parts(self) -> list[Any]:
        """The columns."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, int]:
        """The rows that the trace follows, and the columns."""
        return (self.trace.count, len(self.expressions))

    @property
    def size(self) -> int:
        """The number of values."""
        return self.trace.count * len(self.expressions)

    def __len__(self) -> int:
        return self.trace.count


def spread(trace: Trace, function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Call a function of columns on each column of the tables among its inputs."""
    tables = [each for each in inputs if isinstance(each, Table)]
    if tables:
        return trace.methods["tables"]["spread"](tables[0], function, inputs)
    return function(*inputs)


def element_wise(trace: Trace, ufunc: Any, inputs: Sequence[Any]) -> Any:
    """Record one of numpy's functions of each element."""
    name = UFUNCS.get(ufunc) or _BY_NAME.get(ufunc.__name__)
    if name is None:
        trace.refuse(f"np.{ufunc.__name__} has no exact conversion")
    return record(trace, name, ufunc, inputs, f"np.{ufunc.__name__}")


_BY_NAME: Final = {"expit": "sigmoid"}


def record(
    trace: Trace, name: str, real: Callable[..., Any], inputs: Sequence[Any], shown: str = ""
) -> Any:
    """Record an operation by its rule; the result is a series where an input is one."""
    stands = [each for each in inputs if isinstance(each, Value)]
    first = max(stands, key=lambda each: each.rank)
    return first.like(
        trace.apply(
            shown or _SHOWN.get(name, name),
            real,
            inputs,
            lambda *made, wanted: _rule(name, made, wanted),
            by_equality=name in ("eq", "ne", "isnan"),
        )
    )


_SHOWN: Final = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "add": "+"}


def _rule(name: str, made: Sequence[Expression], wanted: Any) -> Expression | None:
    if name == "power":
        return _power(wanted, *made)
    if name == "positive":
        return made[0]
    return operate(name, wanted, *made)


def _power(wanted: Any, base: Expression, exponent: Expression) -> Expression | None:
    """Follow numpy, which squares and takes square roots where the exponent says so."""
    if exponent.operation == "constant" and exponent.value in (0.5, 1, 2, -1):
        if exponent.value == 2:
            return operate("mul", wanted, base, base)
        if exponent.value == 0.5:
            return operate("sqrt", wanted, base)
        if exponent.value == -1:
            return operate("truediv", wanted, constant(1.0), base)
        return number(base) if wanted == "number" else base
    whole = exponent.operation == "constant" and isinstance(exponent.value, int)
    if wanted == "integer" and whole and 2 < exponent.value <= 8:
        power = base
        for _ in range(exponent.value - 1):
            made = operate("mul", wanted, power, base)
            assert made is not None
            power = made
        return power
    return operate("power", wanted, base, exponent)


_OPERATORS: Final = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "truediv",
    "floordiv": "floordiv",
    "mod": "mod",
    "pow": "power",
    "and_": "and",
    "or_": "or",
    "xor": "xor",
}


def _forward(name: str) -> Callable[[Any, Any], Any]:
    real = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        if isinstance(other, (pd.DataFrame, Table)) and not isinstance(self, Table):
            return NotImplemented
        return spread(
            self.trace,
            lambda *each: record(self.trace, _OPERATORS.get(name, name), real, each),
            (self, other),
        )

    return method


def _backward(name: str) -> Callable[[Any, Any], Any]:
    real = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        return spread(
            self.trace,
            lambda *each: record(self.trace, _OPERATORS[name], real, each),
            (other, self),
        )

    return method


def _inplace(name: str) -> Callable[[Any, Any], Any]:
    forward = _forward(name)

    def method(self: Any, other: Any) -> Any:
        if getattr(self, "view", False):
            self.trace.refuse(
                "a part of an array is changed in place, and the whole with it",
                "assign the result to the column: X[:, 0] = ...",
            )
        return forward(self, other)

    return method


def _unary(name: str, operation: str) -> Callable[[Any], Any]:
    real = getattr(operator, name)

    def method(self: Any) -> Any:
        return spread(
            self.trace, lambda each: record(self.trace, operation, real, (each,)), (self,)
        )

    return method


for _each in (Value, Table):
    for _name in _OPERATORS:
        _dunder = _name.rstrip("_")
        setattr(_each, f"__{_dunder}__", _forward(_name))
        setattr(_each, f"__r{_dunder}__", _backward(_name))
        setattr(_each, f"__i{_dunder}__", _inplace(_name))
    for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(_each, f"__{_name}__", _forward(_name))
    for _name, _operation in (
        ("neg", "neg"),
        ("abs", "abs"),
        ("invert", "not"),
        ("pos", "positive"),
    ):
        setattr(_each, f"__{_name}__", _unary(_name, _operation))


def lookup(stand: Any, kind: str, library: type, name: str) -> Any:
    """Return a method of a stand-in, or refuse the library's own that it lacks."""
    trace: Trace = stand.trace
    found = trace.methods[kind].get(name)
    if found is not None:
        return lambda *inputs, **options: found(stand, *inputs, **options)
    if name.startswith("_") or not hasattr(library, name):
        raise AttributeError(f"{library.__name__!r} object has no attribute {name!r}")
    shown = f"{library.__name__}.{name}"
    if name in BATCH:
        trace.refuse(f"{shown} looks at the other rows", LEARNT.get(name, OTHER_ROWS))
    if name == "sparse":  # where scikit-learn looks first
        trace.refuse("an estimator of scikit-learn reads the columns here", A_STEP)
    trace.refuse(f"{shown} has no exact conversion")


class Column(Value):
    """A stand-in for a series."""

    __slots__ = ()
    rank = 2
    ndim = 1
    empty = False

    __class__ = property(lambda self: pd.Series)  # for isinstance

    def like(self, pair: tuple[Expression, Real]) -> Any:
        """Return a series of what was recorded, with the sample's index."""
        return column(self.trace, *pair)

    def __len__(self) -> int:
        return self.trace.count

    def __iter__(self) -> Iterator[Any]:
        yield of_row(self.trace, self.expression, self.shadow)

    def __round__(self, digits: int = 0) -> Any:
        return rounded(self, digits)

    def __getitem__(self, _: Any) -> Any:
        self.trace.refuse("rows are picked out of a column", ROW_WISE)

    def __setitem__(self, test: Any, value: Any) -> None:
        made = choose(self.trace, test, value, self)
        self.expression, self.shadow = made.expression, made.shadow.rename(self.shadow.name)

    def __getattr__(self, name: str) -> Any:
        if name in ("dtype", "name", "index", "hasnans"):
            if name == "hasnans":
                self.trace.refuse("Series.hasnans looks at the other rows", OTHER_ROWS)
            return getattr(self.shadow, name)
        if name in ("values", "array"):
            return Vector(self.trace, self.expression, np.asarray(self.shadow))
        if name == "shape":
            return (self.trace.count,)
        if name == "size":
            return self.trace.count
        if name in ("str", "dt", "cat", "loc", "iloc", "at"):
            return self.trace.methods["accessors"][name](self)
        return lookup(self, "column", pd.Series, name)


class Vector(Value):
    """A stand-in for an array of one dimension."""

    __slots__ = ()
    rank = 1
    ndim = 1

    __class__ = property(lambda self: np.ndarray)  # for isinstance

    def like(self, pair: tuple[Expression, Real]) -> Any:
        """Return an array of what was recorded."""
        return Vector(self.trace, pair[0], np.asarray(pair[1]))

    def __len__(self) -> int:
        return self.trace.count

    def __iter__(self) -> Iterator[Any]:
        yield of_row(self.trace, self.expression, pd.Series(self.shadow))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and key[1] is None:
            return self.trace.methods["vector"]["reshape"](self, -1, 1)
        self.trace.refuse("rows are picked out of an array", ROW_WISE)

    def __setitem__(self, test: Any, value: Any) -> None:
        made = choose(self.trace, test, value, self)
        self.expression, self.shadow = made.expression, np.asarray(made.shadow)

    def __getattr__(self, name: str) -> Any:
        if name == "dtype":
            return self.shadow.dtype
        if name == "shape":
            return (self.trace.count,)
        if name == "size":
            return self.trace.count
        if name == "T":
            return self
        return lookup(self, "vector", np.ndarray, name)


class Scalar(Value):
    """A stand-in for the value of one row, inside of a function of the user's."""

    __slots__ = ()
    rank = 0

    def __bool__(self) -> bool:
        return self.trace.decide(self.expression)

    __hash__ = Value.__hash__

    def __round__(self, digits: int = 0) -> Any:
        if digits:
            self.trace.refuse(
                "round(x, digits) of Python rounds decimals, not float64",
                "use np.round on the column",
            )
        return rounded(self, 0)

    def __getitem__(self, key: Any) -> Any:
        found = self.trace.methods["texts"]["item"](self, key)
        return self._of_text("[]", lambda value: value[key]) if found is None else found

    def __iter__(self) -> Iterator[Any]:
        self.trace.refuse("a loop over the characters of a text", "use the methods of the text")

    def __contains__(self, part: Any) -> bool:
        found = self.trace.methods["texts"]["contains"](self, part)
        return bool(self._of_text("in", lambda value: part in value) if found is None else found)

    def __len__(self) -> int:
        self.trace.refuse("len() of a row's value", "use .str.len() on the column")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.expression.kind != "category":
            found = self.trace.methods["scalar"].get(name)
            if found is None:
                self.trace.refuse(f".{name} of a row's value")
            return found(self)

        def method(*inputs: Any, **options: Any) -> Any:
            found = self.trace.methods["texts"]["method"](self, name, inputs, options)
            if found is not None:
                return found
            return self._of_text(name, lambda value: getattr(value, name)(*inputs, **options))

        return method

    def _of_text(self, name: str, function: Callable[[Any], Any]) -> Any:
        return Scalar(self.trace, *self.trace.apply(name, lambda each: each.map(function), (self,)))


def of_row(trace: Trace, expression: Expression, shadow: Real) -> Any:
    """Return the value of one row: a stand-in, or one of few where the run is concrete."""
    if trace.is_concrete and trace.has_few_values(expression):
        return trace.value_of(expression)
    return Scalar(trace, expression, shadow)


def column(trace: Trace, expression: Expression, shadow: Real) -> Column:
    """Return the stand-in for a series, with the sample's index."""
    is_series = type(shadow) is pd.Series
    return Column(
        trace, expression, shadow if is_series else pd.Series(np.asarray(shadow), index=trace.index)
    )


def choose(trace: Trace, test: Any, yes: Any, no: Any) -> Any:
    """Record a choice between two columns or constants."""
    stands = [each for each in (test, yes, no) if isinstance(each, Value)]
    if not stands:
        return chosen(test, yes, no)
    first = max(stands, key=lambda each: each.rank)
    inputs = [None if each is pd.NA else each for each in (test, yes, no)]
    pair = trace.apply(
        "where",
        chosen,
        inputs,
        lambda *made, wanted: operate("where", wanted, *made),
        by_equality=True,
    )
    return first.like(pair)


def rounded(value: Any, digits: int) -> Any:
    """Record rounding to digits, half to even, as numpy does."""

    def rule(made: Expression, wanted: Any) -> Expression | None:
        if made.kind != "number":
            return made if wanted == made.kind and digits >= 0 else None
        rounding = Expression("round", "number", (number(made),), digits)
        return integer(rounding) if wanted == "integer" else rounding

    return value.like(
        value.trace.apply("round", lambda each: np.round(each, digits), (value,), rule)
    )


def cast(value: Any, to: Any) -> Any:
    """Record a cast to a number, an integer or a boolean, or of categories to any type."""
    trace: Trace = value.trace
    of_text = trace.methods["texts"]["cast"](value, to)
    if of_text is not None:
        return of_text
    textual = to in (str, object, "str", "string", "object", "category", "O") or isinstance(
        to, pd.CategoricalDtype
    )

    def rule(made: Expression, wanted: Any) -> Expression | None:
        if textual:
            return made if to in (object, "object", "O") else None
        convert = {"number": number, "integer": integer, "boolean": boolean}.get(wanted)
        if np.dtype(to) == np.dtype(np.float32) and made.kind in ("number", "integer", "boolean"):
            return Expression("single", "number", (number(made),))
        single = np.dtype(to) == np.dtype(np.float16)
        if made.kind in ("moment", "span"):
            return Expression("count", "integer", (made,)) if wanted == "integer" else None
        return None if convert is None or single else convert(made)

    remedy = (
        "make it a category before training, or keep it a number"
        if textual
        else "use float64: float32 keeps 7 digits and not 16"
    )
    return value.like(
        trace.apply(
            f"astype({getattr(to, '__name__', to)})",
            lambda each: each.astype(to),
            (value,),
            rule,
            by_equality=textual,
            remedy=remedy,
        )
    )


def filled(trace: Trace, value: Any) -> Vector:
    """Return a column of one constant."""
    shadow = np.full(trace.count, value)
    return Vector(trace, constant(value), shadow)
