"""Whether the user's code answers each row by itself, and which answers later steps accept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from training.convert.graph.float_order import rank, unrank
from training.convert.graph.graph import Graph, Matrix
from training.convert.tracing.expressions import Array, Expression, is_missing
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
        Whether the later steps accept another value in a column of what the step returns.
    whole : frozenset of str
        The columns of whole numbers of which none is missing in training.
    """

    rows: Any
    accepts: Callable[[int, Any], bool]
    whole: frozenset[str] = frozenset()

    def complete(self) -> "tuple[Any, list[int]] | None":
        """Return the rows without missing whole numbers, and the columns of these.

        One missing value makes decimals of all others in a column of whole numbers. None where
        none is missing.
        """
        if not isinstance(self.rows, pd.DataFrame):
            return None
        places = [
            place
            for place, name in enumerate(self.rows.columns)
            if name in self.whole and self.rows.iloc[:, place].dtype.kind == "f"
        ]
        rows = self.rows[self.rows.iloc[:, places].notna().all(axis=1)]
        for place in places:
            rows = rows.astype({rows.columns[place]: np.int64})
        return (rows, places) if places and len(rows) else None


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


def check_names(names: set[str]) -> None:
    """Raise `CodeRefused` for code that reads a clock: two runs would not show it."""
    clocks = sorted(names & _CLOCKS)
    if clocks:
        raise CodeRefused(
            f"it reads a clock ({', '.join(clocks)}), and so its answer changes by itself",
            "compute the difference to a fixed date, or send the present date as a feature",
        )
    if "open" in names:
        raise CodeRefused(
            "it opens a file, which no service has",
            "read the file before training, and keep what it holds as an attribute",
        )


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
    count = rows.shape[0]  # a sparse matrix has no length
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
    failures = []
    places = range(0, count, max(1, count // _ALONE))
    for place in places:
        try:
            one = _called(function, _picked(rows, np.array([place])), files, "a single row")
        except CodeRefused as refused:  # the pipeline refuses the row too, if it comes alone
            failures.append(refused)
            continue
        if not _equal(whole, one, np.array([place])):
            raise CodeRefused("its answer for a row depends on the other rows", ROW_WISE)
    if 2 * len(failures) > len(places):
        raise failures[0]
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


@dataclass(frozen=True, slots=True)
class Limit:
    """The numbers of an output that the later steps accept.

    Attributes
    ----------
    least, greatest : float
        The ends of the accepted numbers.
    missing : bool
        Whether NaN is accepted.
    """

    least: float = -np.inf
    greatest: float = np.inf
    missing: bool = True

    @property
    def is_none(self) -> bool:
        """Whether all numbers are accepted."""
        return self.missing and self.greatest == -self.least == np.inf


_MAY_BREAK: Final = frozenset(
    [
        "arccos",
        "arcsin",
        "cosh",
        "exp",
        "exp2",
        "expm1",
        "floordiv",
        "fmod",
        "log",
        "log10",
        "log1p",
        "log2",
        "mod",
        "power",
        "reciprocal",
        "sinh",
        "sqrt",
        "square",
        "tan",
        "truediv",
    ]
)
_GREATEST: Final = float(np.finfo(np.float64).max)


def may_break(expression: Expression, seen: dict[int, bool] | None = None) -> bool:
    """Check whether an expression of moderate numbers may be infinite, huge or NaN."""
    known = {} if seen is None else seen
    if id(expression) not in known:
        arguments = expression.arguments
        divisor = arguments[-1] if arguments else None
        constant = divisor is not None and divisor.operation == "constant" and divisor.value
        own = expression.operation in _MAY_BREAK and not (len(arguments) == 2 and constant)
        product = expression.operation == "mul" and all(each.leaves for each in arguments)
        steep = expression.operation == "power"
        known[id(expression)] = (
            own
            or product
            or steep
            or _may_miss(expression)
            or any(may_break(each, known) for each in arguments)
        )
    return known[id(expression)]


def _may_miss(expression: Expression) -> bool:
    """Check whether an expression is NaN by itself, as what a dictionary lacks is."""
    if expression.operation == "constant":
        return expression.kind != "category" and is_missing(expression.value)
    if expression.operation == "where" and len(expression.leaves) > 1:
        return True  # a missing value may be filled by what another column says
    return expression.operation == "table" and any(
        is_missing(value) for value in expression.value.cells.values()
    )


def limit_of(accepts: Callable[[float], bool]) -> Limit:
    """Return what later steps accept of an output, by trying numbers and bisection."""
    ends = []
    for sign in (-1.0, 1.0):
        end = sign * np.inf
        if not accepts(end):
            end = sign * _GREATEST
            end = end if accepts(end) else _bisected(accepts, sign)
        ends.append(end)
    return Limit(ends[0], ends[1], accepts(np.nan))


def limit_of_texts(accepts: Callable[[Any], bool]) -> Limit:
    """Return what later steps accept of an output of texts: whether unseen ones, missing ones."""
    return Limit(-np.inf if accepts(_UNSEEN_TEXT) else 0.0, np.inf, accepts(np.nan))


_UNSEEN_TEXT: Final = "\u2020 unseen 7q"


def _bisected(accepts: Callable[[float], bool], sign: float) -> float:
    good, bad = (int(rank(np.array([sign * value]))[0]) for value in (0.0, _GREATEST))
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        fits = accepts(float(unrank(np.array([middle]))[0]))
        good, bad = (middle, bad) if fits else (good, middle)
    return float(unrank(np.array([good]))[0])


def require_accepted(graph: Graph, outputs: Matrix, limits: Mapping[int, Limit]) -> None:
    """Let rows have no score whose outputs the later steps refuse."""
    places = [place for place, limit in limits.items() if not limit.is_none]
    if not places:
        return
    tensor = graph.take(outputs.numbers(outputs.tensor), places).tensor
    ends = [[getattr(limits[place], end) for place in places] for end in ("least", "greatest")]
    low = graph.node("Less", tensor, graph.constant([ends[0]]))
    high = graph.node("Greater", tensor, graph.constant([ends[1]]))
    gaps = graph.constant([[not limits[place].missing for place in places]], np.bool_)
    missing = graph.node("And", graph.node("IsNaN", tensor), gaps)
    refused = graph.double(graph.node("Or", graph.node("Or", low, high), missing))
    most = graph.node("ReduceMax", refused, graph.constant([1], np.int64), keepdims=1)
    graph.require(graph.node("Equal", most, graph.constant(0.0)))
