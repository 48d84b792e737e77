"""numpy's functions that are no ufuncs, and pandas' own, on stand-ins."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.column_methods import applied, is_in, missing, present
from training.convert.tracing.columns import (
    Column,
    Scalar,
    Table,
    Value,
    Vector,
    choose,
    rounded,
    spread,
)
from training.convert.tracing.delegated.text_steps import step
from training.convert.tracing.delegated.texts import dated, numbered
from training.convert.tracing.frame_methods import reduce
from training.convert.tracing.frames import Frame, Grid, Row, Rows, constant_column, frame, grid
from training.convert.tracing.refusals import BATCH, LEARNT, OTHER_ROWS
from training.convert.tracing.trace import Trace

_DEEP: Final = 3


def holds(value: Any, depth: int = 0) -> Any:
    """Return a stand-in that a value is, or holds; None where there is none."""
    if isinstance(value, (Value, Table, Rows, Row)):
        return value
    if depth < _DEEP and type(value) in (list, tuple, dict):
        items = value.values() if type(value) is dict else value
        return next((one for each in items if (one := holds(each, depth + 1)) is not None), None)
    return None


def trace_of(value: Any) -> Trace:
    """Return the run of a stand-in that a value holds."""
    found = holds(value)
    if isinstance(found, Rows):
        return trace_of(found.parts)
    run: Trace = found._trace if isinstance(found, Row) else found.trace
    return run


def call(trace: Trace, function: Any, inputs: Any, options: Any) -> Any:
    """Record a function of numpy; raises what `Trace.refuse` does."""
    name = function.__name__
    found = FUNCTIONS.get(name)
    if found is None:
        if name.removeprefix("nan") in BATCH:
            trace.refuse(
                f"np.{name} looks at the other rows",
                LEARNT.get(name.removeprefix("nan"), OTHER_ROWS),
            )
        trace.refuse(f"np.{name} has no exact conversion")
    return found(*inputs, **options)


def arrays(value: Any) -> Any:
    """Return a series as an array, and a frame as one of two dimensions."""
    return value.values if isinstance(value, (Column, Frame)) else value


def parts_of(value: Any, trace: Trace) -> list[Any]:
    """Return the columns of what is put side by side."""
    if isinstance(value, Table):
        return value.parts
    if isinstance(value, Value):
        return [value]
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, (list, tuple)) and holds(value) is not None:
        return [part for each in value for part in parts_of(each, trace)]
    values = np.asarray(value)
    if values.ndim == 2:
        return [constant_column(trace, values[:, place]) for place in range(values.shape[1])]
    return [constant_column(trace, value)]


def side_by_side(values: Sequence[Any]) -> Grid:
    """Record columns put side by side."""
    trace = trace_of(values)
    return grid(trace, [part for each in values for part in parts_of(each, trace)])


def _concatenated(values: Sequence[Any], axis: int = 0, **_: Any) -> Any:
    if axis not in (1, -1):
        trace_of(values).refuse("np.concatenate of rows", "use axis=1")
    return side_by_side(values)


def _stacked(values: Sequence[Any], axis: int = 0, **_: Any) -> Any:
    return side_by_side(values) if axis in (1, -1) else Rows([arrays(each) for each in values])


def where(test: Any, *choices: Any) -> Any:
    """Record numpy's where."""
    if not choices:
        trace_of((test,)).refuse(
            "np.where of a condition alone gives the places of rows", "give both values"
        )
    values = [arrays(each) for each in (test, *choices)]
    trace = trace_of(values)
    return spread(trace, partial(choose, trace), values)


def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    """Record numpy's select: the first condition that holds decides."""
    made = default
    for test, choice in reversed(list(zip(conditions, choices, strict=True))):
        made = where(test, choice, made)
    return made


