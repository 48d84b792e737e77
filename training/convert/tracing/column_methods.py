"""The methods of a series and of an array of one dimension that can be traced."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.columns import (
    Column,
    Scalar,
    Value,
    Vector,
    cast,
    choose,
    column,
    record,
    rounded,
)
from training.convert.tracing.delegated.texts import exchanged, filling, gap_of, length_of
from training.convert.tracing.expressions import (
    Expression,
    Kind,
    boolean,
    constant,
    is_missing,
    is_nothing,
    kind_of,
    number,
    operate,
)
from training.convert.tracing.frames import Frame, grid
from training.convert.tracing.refusals import CodeRefused
from training.convert.tracing.trace import Given, Real


def missing(self: Any) -> Any:
    """Record where values are missing."""

    def rule(made: Expression, wanted: Kind) -> Expression | None:
        if made.kind == "moment":  # of a column of dates none is ever missing
            return gap_of(self.trace, made) or constant(False)
        return operate("isnan", wanted, made)

    return self.like(
        self.trace.apply("isna", lambda each: pd.isna(each), (self,), rule, by_equality=True)
    )


def present(self: Any) -> Any:
    """Record where values are not missing."""
    return ~missing(self)


def called(self: Any, name: str, *inputs: Any, equality: bool = False, **options: Any) -> Any:
    """Record a method of pandas on a category: its table."""

    def real(each: Real, *more: Any) -> Real:
        return getattr(each, name)(*more, **options)

    pair = self.trace.apply(name, real, (self, *map(Given, inputs)), by_equality=equality)
    return self.like(pair)


def _by_rule(self: Any, name: str, make: Callable[[], Any], *inputs: Any, **options: Any) -> Any:
    """Record a method that is put together from others, and tabulated for a category."""
    if self.expression.kind == "category":
        return called(self, name, *inputs, equality=True, **options)
    made = make()
    shadows = [each.shadow if isinstance(each, Value) else each for each in inputs]
    with np.errstate(all="ignore"):
        real = getattr(self.shadow, name)(*shadows, **options)
    return self.like(self.trace.settle(made.expression, real, name))


def fill(self: Any, value: Any = None, *, inplace: bool = False, **options: Any) -> Any:
    """Record missing values filled by a constant or another column."""
    if value is None or options.get("method") is not None:
        self.trace.refuse("fillna by a method looks at the other rows", "fill by a constant")
    of_text = filling(self, value)
    if of_text is not None:
        made = of_text
    elif isinstance(value, Value):
        made = choose(self.trace, missing(self), value, self)
    elif _cannot_miss(self):
        made = self
    else:
        make = lambda: choose(self.trace, missing(self), value, self)  # noqa: E731
        made = _by_rule(self, "fillna", make, value)
    return _kept(self, made, inplace)


def _cannot_miss(self: Any) -> bool:
    return self.expression.kind in ("integer", "boolean", "moment")


def _kept(self: Any, made: Any, inplace: bool) -> Any:
    if not inplace:
        return made
    self.expression, self.shadow = made.expression, made.shadow
    return None


def keep(self: Any, test: Any, other: Any = np.nan, **_: Any) -> Any:
    """Record values kept where a test holds."""
    test = test(self) if callable(test) and not isinstance(test, Value) else test
    other = other(self) if callable(other) and not isinstance(other, Value) else other
    return choose(self.trace, test, self, other)


def hide(self: Any, test: Any, other: Any = np.nan, **_: Any) -> Any:
    """Record values replaced where a test holds."""
    test = test(self) if callable(test) and not isinstance(test, Value) else test
    return choose(self.trace, test, other, self)


def clipped(self: Any, lower: Any = None, upper: Any = None, **options: Any) -> Any:
    """Record values clipped; missing ones stay so."""
    lower = options.get("min", options.get("a_min", lower))
    upper = options.get("max", options.get("a_max", upper))

    def make() -> Any:
        made = self
        if lower is not None:
            made = choose(self.trace, made < lower, lower, made)
        return made if upper is None else choose(self.trace, made > upper, upper, made)

    return _by_rule(self, "clip", make, lower, upper)


def is_in(self: Any, values: Any) -> Any:
    """Record whether a value is one of some."""
    known = list(values)

    def make() -> Any:
        made = False
        for value in known:
            test = missing(self) if is_missing(value) else self == value
            made = test | made
        return made if isinstance(made, Value) else choose(self.trace, missing(self), False, False)

    if isinstance(self, Vector):
        return column(self.trace, self.expression, self.shadow).isin(known).values
    return _by_rule(self, "isin", make, known)


def between(self: Any, left: Any, right: Any, inclusive: str = "both") -> Any:
    """Record whether a value is between two."""
    low = self >= left if inclusive in ("both", "left") else self > left
    high = self <= right if inclusive in ("both", "right") else self < right
    return low & high


def mapped(self: Any, function: Any, na_action: Any = None, **_: Any) -> Any:
    """Record a look-up in a dictionary, or a function of each value."""
    if isinstance(function, str):
        self.trace.refuse(f"map({function!r})", "give map a dictionary or a function")
    if callable(function) and not isinstance(function, (pd.Series, dict)):
        if na_action == "ignore":
            return _ignoring(self, function)
        return applied(self, function)
    if self.expression.kind == "category":
        return called(self, "map", function, equality=True)
    pairs = list(dict(function).items())
    default = np.nan if not hasattr(function, "__missing__") else function["a value that is absent"]
    return _by_rule(self, "map", lambda: _chain(self, pairs, default), function)


def _ignoring(self: Any, function: Callable[[Any], Any]) -> Any:
    if self.expression.kind == "category":
        return called(self, "map", function, na_action="ignore")
    return choose(self.trace, missing(self), np.nan, applied(self, function))


def _chain(self: Any, pairs: Sequence[tuple[Any, Any]], last: Any) -> Any:
    made = last
    for value, result in reversed(pairs):
        test = missing(self) if is_missing(value) else self == value
        made = choose(self.trace, test, result, made)
    return made


def replaced(self: Any, old: Any = None, new: Any = None, **options: Any) -> Any:
    """Record values replaced by others."""
    inplace = options.pop("inplace", False)
    if options.get("regex"):
        more = {} if new is None else {"value": new}
        made = called(self, "replace", old, **more, **options)
        return _kept(self, made, inplace)
    several = isinstance(old, (list, tuple, np.ndarray))
    if isinstance(old, dict):
        pairs, inputs = list(old.items()), (old,)
    else:
        olds = list(old) if several else [old]
        news = list(new) if isinstance(new, (list, tuple)) else [new] * len(olds)
        pairs, inputs = list(zip(olds, news, strict=True)), (old, new)  # type: ignore[assignment]
    if self.expression.kind != "category":
        pairs = [pair for pair in pairs if not isinstance(pair[0], str)]
    of_text = exchanged(self, pairs, inputs)
    if of_text is not None:
        return _kept(self, of_text, inplace)
    return _kept(self, _by_rule(self, "replace", lambda: _chained(self, pairs), *inputs), inplace)


def _chained(self: Any, pairs: Sequence[tuple[Any, Any]]) -> Any:
    return _chain(self, pairs, self) if pairs else self


def applied(self: Any, function: Any, *inputs: Any, **options: Any) -> Any:
    """Record a function of each value: all ways through its conditions."""
    args = options.pop("args", inputs)
    options.pop("convert_dtype", None)
    if isinstance(function, np.ufunc):
        return function(self)
    if function in (str, int, float, bool):
        return self.astype(function)
    if function is len:
        function = lambda value: length_of(value) if isinstance(value, Scalar) else len(value)  # noqa: E731
    if isinstance(function, str):
        return getattr(self, function)()

    def of_one(value: Any) -> Any:
        return function(value, *args, **options)

    if self.expression.kind == "category":
        return _of_category(self, of_one)
    return _on_all_ways(self, of_one)


def _of_category(self: Any, function: Callable[[Any], Any]) -> Any:
    """Record a function of a category: by its conditions if they are all equalities."""
    refusals = len(self.trace.refusals)
    try:
        return _on_all_ways(self, function)
    except (CodeRefused, Exception):
        del self.trace.refusals[refusals:]
    return called(self, "map", function)


def _on_all_ways(self: Any, function: Callable[[Any], Any]) -> Any:
    one = Scalar(self.trace, self.expression, self.shadow)
    with self.trace.of_one_row():
        found = self.trace.explore(lambda: merged(function(one)), merge)
    with np.errstate(all="ignore"):
        real = self.shadow.apply(function)
    if isinstance(real, pd.DataFrame):
        self.trace.refuse("apply that returns several columns", "make a column at a time")
    return self.like(self.trace.settle(_unified(found, real), real, "apply"))


def merged(value: Any) -> Expression:
    """Return what a function of one row returned, as an expression."""
    if isinstance(value, Value):
        return value.expression
    return constant(value)


def merge(test: Expression, yes: Expression, no: Expression) -> Expression:
    """Return the choice between the results of two ways."""
    kinds = {each.kind for each in (yes, no) if not is_nothing(each)}
    gaps = is_nothing(yes) or is_nothing(no)
    wanted: Kind = next(iter(kinds)) if len(kinds) == 1 and not gaps else "number"
    if "category" in kinds or not kinds:
        wanted = "category"
    made = operate("where", wanted, boolean(test), yes, no)
    assert made is not None
    return made


def _unified(found: Expression, real: Real) -> Expression:
    return number(found) if found.kind == "boolean" and kind_of(real) == "number" else found


def _any(self: Any, **_: Any) -> Any:
    # Each row is answered alone, which was checked: whether any row passes is whether it does.
    return Scalar(self.trace, boolean(self.expression), pd.Series(np.asarray(self.shadow)))


def _to_array(self: Any, dtype: Any = None, **_: Any) -> Vector:
    made = Vector(self.trace, self.expression, np.asarray(self.shadow))
    return made if dtype is None else cast(made, dtype)


def _to_frame(self: Any, name: Any = None) -> Frame:
    shadow = self.shadow.to_frame() if name is None else self.shadow.to_frame(name)
    return Frame(self.trace, [self.expression], shadow)


def _renamed(self: Any, name: Any = None, **_: Any) -> Column:
    return Column(self.trace, self.expression, self.shadow.rename(name))


def _same(self: Any, *_: Any, **__: Any) -> Any:
    return self


def _copy(self: Any, *_: Any, **__: Any) -> Any:
    return type(self)(self.trace, self.expression, self.shadow.copy())


def _reset(self: Any, drop: bool = False, **_: Any) -> Any:
    return self if drop else self.trace.refuse("reset_index makes the row number a column")


def _reshaped(self: Vector, *shape: Any, **_: Any) -> Any:
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    if wanted in ((-1, 1), (self.trace.count, 1)):
        return grid(self.trace, [self])
    if wanted in ((-1,), (self.trace.count,)):
        return self
    self.trace.refuse(f"reshape{wanted}", "use reshape(-1, 1)")


def _operator(name: str, real: Any) -> Callable[..., Any]:
    def method(self: Any, other: Any, fill_value: Any = None, **_: Any) -> Any:
        one = self if fill_value is None else fill(self, fill_value)
        if fill_value is not None and isinstance(other, Value):
            other = fill(other, fill_value)
        return record(self.trace, name, real, (one, other))

    return method


def _reverse(name: str, real: Any) -> Callable[..., Any]:
    return lambda self, other, **_: record(self.trace, name, real, (other, self))


OPERATORS: Final[Mapping[str, tuple[str, Any]]] = {
    "add": ("add", np.add),
    "sub": ("sub", np.subtract),
    "subtract": ("sub", np.subtract),
    "mul": ("mul", np.multiply),
    "multiply": ("mul", np.multiply),
    "div": ("truediv", np.divide),
    "divide": ("truediv", np.divide),
    "truediv": ("truediv", np.divide),
    "floordiv": ("floordiv", lambda one, other: one // other),
    "mod": ("mod", lambda one, other: one % other),
    "pow": ("power", lambda one, other: one**other),
    "gt": ("gt", np.greater),
    "ge": ("ge", np.greater_equal),
    "lt": ("lt", np.less),
    "le": ("le", np.less_equal),
    "eq": ("eq", lambda one, other: one == other),
    "ne": ("ne", lambda one, other: one != other),
}
"""pandas' operators that have names."""

