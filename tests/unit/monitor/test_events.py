"""Events are read as AWS sends them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.monitor.events import EventRefused, RunRequest, read
from tests.conftest import REPOSITORY

NOW = datetime(2026, 11, 22, 10, 24, 5, tzinfo=UTC)


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPOSITORY / name).read_text())
    return found


def alarm() -> dict[str, Any]:
    return event("events/monitor-alarm.json")


def test_the_schedule_names_the_time_and_the_window_ends_with_the_hour() -> None:
    request = read(event("events/monitor-window.json"), NOW)

    assert request == RunRequest(datetime(2026, 11, 22, 10, 20, tzinfo=UTC))
    assert request.until == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_the_default_time_is_now() -> None:
    assert read({"monitor": "window"}, NOW) == RunRequest(NOW)


@pytest.mark.parametrize("text", ["2026-11-22T11:20:00+01:00", "2026-11-22T10:20:00"])
def test_a_time_without_an_offset_is_utc(text: str) -> None:
    request = read({"monitor": "window", "until": text}, NOW)

    assert request is not None
    assert request.until.isoformat() == "2026-11-22T10:00:00+00:00"


def test_an_alarm_has_its_name_reason_and_previous_time() -> None:
    request = read(alarm(), NOW)

    assert request is not None
    assert request.at == datetime(2026, 11, 22, 10, 23, 40, tzinfo=UTC)
    assert request.alarm is not None
    assert request.alarm.name == "sklambda-PredictErrorsAlarm-1ABC2DEF3GHI"
    assert request.alarm.reason.startswith("Threshold Crossed")
    assert request.alarm.previous_since.hour == 9


def test_an_alarm_in_another_state_starts_no_run() -> None:
    ended = alarm()
    ended["detail"]["state"]["value"] = "OK"

    assert read(ended, NOW) is None


@pytest.mark.parametrize(
    ("invalid", "match"),
    [
        ({}, "unsupported event"),
        ({"monitor": "everything"}, "unsupported event"),
        ({"monitor": "window", "until": "yesterday"}, "ISO 8601"),
        ({"monitor": "window", "until": (NOW + timedelta(hours=1)).isoformat()}, "in the future"),
        ({"detail-type": "CloudWatch Alarm State Change"}, "must have time"),
    ],
)
def test_anything_else_is_refused(invalid: dict[str, Any], match: str) -> None:
    with pytest.raises(EventRefused, match=match):
        read(invalid, NOW)
