"""Encodes dates and times without a zone as counts of a unit since the start of 1970."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Final, Literal

import numpy as np

from sklambda.errors import FaultCode, ValueRefused

type Unit = Literal["s", "ms", "us", "ns"]
type _Time = tuple[int, int]  # whole seconds since 1970, and nanoseconds after them

DIGITS: Final[dict[Unit, int]] = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""The digits of a second that each unit has."""

_NANOSECONDS: Final = 9
_GREATEST: Final = 2**63 - 1
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400
_ISO: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]{1,9}))?)?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)


def datetime_encoder(unit: Unit) -> Callable[[object], float]:
    """Return the function that counts the units of `unit` from 1970 to a time.

    It takes an ISO 8601 string, a ``datetime``, a ``date``, a ``pandas.Timestamp`` or a
    ``numpy.datetime64``, and raises `ValueRefused`. The count is exact in whole numbers; as a
    float64 it is rounded as numpy rounds an int64.
    """
    digits = DIGITS[unit]
    per_second, step = 10**digits, 10 ** (_NANOSECONDS - digits)

    def encode(value: object) -> float:
        seconds, nanoseconds = _time(value)
        units, rest = divmod(nanoseconds, step)
        if rest:
            raise ValueRefused(FaultCode.TOO_PRECISE, f"must not be more precise than 1 {unit}")
        count = seconds * per_second + units
        if count > _GREATEST:
            raise ValueRefused(FaultCode.TOO_LARGE, f"must be at most 2^63 {unit} after 1970")
        if count < -_GREATEST:
            raise ValueRefused(FaultCode.TOO_SMALL, f"must be at most 2^63 {unit} before 1970")
        return float(count)

    return encode


def _time(value: object) -> _Time:
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, datetime):
        return _of_datetime(value)
    if isinstance(value, date):
        return (value.toordinal() - _EPOCH) * _DAY, 0
    if isinstance(value, np.datetime64):
        return _of_numpy(value)
    raise ValueRefused(FaultCode.TYPE, "must be a string: a date, or a date and a time")


def _read(text: str) -> _Time:
    found = _ISO.fullmatch(text)
    if found is None:
        raise _not_a_datetime()
    *numbers, fraction, offset = found.groups()
    if offset is not None:
        raise _has_offset()
    try:
        whole = datetime(*(int(number or 0) for number in numbers))  # type: ignore[arg-type]
    except ValueError:
        raise _not_a_datetime() from None
    return _of_datetime(whole)[0], int((fraction or "").ljust(_NANOSECONDS, "0"))


def _of_datetime(value: datetime) -> _Time:
    if value.tzinfo is not None:
        raise _has_offset()
    days = value.toordinal() - _EPOCH
    seconds = ((days * 24 + value.hour) * 60 + value.minute) * 60 + value.second
    # A pandas.Timestamp is a datetime with nanoseconds.
    return seconds, value.microsecond * 1000 + getattr(value, "nanosecond", 0)


def _of_numpy(value: np.datetime64) -> _Time:
    unit, factor = np.datetime_data(value)
    if unit in DIGITS:
        count = int(value.astype(np.int64)) * factor
        seconds, rest = divmod(count, 10 ** DIGITS[unit])
        return seconds, rest * 10 ** (_NANOSECONDS - DIGITS[unit])
    if unit in ("Y", "M", "W", "D", "h", "m"):
        return int(value.astype("datetime64[s]").astype(np.int64)), 0
    raise ValueRefused(FaultCode.TYPE, "must not count units below the nanosecond")


def _not_a_datetime() -> ValueRefused:
    return ValueRefused(
        FaultCode.NOT_A_DATETIME, "must be like 2026-11-22 or 2026-11-22T10:00:00.123"
    )


def _has_offset() -> ValueRefused:
    return ValueRefused(
        FaultCode.HAS_OFFSET, "must have no offset: the training data has no time zones"
    )
