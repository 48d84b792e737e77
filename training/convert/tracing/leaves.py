"""The columns that a step gets, their stand-ins, and what becomes of them in its outputs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from training.convert.tracing.column_methods import merged
from training.convert.tracing.columns import Column, Value, Vector
from training.convert.tracing.delegated.texts import derive
from training.convert.tracing.expressions import (
    PASSED,
    Expression,
    Source,
    constant,
    is_missing,
    kind_of,
)
from training.convert.tracing.frames import Frame, Grid, Sparse
from training.convert.tracing.numpy_functions import array
from training.convert.tracing.trace import Leaf, Trace


def torn_texts(found: Sequence[Expression], leaves: Sequence[Leaf]) -> set[int]:
    """Return the columns that are looked up in tables, and of which the codec reads texts too."""
    read, coded, seen = set[int](), set[int](), set[int]()
    waiting = list(found)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        waiting += one.arguments
        if one.operation == "table":
            coded.update(one.value.leaves)
        if one.operation in ("leaf", "table"):
            sources = (leaves[place].source for place in one.leaves)
            read.update(source.place for source in sources if isinstance(source, Source))
    return read & coded


def handed_on(found: Sequence[Expression]) -> list[Expression]:
    """Return the outputs, and what estimators are called with on the way to them."""
    handed, seen = list(found), set[int]()
    waiting = list(found)
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            waiting += one.arguments
            handed += one.arguments if one.operation == "estimated" else ()
    return handed


def columns_in(rows: Any) -> list[Any]:
    """Return the columns of rows, each [n]."""
    if isinstance(rows, pd.DataFrame):
        return [rows.iloc[:, place] for place in range(rows.shape[1])]
    if isinstance(rows, pd.Series):
        return [rows]
    matrix = np.asarray(rows)
    return [matrix] if matrix.ndim == 1 else [matrix[:, place] for place in range(matrix.shape[1])]


def leaf_of(column: Any, vocabulary: Any) -> Leaf:
    """Return what is known of a column that a step gets."""
    values = np.asarray(column)
    gaps = [None] if pd.isna(values).any() else []
    if vocabulary is not None:
        objects = np.array([*column, None], dtype=object)[:-1]
        return Leaf(objects, "category", [*vocabulary.categories, *gaps], vocabulary, column.dtype)
    kind = kind_of(column)
    if kind == "category" or values.dtype == object:
        present = [value for value in values.tolist() if not is_missing(value)]
        if all(isinstance(value, (bool, np.bool_)) for value in present):
            flags = values.astype(np.float64)
            return Leaf(flags, "number", [False, True, *gaps], None, column.dtype)
        if any(isinstance(value, str) for value in present):  # a column that nothing reads
            return Leaf(values.astype(object), "category", None, None, column.dtype)
        values = values.astype(np.float64)
    if kind == "number":
        values = values.astype(np.float64)
    return Leaf(values, kind, None, None, column.dtype)


def stand_in(trace: Trace, rows: Any) -> Callable[[], Any]:
    """Return what makes the stand-in for rows, anew for each way through the code."""
    expressions = [
        derive(trace, Source(place, (), "category"), ())
        if place in trace.whole_texts
        else Expression("leaf", leaf.kind, value=place)
        for place, leaf in enumerate(trace.leaves)
        if leaf.source is None
    ]
    if isinstance(rows, pd.DataFrame):
        trace.index = rows.index
        return lambda: Frame(trace, expressions, rows.copy())
    if isinstance(rows, pd.Series):
        trace.index = rows.index
        return lambda: Column(trace, expressions[0], rows.copy())
    if np.ndim(rows) == 1:
        return lambda: Vector(trace, expressions[0], rows.copy())
    return lambda: Grid(trace, expressions, rows.copy())


def outputs_of(trace: Trace, found: Any) -> list[Expression]:
    """Return the columns of what the code returned; raises what `Trace.refuse` does."""
    if isinstance(found, (list, tuple)):
        found = array(found) if found else found
    if isinstance(found, Sparse):
        found = found.dense
    if isinstance(found, (Frame, Grid)):
        return list(found.expressions)
    if isinstance(found, Value):
        return [merged(found)]
    if trace.is_concrete and np.ndim(found) in (1, 2) and len(found) == 1:
        return [constant(value) for value in np.asarray(found).ravel().tolist()]
    trace.refuse(
        f"it returns a {type(found).__name__} that holds none of its columns",
        "return the columns that were computed from the input",
    )


def picked(rows: Any, places: list[int]) -> Any:
    """Return some columns of a frame; an array has no fewer."""
    return rows.iloc[:, places].copy() if isinstance(rows, pd.DataFrame) else rows


def rows_like(rows: Any, grid: list[tuple[Any, ...]]) -> Any:
    """Return rows of given values, as the frame or the array that others are."""
    columns = [
        [np.nan if value is None else value for value in column]
        for column in zip(*grid, strict=True)
    ]
    if isinstance(rows, pd.DataFrame):
        made = {
            name: pd.Series(column, dtype=rows.dtypes.iloc[place])
            for place, (name, column) in enumerate(zip(rows.columns, columns, strict=True))
        }
        return pd.DataFrame(made, columns=rows.columns)
    if isinstance(rows, pd.Series):
        return pd.Series(columns[0], dtype=rows.dtype, name=rows.name)
    matrix = np.array(columns, dtype=object).T
    return matrix if np.ndim(rows) == 2 else matrix[:, 0]


def passes(expression: Expression) -> bool:
    """Check whether a table hands unseen categories on."""
    return any(value is PASSED for value in expression.value.cells.values())


def passing_leaves(expression: Expression, leaves: Sequence[Leaf]) -> set[int]:
    """Return the leaves whose unseen categories reach an output."""
    if expression.operation == "leaf":
        return {expression.value} if leaves[expression.value].vocabulary is not None else set()
    if expression.operation == "table":
        return set(expression.value.leaves) if passes(expression) else set()
    if expression.operation == "where":
        return set().union(*(passing_leaves(each, leaves) for each in expression.arguments[1:]))
    return set()


def texts_of(expression: Expression, leaves: Sequence[Leaf]) -> set[str]:
    """Return all strings that an expression may give."""
    return {value for value in values_of(expression, leaves) if isinstance(value, str)}


def values_of(expression: Expression, leaves: Sequence[Leaf]) -> list[Any]:
    """Return all values that an expression of categories may give, marks among them."""
    if expression.operation == "constant":
        return [expression.value]
    if expression.operation == "leaf":
        return list(leaves[expression.value].domain or ())
    if expression.operation == "table":
        return list(expression.value.cells.values())
    return [value for each in expression.arguments[1:] for value in values_of(each, leaves)]