def clip(value: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Any:
    """Record numpy's clip; a missing value stays missing."""
    low, high = options.get("min", a_min), options.get("max", a_max)
    if isinstance(value, Table):
        return value.clip(low, high)  # type: ignore[attr-defined]
    found = value
    if low is not None:
        found = np.maximum(found, low)
    return found if high is None else np.minimum(found, high)


def array(value: Any, dtype: Any = None, **_: Any) -> Any:
    """Record an array made of stand-ins."""
    if isinstance(value, Rows):
        made: Any = value
    elif isinstance(value, Scalar):
        made = Vector(value.trace, value.expression, np.asarray(value.shadow))
    elif isinstance(value, (Value, Table)):
        made = arrays(value) if isinstance(value, (Column, Frame)) else value.copy()  # type: ignore[union-attr]
    else:
        made = _of_list(value)
    return made if dtype in (None, object) or isinstance(made, Rows) else made.astype(dtype)


def _of_list(values: Sequence[Any]) -> Any:
    """Return the array of what a loop over the rows collected: it met one row."""
    first = values[0]
    if len(values) == 1 and isinstance(first, Scalar):
        return array(first)
    if len(values) == 1 and isinstance(first, (list, tuple, Row)):
        return grid(
            trace_of(values), [array(each) if isinstance(each, Value) else each for each in first]
        )
    return Rows([array(each) if isinstance(each, Value) else each for each in values])


def _digitized(value: Any, bins: Any, right: bool = False) -> Any:
    column = arrays(value)
    edges = list(bins)
    if edges != sorted(edges):
        trace_of((value,)).refuse("np.digitize with descending edges", "sort the edges")
    total: Any = where(np.isnan(column), len(edges), 0)
    for edge in edges:
        total = total + (column > edge if right else column >= edge) * 1
    return total


def _numbers(value: Any, copy: bool = True, nan: float = 0.0, **options: Any) -> Any:
    del copy
    if isinstance(value, Table):
        return spread(value.trace, partial(_numbers, nan=nan, **options), (value,))
    greatest = np.finfo(np.float64).max
    high, low = options.get("posinf"), options.get("neginf")
    made = where(np.isnan(value), nan, value)
    made = where(value == np.inf, greatest if high is None else high, made)
    return where(value == -np.inf, -greatest if low is None else low, made)


def _rounded(value: Any, decimals: int = 0, **_: Any) -> Any:
    return value.round(decimals) if isinstance(value, Table) else rounded(value, decimals)  # type: ignore[attr-defined]


def _reduced(name: str, skip: bool = False) -> Callable[..., Any]:
    def function(value: Any, axis: Any = None, **options: Any) -> Any:
        if isinstance(value, (list, tuple)) and axis == 0:
            return reduce(side_by_side(value), name, **options)
        if not isinstance(value, Table) or axis not in (1, -1):
            trace_of((value,)).refuse(
                f"np.{name} looks at the other rows", LEARNT.get(name, OTHER_ROWS)
            )
        if skip:
            skipping = frame(value.trace, dict(enumerate(value.parts)))
            return reduce(skipping, name, **options).values
        return reduce(value, name, **options)

    return function


def _filled(constant: Any) -> Callable[..., Any]:
    def function(value: Any, fill_value: Any = None, **_: Any) -> Any:
        one = fill_value if constant is None else constant
        if isinstance(value, Table):
            return grid(value.trace, [one] * len(value.expressions))
        return constant_column(value.trace, one)

    return function


def _without(value: Any, places: Any, axis: Any = None) -> Any:
    if axis not in (1, -1):
        trace_of((value,)).refuse("np.delete of rows", "use axis=1")
    gone = set(np.arange(len(value.expressions))[np.atleast_1d(places)].tolist())
    return value[:, [place for place in range(len(value.expressions)) if place not in gone]]


def _inserted(value: Any, places: Any, values: Any, axis: Any = None) -> Any:
    if axis not in (1, -1) or np.ndim(places):
        trace_of((value,)).refuse("np.insert of rows", "use np.column_stack")
    parts = parts_of(value, value.trace)
    return grid(value.trace, [*parts[:places], *parts_of(values, value.trace), *parts[places:]])


def _difference(value: Any, n: int = 1, axis: int = -1, **_: Any) -> Any:
    if not isinstance(value, Table) or axis not in (1, -1) or n != 1:
        trace_of((value,)).refuse("np.diff looks at the other rows", OTHER_ROWS)
    parts = arrays(value).parts
    return grid(value.trace, [after - before for before, after in pairwise(parts)])


def _interpolated(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, **_: Any) -> Any:
    """Record numpy's interp between given points, by its formula in each interval."""
    xs, ys = np.asarray(xp, np.float64).tolist(), np.asarray(fp, np.float64).tolist()
    value = arrays(x)
    made: Any = ys[-1] if right is None else right
    made = where(value == xs[-1], ys[-1], made)
    for place in range(len(xs) - 2, -1, -1):
        slope = (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place])
        made = where(value < xs[place + 1], slope * (value - xs[place]) + ys[place], made)
    made = where(value < xs[0], ys[0] if left is None else left, made)
    return where(np.isnan(value), np.nan, made)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **{
        name: _reduced(name)
        for name in ("sum", "mean", "max", "min", "any", "all", "std", "var", "prod")
    },
    "amax": _reduced("max"),
    "amin": _reduced("min"),
    "append": lambda value, values, axis=None: _concatenated([value, values], axis),
    "around": _rounded,
    "c_": side_by_side,
    "clip": clip,
    "column_stack": side_by_side,
    "concatenate": _concatenated,
    "copy": lambda value, **_: arrays(value).copy(),
    "delete": _without,
    "diff": _difference,
    "digitize": _digitized,
    "dot": lambda one, other: one.dot(other),
    "dstack": lambda values: trace_of(values).refuse("np.dstack"),
    "expand_dims": lambda value, axis: arrays(value).reshape(-1, 1),
    "full_like": _filled(None),
    "hstack": side_by_side,
    "insert": _inserted,
    "interp": _interpolated,
    "isin": lambda value, values, **_: is_in(arrays(value), np.ravel(values).tolist()),
    "nan_to_num": _numbers,
    "nanmax": _reduced("max", skip=True),
    "nanmean": _reduced("mean", skip=True),
    "nanmin": _reduced("min", skip=True),
    "nansum": _reduced("sum", skip=True),
    "ones_like": _filled(1.0),
    "ravel": lambda value, **_: arrays(value).ravel(),
    "reshape": lambda value, shape, **_: arrays(value).reshape(shape),
    "round": _rounded,
    "select": select,
    "squeeze": lambda value, **_: value.squeeze(),
    "stack": _stacked,
    "transpose": lambda value, **_: value.T,
    "vstack": lambda values: _stacked(values),
    "where": where,
    "zeros_like": _filled(0.0),
}
"""numpy's functions by name."""


