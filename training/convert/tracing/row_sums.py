"""Sums, means and extremes over the columns of each row, in the order of numpy and pandas."""

from typing import Any

import numpy as np

from training.convert.tracing.column_methods import missing
from training.convert.tracing.columns import Value, Vector, choose, column
from training.convert.tracing.frames import Frame
from training.convert.tracing.refusals import OTHERWISE


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
