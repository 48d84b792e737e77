"""The methods of a frame and of an array of two dimensions that can be traced.

Sums, means and extremes of each row follow the order of numpy and pandas.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.column_methods import (
    OPERATORS,
    applied,
    clipped,
    fill,
    hide,
    is_in,
    keep,
    mapped,
    merge,
    merged,
    missing,
    present,
    replaced,
)
from training.convert.tracing.columns import Table, Value, Vector, cast, choose, column, rounded
from training.convert.tracing.expressions import constant
from training.convert.tracing.frames import Frame, Grid, Row, frame, grid, spread_over
from training.convert.tracing.refusals import OTHER_ROWS, OTHERWISE, ROW_WISE

ACROSS: Final = (1, -1, "columns")


def reduce(table: Any, name: str, **options: Any) -> Any:
    """Record a reduction of each row.

    Numbers are added one after another: so pandas does in frames, and numpy in rows of fewer than
    8 columns. Wider rows differ from numpy's pairs in the last bits.

    Parameters
    ----------
    table : Frame or Grid
        The columns.
    name : str
        "sum", "mean", "max", "min", "std", "var", "any", "all", "count" or "prod".
    options : object
        As of pandas' or numpy's method; missing values are skipped as it says.
    """
    trace = table.trace
    parts = [Vector(trace, part.expression, np.asarray(part.shadow)) for part in table.parts]
    if not parts:
        trace.refuse(f"{name} of no columns")
    if options.get("out") is not None or options.get("where") is not None:
        trace.refuse(f"{name}(out=..., where=...) has no exact conversion")
    skip = isinstance(table, Frame) and options.get("skipna", True)
    made = _reduced(trace, parts, name, skip, options, table)
    known = {key: value for key, value in options.items() if key != "keepdims"}
    with np.errstate(all="ignore"):
        real = getattr(table.shadow, name)(axis=1, **known)
    if name in ("any", "all") and np.asarray(real).dtype == object:
        trace.refuse(f"{name} of columns of objects", OTHERWISE)
    pair = trace.settle(made.expression, real, name)
    if isinstance(table, Frame):
        return column(trace, *pair)
    found = Vector(trace, pair[0], np.asarray(pair[1]))
    return found.reshape(-1, 1) if options.get("keepdims") else found


def _reduced(
    trace: Any, parts: list[Any], name: str, skip: bool, options: dict[str, Any], table: Any
) -> Any:
    if name in ("any", "all"):
        return _tested(parts, name)
    if name in ("max", "min"):
        return _extreme(parts, name, skip)
    gaps = [missing(part) if part.expression.kind == "number" else None for part in parts]
    if name == "count":
        return _count(parts, gaps) * 1
    neutral = 1.0 if name == "prod" else 0.0
    filled = [
        choose(trace, gap, neutral, part) if skip and gap is not None else part
        for part, gap in zip(parts, gaps, strict=True)
    ]
    if name == "prod":
        return _chain(filled, lambda one, other: one * other)
    total = _chain(filled, lambda one, other: one + other)
    if name == "sum":
        return total
    count = _count(parts, gaps) if skip else float(len(parts))
    mean = total / count
    if name == "mean":
        return mean
    ddof = options.get("ddof", 1 if isinstance(table, Frame) else 0)
    squares = [
        choose(trace, gap, 0.0, (part - mean) * (part - mean))
        if skip and gap is not None
        else (part - mean) * (part - mean)
        for part, gap in zip(parts, gaps, strict=True)
    ]
    variance = _chain(squares, lambda one, other: one + other) / (count - ddof)
    if skip and any(gap is not None for gap in gaps):
        variance = choose(trace, count > ddof, variance, np.nan)
    return np.sqrt(variance) if name == "std" else variance


def _chain(parts: list[Any], join: Any) -> Any:
    # True + True is 2 in a sum, and True in numpy.
    found = parts[0] * 1 if parts[0].expression.kind == "boolean" else parts[0]
    for part in parts[1:]:
        found = join(found, part * 1 if part.expression.kind == "boolean" else part)
    return found


def _count(parts: list[Any], gaps: list[Any]) -> Any:
    found: Any = 0
    for gap in gaps:
        found = found + (1 if gap is None else (~gap) * 1)
    if isinstance(found, Value):
        return found
    first = parts[0]
    return choose(first.trace, first == first, found, found)


def _tested(parts: list[Any], name: str) -> Any:
    tests = [part if part.expression.kind == "boolean" else part != 0 for part in parts]
    found = tests[0]
    for test in tests[1:]:
        found = found | test if name == "any" else found & test
    return found


def _extreme(parts: list[Any], name: str, skip: bool) -> Any:
    found = parts[0]
    ufunc = {
        ("max", True): np.fmax,
        ("min", True): np.fmin,
        ("max", False): np.maximum,
        ("min", False): np.minimum,
    }[name, skip]
    for part in parts[1:]:
        found = ufunc(found, part)
    return found


def _each(self: Any, function: Callable[..., Any], *inputs: Any) -> Any:
    return spread_over(self, function, (self, *inputs))


def _kept(self: Any, made: Any, inplace: bool) -> Any:
    if not inplace:
        return made
    self.become(made)
    return None


def _by_column(given: Any, name: Any, other: Any) -> Any:
    """Return what belongs to a column of a frame."""
    if isinstance(given, Frame):
        return given.part(name)
    if isinstance(given, (dict, pd.Series)) and not isinstance(given, Value):
        return given.get(name, other)
    return given


def _drop(self: Frame, labels: Any = None, axis: Any = 0, **options: Any) -> Any:
    columns, inplace = options.get("columns"), options.get("inplace", False)
    if columns is None and axis not in ACROSS:
        self.trace.refuse("drop of rows", "drop rows before training")
    gone = labels if columns is None else columns
    shadow = self.shadow.drop(columns=gone, errors=options.get("errors", "raise"))
    return _kept(self, self.pick(shadow), inplace)


def _rename(self: Frame, mapper: Any = None, **options: Any) -> Any:
    inplace, columns = options.pop("inplace", False), options.get("columns", mapper)
    shadow = self.shadow.rename(columns=columns)
    return _kept(self, Frame(self.trace, self.expressions, shadow), inplace)


def _labelled(method: str) -> Callable[..., Any]:
    """Return a method that changes the names of columns alone."""

    def rename(self: Frame, *inputs: Any, **options: Any) -> Frame:
        shadow = getattr(self.shadow, method)(*inputs, **options)
        return Frame(self.trace, self.expressions, shadow)

    return rename


def _chosen(method: str) -> Callable[..., Any]:
    """Return a method that picks columns by their names or dtypes."""

    def pick(self: Frame, *inputs: Any, **options: Any) -> Frame:
        return self.pick(getattr(self.shadow, method)(*inputs, **options))

    return pick


def _assign(self: Frame, **columns: Any) -> Frame:
    made: Frame = _copy(self)
    for name, value in columns.items():
        made[name] = value(made) if callable(value) and not isinstance(value, Value) else value
    return made


def _copy(self: Any, *_: Any, **__: Any) -> Any:
    return type(self)(self.trace, self.expressions, self.shadow.copy())


def _insert(self: Frame, loc: int, column: Any, value: Any, *_: Any, **__: Any) -> None:
    self[column] = value
    names = list(self.shadow.columns)
    names.insert(loc, names.pop())
    self.become(self.pick(self.shadow[names]))


def _pop(self: Frame, name: Any) -> Any:
    part = self.part(name)
    del self[name]
    return part


def _get(self: Frame, name: Any, default: Any = None) -> Any:
    return self.part(name) if name in self.shadow.columns else default


def _reindex(self: Frame, labels: Any = None, columns: Any = None, **options: Any) -> Frame:
    names = labels if columns is None else columns
    other = options.get("fill_value", np.nan)
    return frame(self.trace, {name: self.get(name, other) for name in names})


def _astype(self: Any, dtype: Any, *_: Any, **__: Any) -> Any:
    if not isinstance(dtype, dict):
        return _each(self, lambda part: cast(part, dtype))
    made = _copy(self)
    for name, one in dtype.items():
        made[name] = cast(self.part(name), one)
    return made


def _fillna(self: Frame, value: Any = None, **options: Any) -> Any:
    made = _copy(self)
    for name in self.shadow.columns:
        other = _by_column(value, name, None)
        if other is not None or value is None:
            made[name] = fill(self.part(name), other, method=options.get("method"))
    return _kept(self, made, options.get("inplace", False))


def _clip(self: Any, lower: Any = None, upper: Any = None, **options: Any) -> Any:
    low = options.get("a_min", options.get("min", lower))
    high = options.get("a_max", options.get("max", upper))
    return _kept(self, spread_over(self, clipped, (self, low, high)), options.get("inplace", False))


def _replace(self: Frame, to_replace: Any = None, value: Any = None, **options: Any) -> Any:
    inplace = options.pop("inplace", False)
    nested = isinstance(to_replace, dict) and all(
        isinstance(each, dict) for each in to_replace.values()
    )
    made = _copy(self)
    for name in self.shadow.columns:
        if not nested:
            made[name] = replaced(self.part(name), to_replace, value, **options)
        elif name in to_replace:
            made[name] = replaced(self.part(name), to_replace[name], **options)
    return _kept(self, made, inplace)


def _conditional(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Frame, test: Any, other: Any = np.nan, **_: Any) -> Frame:
        test = test(self) if callable(test) and not isinstance(test, (Value, Table)) else test
        return frame(
            self.trace,
            {
                name: function(
                    self.part(name), _by_column(test, name, False), _by_column(other, name, other)
                )
                for name in self.shadow.columns
            },
        )

    return method


def _apply(self: Frame, function: Any, axis: Any = 0, **options: Any) -> Any:
    more = options.pop("args", ())
    options.pop("result_type", None)
    options.pop("raw", None)
    if isinstance(function, np.ufunc):
        return function(self)
    if axis not in ACROSS:
        call = (lambda part: getattr(part, function)()) if isinstance(function, str) else None
        return _each(self, call or (lambda part: function(part, *more, **options)))
    row = Row(self.trace, list(zip(self.shadow.columns, self.parts, strict=True)))
    with self.trace.of_one_row():
        found = self.trace.explore(
            lambda: self.trace.unless_it_fails(
                lambda: _answer(self, function(row, *more, **options)), [constant(np.nan)]
            ),
            lambda test, yes, no: [merge(test, *both) for both in zip(yes, no, strict=True)],
        )
    with np.errstate(all="ignore"):
        real = self.shadow.apply(function, axis=1, args=more, **options)
    if isinstance(real, pd.DataFrame):
        settled = [
            self.trace.settle(one, real.iloc[:, place], "apply")[0]
            for place, one in enumerate(found)
        ]
        return Frame(self.trace, settled, real)
    return column(self.trace, *self.trace.settle(found[0], real, "apply"))


def _answer(self: Frame, value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, np.ndarray)) or (
        isinstance(value, pd.Series) and not isinstance(value, Value)
    ):
        return [merged(each) for each in value]
    return [merged(value)]


def _across(name: str) -> Callable[..., Any]:
    def method(self: Any, axis: Any = None, **options: Any) -> Any:
        if axis not in ACROSS:
            if name in ("any", "all") and axis is None:
                self.trace.refuse(f"{name} of a whole table", ROW_WISE)
            self.trace.refuse(f"{name} over the rows looks at the other rows", OTHER_ROWS)
        return reduce(self, name, **options)

    return method


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Frame, other: Any, axis: Any = "columns", **options: Any) -> Frame:
        single = isinstance(other, Value) and axis in (0, "index", "rows")
        return frame(
            self.trace,
            {
                each: getattr(self.part(each), name)(
                    other if single else _by_column(other, each, other), **options
                )
                for each in self.shadow.columns
            },
        )

    return method


def _matrix(self: Frame, dtype: Any = None, **_: Any) -> Any:
    made = grid(self.trace, self.parts)
    return made if dtype is None else _astype(made, dtype)


def _iterate_rows(self: Frame) -> Any:
    yield 0, Row(self.trace, list(zip(self.shadow.columns, self.parts, strict=True)))


def _join(self: Frame, other: Any, **_: Any) -> Frame:
    parts = other.parts if isinstance(other, Frame) else [other]
    made = {**dict(zip(self.shadow.columns, self.parts, strict=True))}
    return frame(self.trace, {**made, **{part.shadow.name: part for part in parts}})


def _squeeze(self: Any, *_: Any, **__: Any) -> Any:
    return self.parts[0] if len(self.expressions) == 1 else self


def _reset(self: Frame, drop: bool = False, **_: Any) -> Any:
    return (
        self if drop else self.trace.refuse("reset_index makes the row number a column", ROW_WISE)
    )


def _reshape(self: Grid, *shape: Any, **_: Any) -> Any:
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    count, width = self.trace.count, len(self.expressions)
    if wanted in ((count, width), (-1, width), (count, -1)):
        return self
    if width == 1 and wanted in ((-1,), (count,)):
        return self.parts[0]
    self.trace.refuse(f"reshape{wanted}", "use reshape(-1, 1) of one column")


def _ravel(self: Grid, *_: Any, **__: Any) -> Any:
    if len(self.expressions) != 1:
        self.trace.refuse("ravel of several columns")
    return self.parts[0]


def _dot(self: Any, weights: Any) -> Any:
    """Record a product with a matrix of constants, one weighted sum a column."""
    matrix = np.asarray(weights, dtype=np.float64)
    if isinstance(weights, (Value, Table)):
        self.trace.refuse("a product of two matrices of columns")
    sums = [_weighted(self, each) for each in np.atleast_2d(matrix.T)]
    made = grid(self.trace, sums)
    return made.parts[0] if matrix.ndim == 1 else made


def _weighted(self: Any, weights: Any) -> Any:
    total: Any = None
    for part, weight in zip(self.parts, weights.tolist(), strict=True):
        one = Vector(self.trace, part.expression, np.asarray(part.shadow)) * weight
        total = one if total is None else total + one
    return total


REDUCTIONS: Final = ("sum", "mean", "max", "min", "std", "var", "any", "all", "count", "prod")

_BOTH: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: _across(name) for name in REDUCTIONS},
    "abs": lambda self: _each(self, abs),
    "astype": _astype,
    "clip": _clip,
    "copy": _copy,
    "dot": _dot,
    "round": lambda self, decimals=0, **_: _each(self, lambda part: rounded(part, decimals)),
    "squeeze": _squeeze,
}

FRAME: Final[Mapping[str, Callable[..., Any]]] = {
    **_BOTH,
    **{
        name: _operator(name)
        for name in OPERATORS
        if name not in ("multiply", "divide", "subtract")
    },
    "add_prefix": _labelled("add_prefix"),
    "add_suffix": _labelled("add_suffix"),
    "apply": _apply,
    "applymap": lambda self, function, **_: _each(self, lambda part: applied(part, function)),
    "assign": _assign,
    "drop": _drop,
    "fillna": _fillna,
    "filter": _chosen("filter"),
    "get": _get,
    "infer_objects": lambda self, **_: self,
    "insert": _insert,
    "isin": lambda self, values: frame(
        self.trace,
        {
            name: is_in(self.part(name), _by_column(values, name, []))
            for name in self.shadow.columns
        },
    ),
    "isna": lambda self: _each(self, missing),
    "isnull": lambda self: _each(self, missing),
    "items": lambda self: iter(zip(self.shadow.columns, self.parts, strict=True)),
    "iterrows": _iterate_rows,
    "join": _join,
    "keys": lambda self: self.shadow.columns,
    "map": lambda self, function, **_: _each(self, lambda part: mapped(part, function)),
    "mask": _conditional(hide),
    "notna": lambda self: _each(self, present),
    "notnull": lambda self: _each(self, present),
    "pipe": lambda self, function, *inputs, **options: function(self, *inputs, **options),
    "pop": _pop,
    "reindex": _reindex,
    "rename": _rename,
    "replace": _replace,
    "reset_index": _reset,
    "select_dtypes": _chosen("select_dtypes"),
    "set_axis": _labelled("set_axis"),
    "to_numpy": _matrix,
    "where": _conditional(keep),
}
"""Of a frame."""

GRID: Final[Mapping[str, Callable[..., Any]]] = {
    **_BOTH,
    "flatten": _ravel,
    "ravel": _ravel,
    "reshape": _reshape,
    "transpose": lambda self: self.T,
}
"""Of an array of two dimensions."""

TABLES: Final[Mapping[str, Callable[..., Any]]] = {
    "spread": spread_over,
    "reduce": reduce,
}