def to_frame(data: Any = None, index: Any = None, columns: Any = None, **_: Any) -> Any:
    """Record ``pd.DataFrame(...)`` of stand-ins."""
    del index
    if isinstance(data, Frame):
        return data.copy() if columns is None else data[list(columns)]
    if isinstance(data, dict):
        made: Any = frame(trace_of(data), data)
        return made if columns is None else made[list(columns)]
    if isinstance(data, Column):
        return data.to_frame() if columns is None else data.to_frame(next(iter(columns)))
    table = array(data)
    if isinstance(table, Rows):
        trace_of((data,)).refuse(
            "a frame made of a list of columns", "give a dictionary of columns"
        )
    parts = table.parts if isinstance(table, Table) else [table]
    names = list(range(len(parts))) if columns is None else list(columns)
    return frame(parts[0].trace, dict(zip(names, parts, strict=True)))


def to_series(data: Any = None, index: Any = None, name: Any = None, **options: Any) -> Any:
    """Record ``pd.Series(...)`` of stand-ins."""
    del index
    if type(data) is list and len(data) == 1:
        data = data[0]
    if type(data) in (list, tuple, dict):
        items = data.items() if type(data) is dict else enumerate(data)
        trace = trace_of(data)
        made = [
            (key, each if isinstance(each, Value) else constant_column(trace, each))
            for key, each in items
        ]
        return Row(trace, made)
    one = data.parts[0] if isinstance(data, Table) else data
    shadow = pd.Series(
        np.asarray(one.shadow),
        index=one.trace.index,
        name=name or getattr(one, "name", None) if isinstance(one, Column) else name,
    )
    made_one = Column(one.trace, one.expression, shadow)
    return made_one if options.get("dtype") is None else made_one.astype(options["dtype"])


def joined(parts: Sequence[Any], axis: Any = 0, **_: Any) -> Frame:
    """Record ``pd.concat`` of columns."""
    trace = trace_of(list(parts) if not isinstance(parts, dict) else parts)
    if axis not in (1, "columns"):
        trace.refuse("pd.concat of rows", "use axis=1")
    columns: dict[Any, Any] = {}
    for part in parts:
        if isinstance(part, Table):
            names = (
                list(part.shadow.columns)
                if isinstance(part, Frame)
                else range(len(part.expressions))
            )
            columns |= dict(zip(names, part.parts, strict=True))
        elif isinstance(part, Column):
            columns[part.shadow.name] = part
        else:
            columns |= dict(part.items())
    return frame(trace, columns)


