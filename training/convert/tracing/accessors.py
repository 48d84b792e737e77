"""What a column's ``str`` and ``dt`` do, and picking by ``loc`` and ``iloc``.

Parts of dates are computed in whole numbers: counts of a unit since 1970 are exact in int64.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.signature import TextStep
from training.convert.tracing.columns import Column, Value, choose
from training.convert.tracing.delegated.text_steps import (
    TESTS,
    pandas_pattern,
    pandas_steps,
    regex_of,
    separator,
    step,
)
from training.convert.tracing.delegated.texts import (
    at_most,
    changed,
    gap_of,
    measured,
    source_of,
    split,
)
from training.convert.tracing.expressions import (
    UNITS_A_SECOND,
    Expression,
    constant,
    integer,
    number,
)
from training.convert.tracing.frames import Frame
from training.convert.tracing.refusals import ROW_WISE
from training.convert.tracing.trace import Real

_DAY: Final = 86_400
_PRECISE: Final = (
    "convert the column to whole seconds before training: "
    "X['{name}'] = X['{name}'].astype('datetime64[s]')"
)


class Texts:
    """A stand-in for ``Series.str`` or ``Series.cat``: each method is a table.

    Parameters
    ----------
    column : Column
        The column of categories.
    name : str
        "str" or "cat".
    """

    def __init__(self, column: Column, name: str) -> None:
        self._column, self._name = column, name
        if column.expression.kind != "category":
            getattr(column.shadow, name)  # raises AttributeError, as pandas does

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (int, slice)):
            one = (
                step("slice", key.start, key.stop, key.step)
                if isinstance(key, slice)
                else step("character", key)
            )
            found = changed(self._column, ".str[]", self._column.shadow.str[key], one)
            if found is not None:
                return found
        return self._recorded("[]", lambda each: each.str[key])

    def _of_text(self, name: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """Record a method of texts of which nearly each is new; None where there is no such."""
        column, shown = self._column, f".str.{name}"
        if self._name != "str" or source_of(column.trace, column.expression) is None:
            return None
        real = getattr(column.shadow.str, name)(*inputs, **options)
        if name == "len":
            return measured(column, shown, real)
        if name in TESTS:
            pattern = pandas_pattern(name, inputs, options)
            return (
                None if pattern is None else measured(column, shown, real, step("marks", pattern))
            )
        if name in ("split", "rsplit"):
            return self._split(name, inputs, options, real)
        if name == "extract":
            return self._extracted(real, *inputs, **options)
        steps = pandas_steps(name, inputs, options)
        return None if steps is None else changed(column, shown, real, *steps)

    def _split(
        self, name: str, inputs: Sequence[Any], options: Mapping[str, Any], real: Any
    ) -> Any:
        given = {key: value for key, value in options.items() if key != "expand"}
        found = separator(inputs, given, ("pat", "n"))
        if found is None:
            return None
        if not isinstance(real, pd.DataFrame):
            return split(self._column, name, *found, real)
        part = "last_part" if name == "rsplit" else "part"
        steps = [step(part, *found, place) for place in range(real.shape[1])]
        frame = self._beside(real, steps)
        object.__setattr__(frame, "demanded", at_most(self._column, found, real.shape[1]))
        return frame

    def _extracted(self, real: Any, pat: Any, flags: Any = 0, expand: bool = True) -> Any:
        pattern = regex_of(pat, flags)
        if pattern is None:
            return None
        if not isinstance(real, pd.DataFrame):
            return changed(self._column, ".str.extract", real, step("search", pattern, 1))
        groups = range(1, real.shape[1] + 1)
        return self._beside(real, [step("search", pattern, group) for group in groups])

    def _beside(self, real: Any, steps: Sequence[TextStep]) -> Frame:
        """Return the frame of what several steps make of the texts."""
        parts = [
            changed(self._column, ".str", real.iloc[:, place], one)
            for place, one in enumerate(steps)
        ]
        return Frame(self._column.trace, [part.expression for part in parts], real)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not callable(getattr(getattr(self._column.shadow, self._name), name)):
            return self._recorded(name, lambda each: getattr(getattr(each, self._name), name))

        def method(*inputs: Any, **options: Any) -> Any:
            found = self._of_text(name, inputs, options)
            if found is not None:
                return found

            def real(each: Real) -> Real:
                return getattr(getattr(each, self._name), name)(*inputs, **options)

            if options.get("expand") or name in ("get_dummies", "partition", "rpartition"):
                return self._several(name, real)
            return self._recorded(name, real)

        return method

    def _recorded(self, name: str, real: Callable[[Any], Any]) -> Any:
        trace = self._column.trace
        found = real(self._column.shadow)
        if isinstance(found, pd.DataFrame):
            return self._several(name, real)
        return self._column.like(trace.apply(f".{self._name}.{name}", real, (self._column,)))

    def _several(self, name: str, real: Callable[[Any], Any]) -> Frame:
        """Record a method that makes a frame; its width must not depend on the rows."""
        trace, shadow = self._column.trace, real(self._column.shadow)
        parts = {}
        for place, label in enumerate(shadow.columns):

            def one(each: Real, place: int = place) -> Real:
                frame = real(each)
                missing = pd.Series(np.nan, index=each.index, dtype=object)
                return frame.iloc[:, place] if place < frame.shape[1] else missing

            parts[label] = self._column.like(
                trace.apply(f".{self._name}.{name}", one, (self._column,))
            )
        made = Frame(trace, [each.expression for each in parts.values()], shadow)
        return made


class Dates:
    """A stand-in for ``Series.dt``.

    Parameters
    ----------
    column : Column
        The column of dates, of differences of dates, or of categories that became dates.
    """

    def __init__(self, column: Column) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        column = self._column
        accessor = column.shadow.dt
        if name == "isocalendar":
            return lambda: _Calendar(column)
        member = getattr(accessor, name)
        if column.expression.kind == "category":
            if not callable(member):
                return self._tabulated(name, lambda each: getattr(each.dt, name))
            return lambda *inputs, **options: self._tabulated(
                name, lambda each: getattr(each.dt, name)(*inputs, **options)
            )
        if callable(member):
            return lambda *inputs, **options: part_of(column, name, *inputs, **options)
        return part_of(column, name)

    def _tabulated(self, name: str, real: Callable[[Any], Any]) -> Any:
        pair = self._column.trace.apply(f".dt.{name}", real, (self._column,))
        return self._column.like(pair)


class _Calendar:
    """A stand-in for the frame of ``Series.dt.isocalendar()``."""

    def __init__(self, column: Column) -> None:
        self._column = column

    def __getattr__(self, name: str) -> Any:
        if name not in ("year", "week", "day"):
            raise AttributeError(name)
        if self._column.expression.kind == "category":
            real = lambda each: each.dt.isocalendar()[name].astype(float)  # noqa: E731
            return self._column.like(
                self._column.trace.apply(f".dt.isocalendar().{name}", real, (self._column,))
            )
        return part_of(self._column, f"iso_{name}")

    __getitem__ = __getattr__


class Places:
    """A stand-in for ``loc`` and ``iloc`` of a frame or a series.

    Parameters
    ----------
    owner : Frame or Column
        What is picked from.
    by : str
        "loc" or "iloc".
    """

    def __init__(self, owner: Any, by: str) -> None:
        self._owner, self._by = owner, by

    def __getitem__(self, key: Any) -> Any:
        owner = self._owner
        if isinstance(owner, Frame) and isinstance(key, tuple) and len(key) == 2:
            rows, columns = key
            if isinstance(rows, slice) and rows == slice(None):
                picked = getattr(owner.shadow, self._by)[:, columns]
                if isinstance(picked, pd.Series):
                    return owner.part(picked.name)
                return owner.pick(picked)
            if isinstance(rows, Value) and isinstance(columns, str):
                # Assigned to a column, pandas aligns it: missing where the test fails.
                return choose(owner.trace, rows, owner.part(columns), np.nan)
        return owner.trace.refuse("rows are picked out", f"use np.where, and {ROW_WISE}")

    def __setitem__(self, key: Any, value: Any) -> None:
        owner = self._owner
        if isinstance(owner, Column):
            owner[key] = value
            return
        rows, columns = key if isinstance(key, tuple) else (key, list(owner.shadow.columns))
        if self._by == "iloc" and not isinstance(rows, slice):
            owner.trace.refuse("rows are set by their place", "use a condition: X.loc[test, name]")
        if self._by == "iloc":
            columns = owner.shadow.columns[columns]
        if isinstance(columns, slice):
            columns = list(owner.shadow.loc[:, columns].columns)
        names = list(columns) if isinstance(columns, (list, pd.Index)) else [columns]
        for name in names:
            one = value.part(name) if isinstance(value, Frame) else value
            if isinstance(rows, slice) and rows == slice(None):
                owner[name] = one
            elif isinstance(rows, Value):
                before = owner.part(name) if name in owner else np.nan
                owner[name] = choose(owner.trace, rows, one, before)
            else:
                owner.trace.refuse("rows are set by their names", "use a condition")


ACCESSORS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "at": lambda owner: Places(owner, "loc"),
    "cat": lambda owner: Texts(owner, "cat"),
    "dt": Dates,
    "iloc": lambda owner: Places(owner, "iloc"),
    "loc": lambda owner: Places(owner, "loc"),
    "str": lambda owner: Texts(owner, "str"),
}


def part_of(column: Any, name: str, *inputs: Any, **options: Any) -> Any:
    """Record a part of dates, as ``year``, or of differences of dates, as ``days``."""
    trace = column.trace
    parts = _OF_SPANS if column.expression.kind == "span" else _OF_MOMENTS
    if name not in parts or inputs or options:
        trace.refuse(f".dt.{name} of a date has no exact conversion", "use year, month or day")
    make = parts[name]
    unit = np.datetime_data(column.shadow.dtype)[0]
    if unit == "ns" and column.expression.kind == "moment":
        trace.refuse(
            f"dates that count nanoseconds exceed what float64 holds exactly, so .dt.{name} is not",
            _PRECISE.format(name=column.shadow.name),
        )
    count = Expression("count", "integer", (column.expression,), unit)
    real = _real(column.shadow, name)
    part = make(_Count(count, UNITS_A_SECOND[unit]))
    gap = gap_of(trace, column.expression)
    if gap is not None and column.shadow.hasnans:
        flag = part.kind == "boolean"
        sides = (constant(False), part) if flag else (constant(np.nan), number(part))
        part = Expression("where", "boolean" if flag else "number", (gap, *sides))
    return column.like(trace.settle(part, real, f".dt.{name}"))


def _real(shadow: Real, name: str) -> Real:
    if name.startswith("iso_"):
        return shadow.dt.isocalendar()[name.removeprefix("iso_")].astype("float64")
    member = getattr(shadow.dt, name)
    return member() if callable(member) else member


class _Count:
    """A count of units as an expression, with what is computed of it once."""

    def __init__(self, count: Expression, a_second: int) -> None:
        self.count, self.a_second = count, a_second
        self.days = _div(count, _DAY * a_second)
        self.seconds = _div(_mod(count, _DAY * a_second), a_second)  # of the day
        self.year, self.month, self.day = _civil(self.days)


def _div(one: Expression, by: int) -> Expression:
    return Expression("whole_part", "integer", (one, constant(by)))


def _mod(one: Expression, by: int) -> Expression:
    return Expression("rest", "integer", (one, constant(by)))


def _of(name: str, one: Expression, other: Expression | int) -> Expression:
    second = constant(other) if isinstance(other, int) else other
    return Expression(name, "integer", (one, second))


def _is(name: str, one: Expression, other: Expression | int) -> Expression:
    second = constant(other) if isinstance(other, int) else other
    return Expression(name, "boolean", (one, second))


def _both(*tests: Expression) -> Expression:
    found = tests[0]
    for test in tests[1:]:
        found = Expression("and", "boolean", (found, test))
    return found


def _civil(days: Expression) -> tuple[Expression, Expression, Expression]:
    """Return year, month and day of the day since 1970.

    H. Hinnant, chrono-Compatible Low-Level Date Algorithms, ``civil_from_days``: years begin in
    March, and 400 of them have 146,097 days.
    """
    shifted = _of("add", days, 719_468)
    era = _div(shifted, 146_097)
    day_of_era = _mod(shifted, 146_097)
    leap_days = _of(
        "add",
        _of("sub", _div(day_of_era, 1_460), _div(day_of_era, 36_524)),
        _div(day_of_era, 146_096),
    )
    year_of_era = _div(_of("sub", day_of_era, leap_days), 365)
    elapsed = _of(
        "sub",
        _of("add", _of("mul", year_of_era, 365), _div(year_of_era, 4)),
        _div(year_of_era, 100),
    )
    day_of_year = _of("sub", day_of_era, elapsed)
    from_march = _div(_of("add", _of("mul", day_of_year, 5), 2), 153)
    day = _of(
        "add",
        _of("sub", day_of_year, _div(_of("add", _of("mul", from_march, 153), 2), 5)),
        1,
    )
    late = _is("ge", from_march, 10)
    month = Expression(
        "where", "integer", (late, _of("sub", from_march, 9), _of("add", from_march, 3))
    )
    year = _of("add", _of("add", year_of_era, _of("mul", era, 400)), integer(late))
    return year, month, day


def _is_leap(year: Expression) -> Expression:
    by_four, by_century = (_is("eq", _mod(year, each), 0) for each in (4, 100))
    whole = Expression(
        "or",
        "boolean",
        (Expression("not", "boolean", (by_century,)), _is("eq", _mod(year, 400), 0)),
    )
    return _both(by_four, whole)


def _day_of_year(at: _Count) -> Expression:
    """Return the day of the year.

    (367 m - 362) / 12 days precede month m, less 1 or 2 after February.
    """
    before = _div(_of("sub", _of("mul", at.month, 367), 362), 12)
    less = Expression(
        "where",
        "integer",
        (_is("le", at.month, 2), constant(0), _of("sub", integer(_is_leap(at.year)), 2)),
    )
    return _of("add", _of("add", before, less), at.day)


def _days_in_month(at: _Count) -> Expression:
    # 31 in January, March, May, July, August, October and December.
    by_half = _mod(_of("add", at.month, _div(at.month, 8)), 2)
    usual = _of("add", by_half, 30)
    february = _of("add", integer(_is_leap(at.year)), 28)
    return Expression("where", "integer", (_is("eq", at.month, 2), february, usual))


def _weekday(at: _Count) -> Expression:
    return _mod(_of("add", at.days, 3), 7)  # the first day of 1970 was a Thursday


def _iso(at: _Count) -> tuple[Expression, Expression]:
    """Return year and week of ISO 8601: those of the week's Thursday."""
    thursday = _of("add", _of("sub", at.days, _weekday(at)), 3)
    of_week = _Count(_of("mul", thursday, _DAY * at.a_second), at.a_second)
    week = _of("add", _div(_of("sub", _day_of_year(of_week), 1), 7), 1)
    return of_week.year, week


