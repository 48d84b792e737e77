"""Parts of dates, in whole numbers: counts of a unit since 1970 are exact in int64."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from training.convert.tracing.expressions import (
    UNITS_A_SECOND,
    Expression,
    constant,
    integer,
    number,
)
from training.convert.tracing.trace import Real

_DAY: Final = 86_400
_PRECISE: Final = (
    "convert the column to whole seconds before training: "
    "X['{name}'] = X['{name}'].astype('datetime64[s]')"
)


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
    return column.like(trace.settle(make(_Count(count, UNITS_A_SECOND[unit])), real, f".dt.{name}"))


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