def cut(x: Any, bins: Any, right: bool = True, labels: Any = None, **options: Any) -> Any:
    """Record ``pd.cut`` at given edges."""
    trace = x.trace
    lowest = options.get("include_lowest", False)
    if np.ndim(bins) == 0 and not isinstance(bins, pd.IntervalIndex):
        trace.refuse(
            "pd.cut into a number of bins looks at the other rows",
            "give the edges, or use KBinsDiscretizer(strategy='uniform')",
        )
    if options.get("retbins"):
        trace.refuse("pd.cut(retbins=True)", "leave retbins out")
    if labels is None:
        trace.refuse("pd.cut with intervals as labels", "give labels=False, or a list of texts")
    edges = [*bins]
    codes = list(range(len(edges) - 1))
    names = codes if labels is False else list(labels)
    found: Any = np.nan
    for code in reversed(codes):
        low, high = edges[code], edges[code + 1]
        closed = not right or (lowest and code == 0)
        above = x >= low if closed else x > low
        found = choose(trace, above & (x <= high if right else x < high), names[code], found)
    shadow = x.shadow if isinstance(x, Column) else pd.Series(np.asarray(x.shadow))
    real = pd.cut(shadow, bins, right=right, labels=labels, **options)
    made = Column(trace, *trace.settle(found.expression, real, "pd.cut"))
    return made if isinstance(x, Column) or labels is not False else made.values


def dummies(data: Any, prefix: Any = None, prefix_sep: str = "_", **options: Any) -> Any:
    """Record ``pd.get_dummies`` with a column for each known category.

    The real one has those of its rows alone: only what is reindexed after it answers by the row.
    """
    trace = trace_of(data)
    names, to = options.pop("columns", None), options.pop("dtype", bool)
    if not isinstance(data, Frame) or prefix is not None or any(options.values()):
        trace.refuse("pd.get_dummies with options", LEARNT["get_dummies"])
    parts = dict(zip(data.shadow.columns, data.parts, strict=True))
    chosen = [
        name
        for name, part in parts.items()
        if (part.expression.kind == "category" if names is None else name in names)
    ]
    made = {name: part for name, part in parts.items() if name not in chosen}
    for name in chosen:
        for category in _known(trace, parts[name]):
            made[f"{name}{prefix_sep}{category}"] = (parts[name] == category).astype(to)
    return frame(trace, made)


def _known(trace: Trace, part: Any) -> list[Any]:
    expression = part.expression
    domain = trace.leaves[expression.value].domain if expression.operation == "leaf" else None
    if domain is None:
        trace.refuse("pd.get_dummies of a computed column", LEARNT["get_dummies"])
    return sorted(value for value in domain if value is not None)


def to_number(value: Any, errors: Any = "raise", **_: Any) -> Any:
    """Record ``pd.to_numeric``."""
    if value.expression.kind != "category":
        return value.astype(float) if value.expression.kind == "boolean" else value
    steps = () if errors == "raise" else (step("coerce"),)
    found = numbered(value, "pd.to_numeric", pd.to_numeric(value.shadow, errors=errors), *steps)
    if found is not None:
        return found
    pair = value.trace.apply(
        "pd.to_numeric", lambda each: pd.to_numeric(each, errors=errors), (value,)
    )
    return value.like(pair)


def to_dates(value: Any, *inputs: Any, **options: Any) -> Any:
    """Record ``pd.to_datetime``."""
    if isinstance(value, Value) and value.expression.kind == "moment":
        return value
    if not isinstance(value, Value) or value.expression.kind != "category":
        trace_of((value,)).refuse("pd.to_datetime of numbers", "send the column as a date")
    known = {key: each for key, each in options.items() if key in ("format", "errors")}
    if known == options and not inputs and options.get("errors", "raise") == "raise":
        found = dated(value, pd.to_datetime(value.shadow, **options), options.get("format"))
        if found is not None:
            return found
    pair = value.trace.apply(
        "pd.to_datetime", lambda each: pd.to_datetime(each, *inputs, **options), (value,)
    )
    return value.like(pair)


def is_missing(value: Any) -> Any:
    """Record ``pd.isna``."""
    return value.isna() if isinstance(value, Table) else missing(value)  # type: ignore[attr-defined]


def is_present(value: Any) -> Any:
    """Record ``pd.notna``."""
    return value.notna() if isinstance(value, Table) else present(value)  # type: ignore[attr-defined]


def vectorized(function: Any, **_: Any) -> Callable[..., Any]:
    """Record ``np.vectorize``: a function of the values of one row."""

    def method(*columns: Any) -> Any:
        stands = [each for each in columns if isinstance(each, Value)]
        if len(columns) == 1:
            one = columns[0]
            series = Column(one.trace, one.expression, pd.Series(np.asarray(one.shadow)))
            return applied(series, function).values
        trace = stands[0].trace
        table = frame(trace, dict(enumerate(columns)))
        return table.apply(
            lambda row: function(*(row[place] for place in range(len(columns)))), axis=1
        ).values

    return method