def _is_last_day(at: _Count) -> Expression:
    return _is("eq", at.day, _days_in_month(at))


def _quarter(at: _Count) -> Expression:
    return _of("add", _div(_of("sub", at.month, 1), 3), 1)


def _total_seconds(at: _Count) -> Expression:
    return Expression("truediv", "number", (number(at.count), constant(float(at.a_second))))


_OF_MOMENTS: Final[Mapping[str, Callable[[_Count], Expression]]] = {
    "day": lambda at: at.day,
    "day_of_week": _weekday,
    "day_of_year": _day_of_year,
    "dayofweek": _weekday,
    "dayofyear": _day_of_year,
    "days_in_month": _days_in_month,
    "daysinmonth": _days_in_month,
    "hour": lambda at: _div(at.seconds, 3600),
    "is_leap_year": lambda at: _is_leap(at.year),
    "is_month_end": _is_last_day,
    "is_month_start": lambda at: _is("eq", at.day, 1),
    "is_quarter_end": lambda at: _both(_is("eq", _mod(at.month, 3), 0), _is_last_day(at)),
    "is_quarter_start": lambda at: _both(_is("eq", _mod(at.month, 3), 1), _is("eq", at.day, 1)),
    "is_year_end": lambda at: _both(_is("eq", at.month, 12), _is("eq", at.day, 31)),
    "is_year_start": lambda at: _both(_is("eq", at.month, 1), _is("eq", at.day, 1)),
    "iso_day": lambda at: number(_of("add", _weekday(at), 1)),
    "iso_week": lambda at: number(_iso(at)[1]),
    "iso_year": lambda at: number(_iso(at)[0]),
    "minute": lambda at: _mod(_div(at.seconds, 60), 60),
    "month": lambda at: at.month,
    "quarter": _quarter,
    "second": lambda at: _mod(at.seconds, 60),
    "weekday": _weekday,
    "year": lambda at: at.year,
}

_OF_SPANS: Final[Mapping[str, Callable[[_Count], Expression]]] = {
    "days": lambda at: at.days,
    "seconds": lambda at: at.seconds,
    "total_seconds": _total_seconds,
}
