"""A moment is counted to the last digit, or refused."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklambda.datetimes import DIGITS, Unit, datetime_encoder
from sklambda.errors import FaultCode, ValueRefused

UNITS: tuple[Unit, ...] = ("s", "ms", "us", "ns")
NAIVE = datetime(2026, 11, 22, 10, 30, 15, 123456)
# The years that 2^63 nanoseconds reach.
moments = st.datetimes(datetime(1678, 1, 1), datetime(2262, 1, 1))


def refusal(unit: Unit, value: object) -> FaultCode:
    with pytest.raises(ValueRefused) as raised:
        datetime_encoder(unit)(value)
    return raised.value.code


@given(moments, st.sampled_from(UNITS))
def test_a_count_is_that_of_numpy(moment: datetime, unit: Unit) -> None:
    expected = np.datetime64(moment, unit)
    text = np.datetime_as_string(expected, unit=unit)
    encode = datetime_encoder(unit)

    counts = {encode(text), encode(text.replace("T", " ")), encode(expected)}

    assert counts == {float(expected.astype(np.int64))}


@given(moments)
def test_the_types_of_python_and_pandas_agree(moment: datetime) -> None:
    encode = datetime_encoder("us")

    counts = {encode(each) for each in (moment, pd.Timestamp(moment), moment.isoformat())}

    assert counts == {float((moment - datetime(1970, 1, 1)) // timedelta(microseconds=1))}


@given(st.dates(), st.sampled_from(("s", "ms", "us")))
def test_a_date_is_its_first_moment(day: date, unit: Unit) -> None:
    encode = datetime_encoder(unit)

    assert encode(day) == encode(day.isoformat()) == encode(f"{day.isoformat()}T00:00:00.000")


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_nanoseconds_are_rounded_as_numpy_rounds_them(count: int) -> None:
    moment = np.datetime64(count, "ns")

    assert datetime_encoder("ns")(str(moment)) == np.int64(count).astype(np.float64)


def test_a_timestamp_of_pandas_keeps_its_nanoseconds() -> None:
    later = pd.Timestamp("1970-01-01T00:00:00.000000001")

    assert datetime_encoder("ns")(later) == 1.0
    assert refusal("us", later) == FaultCode.TOO_PRECISE


@pytest.mark.parametrize("unit", UNITS)
def test_digits_below_the_unit_are_refused_unless_they_are_zeros(unit: Unit) -> None:
    fraction = "123456789"[: DIGITS[unit]]
    zeros = "0" * (9 - len(fraction))
    encode, text = datetime_encoder(unit), "2026-11-22T10:00:00"

    assert encode(f"{text}.{fraction}{zeros}") == float(
        np.datetime64(f"{text}.{fraction}" if fraction else text, unit).astype(np.int64)
    )
    if zeros:
        assert refusal(unit, f"{text}.{fraction}{zeros[:-1]}1") == FaultCode.TOO_PRECISE


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00+00:00",
        "2026-11-22 10:00-0530",
        "2026-11-22Z",
        NAIVE.replace(tzinfo=UTC),
        pd.Timestamp(NAIVE, tz=timezone(timedelta(hours=1))),
    ],
)
def test_an_offset_is_refused(value: object) -> None:
    assert refusal("us", value) == FaultCode.HAS_OFFSET


@pytest.mark.parametrize(
    "value",
    [
        "",
        "today",
        "20261122",
        "2026-13-01",
        "2026-02-29",
        "2026-11-22T24:00:00",
        "2026-11-22T10:00:60",
        "2026-11-22T10",
        "2026-W47-7",
        "22.11.2026",
        "11/22/2026",
        "0000-01-01",
        "10000-01-01",
        "-2026-11-22",
        " 2026-11-22",
        "2026-11-22\n",
        "2026-11-22T10:00:00.",
        "2026-11-22T10:00:00,5",
        "2026-11-22T10:00:00.1234567890",
        "\u0662\u0660\u0662\u0666-11-22",
        "1795346400",
    ],
)
def test_a_string_that_is_no_moment_is_refused(value: str) -> None:
    assert refusal("us", value) == FaultCode.NOT_A_DATETIME


@pytest.mark.parametrize("value", [1795346400, 1.5, True, [], {}, np.datetime64(1, "ps"), b"2026"])
def test_what_is_no_string_and_no_moment_is_refused(value: object) -> None:
    assert refusal("us", value) == FaultCode.TYPE


@pytest.mark.parametrize(
    ("value", "code"),
    [("2262-04-12", FaultCode.TOO_LARGE), ("1677-09-21", FaultCode.TOO_SMALL)],
)
def test_what_nanoseconds_do_not_reach_is_refused(value: str, code: FaultCode) -> None:
    assert refusal("ns", value) == code
