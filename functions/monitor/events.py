"""The events that start the monitor: the schedule, a caller's own, or a CloudWatch alarm."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sklambda.errors import SklambdaError

_MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the caller's clock may be ahead."""


class EventRefused(SklambdaError):
    """Unknown or invalid event."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm that went into ALARM.

    Attributes
    ----------
    id : str
        The id of the event; a repeated event has the same.
    name, reason : str
        The name of the alarm, and the reason that CloudWatch states.
    previous_since : datetime
        When the alarm went into its previous state.
    """

    id: str
    name: str
    reason: str
    previous_since: datetime


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A request for a run of the monitor.

    Attributes
    ----------
    at : datetime
        The moment of the run; the window ends with the last whole hour before.
    alarm : Alarm or None
        The alarm to explain.
    """

    at: datetime
    alarm: Alarm | None = None

    @property
    def until(self) -> datetime:
        """The end of the window."""
        return self.at.replace(minute=0, second=0, microsecond=0)


def read(event: Mapping[str, Any], now: datetime) -> RunRequest | None:
    """Read an event.

    Returns
    -------
    RunRequest or None
        None if an alarm went into another state than ALARM.

    Raises
    ------
    EventRefused
        The event is unknown or invalid.
    """
    if event.get("monitor") == "window":
        at = _time(event["until"]) if "until" in event else now
        if at > now + _MAX_CLOCK_SKEW:
            raise EventRefused("until must not be in the future")
        return RunRequest(at)
    if event.get("detail-type") != "CloudWatch Alarm State Change":
        raise EventRefused(
            'unsupported event: expected {"monitor": "window"} or a CloudWatch alarm state change'
        )
    try:
        return _alarm_request(event)
    except KeyError as error:
        raise EventRefused(f"the event of an alarm must have {error.args[0]}") from None


def _alarm_request(event: Mapping[str, Any]) -> RunRequest | None:
    at, detail = _time(event["time"]), event["detail"]
    if detail["state"]["value"] != "ALARM":
        return None
    previous = detail.get("previousState", {}).get("timestamp")
    alarm = Alarm(
        id=event["id"],
        name=detail["alarmName"],
        reason=detail["state"].get("reason", ""),
        previous_since=_time(previous) if previous else at,
    )
    return RunRequest(at, alarm)


def _time(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        raise EventRefused("a time must be ISO 8601, such as 2026-11-22T10:00:00Z") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
