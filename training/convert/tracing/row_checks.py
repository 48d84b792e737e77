"""Whether the user's code answers each row by itself, as a service must."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.tracing.expressions import Array
from training.convert.tracing.refusals import ROW_WISE, CodeRefused, line_of
from training.convert.tracing.trace import equal

type Function = Callable[[Any], Any]

_ALONE: Final = 12
_CLOCKS: Final = frozenset(("now", "today", "utcnow", "time_ns", "perf_counter", "getmtime"))


@dataclass(frozen=True, slots=True)
class Sample:
    """Some rows that a step gets while the pipeline predicts.

    Attributes
    ----------
    rows : DataFrame, Series or array
        Shape [n, K]: of rows that the pipeline accepts.
    accepts : callable
        Whether the later steps accept another number in a column of what the step returns.
    """

    rows: Any
    accepts: Callable[[int, float], bool]


def columns_of(found: Any) -> list[Array]:
    """Return the columns of what a step returned, each [n]."""
    if hasattr(found, "toarray"):
        found = found.toarray()
    if isinstance(found, pd.DataFrame):
        return [_plain(found.iloc[:, place]) for place in range(found.shape[1])]
    if isinstance(found, pd.Series):
        return [_plain(found)]
    matrix = np.asarray(found)
    return [matrix.reshape(len(matrix), -1)[:, place] for place in range(matrix[:1].size)]


def _plain(column: "pd.Series[Any]") -> Array:
    if isinstance(column.dtype, np.dtype):
        return np.asarray(column)
    if column.dtype.kind in "biuf":
        return np.asarray(column.astype(object).where(column.notna(), np.nan))
    return np.array([*column, None], dtype=object)[:-1]


def check_names(names: set[str], files: set[str]) -> None:
    """Raise `CodeRefused` for code that reads a clock: two runs would not show it."""
    clocks = sorted(names & _CLOCKS)
    if clocks:
        raise CodeRefused(
            f"it reads a clock ({', '.join(clocks)}), and so its answer changes by itself",
            "compute the difference to a fixed date, or send the present date as a feature",
            _first(files),
        )
    if "open" in names:
        raise CodeRefused(
            "it opens a file, which no service has",
            "read the file before training, and keep what it holds as an attribute",
            _first(files),
        )


def _first(files: set[str]) -> str:
    return ""


def check_rows(function: Function, rows: Any, files: set[str]) -> list[Array]:
    """Return what a function gives for rows; raise `CodeRefused` unless each row has its own.

    Parameters
    ----------
    function : callable
        The user's.
    rows : DataFrame, Series or array
        Shape [n, K].
    files : set of str
        Of the user's code, whose lines a refusal names.
    """
    whole = _called(function, rows, files, "its sample")
    count = len(rows)
    if any(len(column) != count for column in whole):
        raise CodeRefused("it drops or adds rows", "drop rows before training")
    again = _called(function, rows, files, "its sample")
    if not _equal(whole, again, slice(None)):
        raise CodeRefused(
            "it does not give the same answer twice: it draws random numbers, or keeps a state",
            "add noise before training, and leave it out of the pipeline",
        )
    back = _called(function, _picked(rows, np.arange(count)[::-1]), files, "its sample")
    if not _equal(whole, back, slice(None, None, -1)):
        raise CodeRefused("its answer for a row depends on the order of the rows", ROW_WISE)
    for place in range(0, count, max(1, count // _ALONE)):
        one = _called(function, _picked(rows, np.array([place])), files, "a single row")
        if not _equal(whole, one, np.array([place])):
            raise CodeRefused("its answer for a row depends on the other rows", ROW_WISE)
    return whole


def _called(function: Function, rows: Any, files: set[str], of: str) -> list[Array]:
    try:
        with np.errstate(all="ignore"):
            return columns_of(function(rows.copy()))
    except Exception as error:
        raise CodeRefused(
            f"it fails on {of}: {type(error).__name__}: {error}",
            ROW_WISE,
            line_of(files, error),
        ) from error


def _picked(rows: Any, places: Array) -> Any:
    return rows.iloc[places] if hasattr(rows, "iloc") else rows[places]


def _equal(whole: Sequence[Array], part: Sequence[Array], places: Any) -> bool:
    if len(whole) != len(part):
        return False
    return all(
        len(one[places]) == len(other) and equal(one[places], other)
        for one, other in zip(whole, part, strict=True)
    )
