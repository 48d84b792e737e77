"""Events are read as AWS sends them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.monitor.events import EventRefused, Look, read
from tests.conftest import REPOSITORY

NOW = datetime(2026, 11, 22, 10, 24, 5, tzinfo=UTC)


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPOSITORY / name).read_text())
    return found


def alarm() -> dict[str, Any]:
    return event("events/monitor-alarm.json")


def test_the_schedule_names_the_time_and_the_window_ends_with_the_hour() -> None:
    look = read(event("events/monitor-window.json"), NOW)

    assert look == Look(datetime(2026, 11, 22, 10, 20, tzinfo=UTC))
    assert look.until == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_without_a_time_it_is_now() -> None:
    assert read({"monitor": "window"}, NOW) == Look(NOW)


@pytest.mark.parametrize("text", ["2026-11-22T11:20:00+01:00", "2026-11-22T10:20:00"])
def test_a_time_is_meant_in_utc_unless_it_says_otherwise(text: str) -> None:
    look = read({"monitor": "window", "until": text}, NOW)

    assert look is not None
    assert look.until.isoformat() == "2026-11-22T10:00:00+00:00"


def test_an_alarm_says_what_it_is_and_since_when() -> None:
    look = read(alarm(), NOW)

    assert look is not None
    assert look.at == datetime(2026, 11, 22, 10, 23, 40, tzinfo=UTC)
    assert look.alarm is not None
    assert look.alarm.name == "sklambda-PredictErrorsAlarm-1ABC2DEF3GHI"
    assert look.alarm.reason.startswith("Threshold Crossed")
    assert look.alarm.silent_since.hour == 9


def test_an_alarm_that_does_not_sound_asks_for_nothing() -> None:
    told = alarm()
    told["detail"]["state"]["value"] = "OK"

    assert read(told, NOW) is None


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({}, "asks neither"),
        ({"monitor": "everything"}, "asks neither"),
        ({"monitor": "window", "until": "yesterday"}, "ISO 8601"),
        ({"monitor": "window", "until": (NOW + timedelta(hours=1)).isoformat()}, "lie ahead"),
        ({"detail-type": "CloudWatch Alarm State Change"}, "has no time"),
    ],
)
def test_anything_else_is_refused(asked: dict[str, Any], match: str) -> None:
    with pytest.raises(EventRefused, match=match):
        read(asked, NOW)
