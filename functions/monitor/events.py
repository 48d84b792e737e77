"""What an event asks of the monitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sklambda.errors import SklambdaError

_AHEAD: Final = timedelta(minutes=5)
"""How far the clock of whoever asks may be ahead."""


class EventRefused(SklambdaError):
    """An event asks for nothing that there is."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that sounds.

    Attributes
    ----------
    id : str
        The event's: one that comes twice has the same.
    name, reason : str
        What CloudWatch calls it, and says of it.
    silent_since : datetime
        When it fell silent before.
    """

    id: str
    name: str
    reason: str
    silent_since: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """A run that is asked for.

    Attributes
    ----------
    at : datetime
        As of when; the window ends with the last whole hour before.
    alarm : Alarm or None
        Why.
    """

    at: datetime
    alarm: Alarm | None = None

    @property
    def until(self) -> datetime:
        """Where the window ends."""
        return self.at.replace(minute=0, second=0, microsecond=0)


def read(event: Mapping[str, Any], now: datetime) -> Look | None:
    """Read an event: the schedule's or a caller's own, or CloudWatch's of an alarm.

    Returns
    -------
    Look or None
        None of an alarm that does not sound.

    Raises
    ------
    EventRefused
        It is neither.
    """
    if event.get("monitor") == "window":
        at = _time(event["until"]) if "until" in event else now
        if at > now + _AHEAD:
            raise EventRefused("until must not lie ahead")
        return Look(at)
    if event.get("detail-type") != "CloudWatch Alarm State Change":
        raise EventRefused('asks neither {"monitor": "window"} nor tells of an alarm')
    try:
        return _of_an_alarm(event)
    except KeyError as error:
        raise EventRefused(f"the event has no {error.args[0]}") from None


def _of_an_alarm(event: Mapping[str, Any]) -> Look | None:
    at, detail = _time(event["time"]), event["detail"]
    if detail["state"]["value"] != "ALARM":
        return None
    before = detail.get("previousState", {}).get("timestamp")
    alarm = Alarm(
        id=event["id"],
        name=detail["alarmName"],
        reason=detail["state"].get("reason", ""),
        silent_since=_time(before) if before else at,
    )
    return Look(at, alarm)


def _time(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise EventRefused("a time must be ISO 8601, as 2026-11-22T10:00:00Z") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
