"""Functions of few values, found by calling them on each."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.expressions import (
    PASSED,
    UNKNOWN,
    UNSEEN,
    Expression,
    Kind,
    Mark,
    Table,
    is_missing,
    key_of,
)
from training.convert.tracing.refusals import ROW_WISE
from training.convert.tracing.trace import Leaf, Trace, same

MOST_CELLS: Final = 20_000
_STRANGERS: Final = ("\u2020q7", "zQ 9.x-", "")
"""Values that no vocabulary holds, unlike in each character, in length, case and class."""
_ALONE: Final = 25
"""How many cells are evaluated by themselves too."""

type Grid = list[tuple[Any, ...]]


def tabulate(
    trace: Trace,
    name: str,
    real: Callable[..., Any],
    operands: Sequence[Expression],
    shadows: Sequence[Any],
    constants: Sequence[Any],
    by_equality: bool,
) -> Expression:
    """Return the table of an operation on leaves and tables of few values.

    Parameters
    ----------
    trace, name, real, operands, shadows
        As of `Trace.apply`: `real` gets a series like the shadow for each operand.
    constants : sequence
        The other arguments: strings among them are categories too.
    by_equality : bool
        Whether what it makes of one unseen category it makes of all.
    """
    places = sorted(frozenset().union(*(each.leaves for each in operands)))
    for place in places:
        _extend(trace.leaves[place], constants)
    keys = [_keys(trace.leaves[place]) for place in places]
    if prod(map(len, keys)) > MOST_CELLS:
        trace.refuse(
            f"{name} depends on more than {MOST_CELLS} combinations of categories",
            "split it into functions of fewer columns",
        )
    grid: Grid = list(product(*keys))
    inputs = [_inputs(operand, places, grid) for operand in operands]
    answers = partial(_rowwise, trace, name, real, shadows)
    columns = [_evaluated(answers, inputs, word) for word in _STRANGERS]
    cells = {}
    for row, key in enumerate(grid):
        given, values = [one[row] for one in inputs], [column[row] for column in columns]
        cells[key] = _cell(given, values, by_equality, len(places) == 1)
    return _expression(tuple(places), cells)


def _keys(leaf: Leaf) -> list[Any]:
    return [*(leaf.domain or ()), *([UNSEEN] if leaf.is_open else [])]


def _extend(leaf: Leaf, constants: Any) -> None:
    """Make the strings among the constants categories of an open leaf."""
    if not leaf.is_open or leaf.domain is None or leaf.vocabulary is None:
        return
    for text in _texts(constants):
        leaf.vocabulary.code(text)
        if text not in leaf.domain:
            leaf.domain.append(text)


def _texts(constants: Any, depth: int = 0) -> list[str]:
    """Return the strings in constants, in lists of them, and in mappings."""
    if isinstance(constants, str):
        return [constants]
    if depth > 3:
        return []
    if isinstance(constants, pd.Series):
        return _texts([*constants.index, *constants], depth + 1)
    if isinstance(constants, Mapping):
        return _texts([*constants, *constants.values()], depth + 1)
    if isinstance(constants, (list, tuple, set, frozenset, np.ndarray, pd.Index)):
        return [text for each in list(constants) for text in _texts(each, depth + 1)]
    return []


def _inputs(operand: Expression, places: Sequence[int], grid: Grid) -> list[Any]:
    """Return the values of an operand on the grid, marks among them."""
    if operand.operation == "leaf":
        place = places.index(operand.value)
        return [PASSED if row[place] is UNSEEN else row[place] for row in grid]
    own = [places.index(leaf) for leaf in operand.value.leaves]
    return [operand.value.at(tuple(row[place] for place in own)) for row in grid]


def _evaluated(
    answers: Callable[[Sequence[list[Any]]], list[Any]], inputs: Sequence[list[Any]], unseen: str
) -> list[Any]:
    """Do the operation, with one word for the unseen category; `UNKNOWN` where that fails."""
    filled = [
        [unseen if isinstance(value, Mark) else value for value in column] for column in inputs
    ]
    known = [
        row
        for row in range(len(filled[0]))
        if not any(isinstance(column[row], Mark) for column in inputs)
    ]
    try:
        return answers(filled)
    except Exception:
        if len(known) == len(filled[0]):
            raise
    # The unseen category alone may be what fails.
    part = [[column[row] for row in known] for column in filled]
    values = dict(zip(known, answers(part), strict=True))
    return [values.get(row, UNKNOWN) for row in range(len(filled[0]))]


def _rowwise(
    trace: Trace,
    name: str,
    real: Callable[..., Any],
    shadows: Sequence[Any],
    columns: Sequence[list[Any]],
) -> list[Any]:
    found = _called(real, columns, shadows)
    count = len(columns[0])
    alone = range(0, count, max(1, count // _ALONE))
    by_row = found is not None and all(
        _answers_alone(real, [[column[row]] for column in columns], shadows, found[row])
        for row in alone
    )
    if found is None or not by_row:
        trace.refuse(f"the result of {name} for one value depends on the other rows", ROW_WISE)
    return found


def _answers_alone(
    real: Callable[..., Any], row: Sequence[list[Any]], shadows: Sequence[Any], value: Any
) -> bool:
    try:
        one = _called(real, row, shadows)
    except Exception:  # so does the pipeline, of a row that comes alone
        return True
    return one is not None and same(one[0], value)


def _called(
    real: Callable[..., Any], columns: Sequence[list[Any]], shadows: Sequence[Any]
) -> list[Any] | None:
    series = [like(column, shadow) for column, shadow in zip(columns, shadows, strict=True)]
    with np.errstate(all="ignore"):
        found = real(*series)
    is_column = isinstance(found, (pd.Series, np.ndarray, list)) and len(found) == len(columns[0])
    return list(found) if is_column else None


def like(values: list[Any], shadow: Any) -> Any:
    """Return values as the series, or the array, that a shadow is."""
    filled = [np.nan if value is None else value for value in values]
    dtype = getattr(shadow, "dtype", np.dtype(object))
    if not isinstance(shadow, pd.Series):
        return np.array([*filled, None], dtype=object)[:-1].astype(_wide(dtype, filled))
    if isinstance(dtype, pd.CategoricalDtype):
        unseen = [
            one for one in dict.fromkeys(values) if one is not None and one not in dtype.categories
        ]
        known = dtype.categories.append(pd.Index(unseen)) if unseen else dtype.categories
        return pd.Series(pd.Categorical(values, categories=known, ordered=dtype.ordered))
    try:
        return pd.Series(filled, dtype=dtype)
    except (TypeError, ValueError):  # an unseen value gives the column another type
        return pd.Series(filled)


def _wide(dtype: Any, values: list[Any]) -> Any:
    plain = all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in values)
    return dtype if plain and dtype.kind in "biuf" else np.dtype(object)


def _cell(given: Sequence[Any], values: Sequence[Any], by_equality: bool, single: bool) -> Any:
    """Return the value of a cell: for an unseen category only where all have the same."""
    passed = any(value is PASSED for value in given)
    unknown = any(value is UNKNOWN for value in given)
    if not passed and not unknown:
        return values[0]
    if unknown or not by_equality or any(value is UNKNOWN for value in values):
        return UNKNOWN
    if all(same(value, values[0]) for value in values[1:]):
        return values[0]
    handed_on = all(same(value, word) for value, word in zip(values, _STRANGERS, strict=True))
    return PASSED if handed_on and single else UNKNOWN


def _expression(places: tuple[int, ...], cells: dict[Any, Any]) -> Expression:
    values = [value for value in cells.values() if not isinstance(value, Mark)]
    kind = _kind(values, any(value is PASSED for value in cells.values()))
    return Expression("table", kind, value=Table(places, cells))


def _kind(values: Sequence[Any], passes: bool) -> Kind:
    present = [value for value in values if not is_missing(value)]
    if passes:
        return "category"
    if all(isinstance(value, (bool, np.bool_)) for value in present):
        return "boolean" if present and len(present) == len(values) else "number"
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in present):
        return "number"
    return "category"


def whole(places: Sequence[int], grid: Grid, values: Sequence[Any]) -> Expression:
    """Return the table of values that were found for each row of a grid of known values."""
    cells = {tuple(map(key_of, row)): value for row, value in zip(grid, values, strict=True)}
    return Expression("table", _kind(list(values), False), value=Table(tuple(places), cells))