_BOTH: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "all": _any,
    "any": _any,
    "astype": lambda self, dtype, *_, **__: cast(self, dtype),
    "clip": clipped,
    "copy": _copy,
    "round": lambda self, decimals=0, **_: rounded(self, decimals),
    "squeeze": _same,
}

COLUMN: Final[Mapping[str, Callable[..., Any]]] = {
    **_BOTH,
    **{name: _operator(*operation) for name, operation in OPERATORS.items()},
    **{
        f"r{name}": _reverse(*OPERATORS[name])
        for name in ("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow")
    },
    "apply": applied,
    "between": between,
    "fillna": fill,
    "infer_objects": _same,
    "isin": is_in,
    "isna": missing,
    "isnull": missing,
    "map": mapped,
    "mask": hide,
    "notna": present,
    "notnull": present,
    "pipe": lambda self, function, *inputs, **options: function(self, *inputs, **options),
    "ravel": _to_array,
    "rename": _renamed,
    "replace": replaced,
    "reset_index": _reset,
    "to_frame": _to_frame,
    "to_list": lambda self: list(self),
    "to_numpy": _to_array,
    "tolist": lambda self: list(self),
    "where": keep,
}
"""Of a series."""

VECTOR: Final[Mapping[str, Callable[..., Any]]] = {
    **_BOTH,
    "flatten": _copy,
    "ravel": _same,
    "reshape": _reshaped,
    "tolist": lambda self: list(self),
}
"""Of an array of one dimension."""

SCALAR: Final[Mapping[str, Callable[..., Any]]] = {
    "is_integer": lambda self: lambda: self == np.floor(self),
}
"""Of the value of one row."""
