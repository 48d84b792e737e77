"""A run writes its report each time, and notifies of new findings once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.monitor.alarms.diagnosis import LogLines
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.verdict import Verdict
from functions.monitor.events import Alarm, RunRequest
from functions.monitor.notify import Event, Message
from functions.monitor.performance.measure import Performance
from functions.monitor.results import Results, Window
from functions.monitor.run import Monitor, Ports
from functions.monitor.state import Deployment, State
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Directory
from tests.support.runs import CONCEPT, MODEL, good, results, verdict

NOON = datetime(2026, 11, 22, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALARM = Alarm("e-1", "errors", "too many", NOON - DAY)
DEPLOYED = Deployment(version="3", modified="2026-11-22T11:00:00Z", settings={})


@dataclass
class World:
    """The inputs of a run, and its outputs."""

    folder: Path
    features: list[Verdict] = field(default_factory=list)
    performance: list[Performance] = field(default_factory=lambda: [good()])
    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    measured: list[Results] = field(default_factory=list)
    fail: Callable[[], None] = lambda: None

    def run(self, at: datetime = NOON, alarm: Alarm | None = None) -> dict[str, object]:
        """Run the monitor."""
        monitor = Monitor(self.storage, MODEL, RetrainingPolicy(windows=1), self.ports)
        return monitor.run(RunRequest(at, alarm))

    @property
    def storage(self) -> Directory:
        return Directory(self.folder)

    @property
    def ports(self) -> Ports:
        return Ports(
            judge=self.judge,
            traffic=lambda window, at: Traffic(requests=9),
            log_lines=lambda until: LogLines([]),
            deployment=lambda: DEPLOYED,
            send=self.send,
            publish=self.events.extend,
            write_metrics=self.measured.append,
            address=lambda key: f"at {key}",
        )

    def judge(self, until: datetime, at: datetime) -> Results:
        window = Window((until - DAY).isoformat(), until.isoformat(), 900, 24)
        found = results(*self.features, window=window, made=at.isoformat())
        return replace(found, performance=self.performance)

    def send(self, message: Message) -> None:
        self.fail()
        self.messages.append(message)

    def report(self, name: str = "latest.json") -> dict[str, object]:
        content: dict[str, object] = json.loads((self.folder / "reports" / name).read_text())
        return content


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_run_leaves_its_report_and_the_latest(world: World) -> None:
    response = world.run()

    assert response["report"] == f"reports/{MODEL}/2026-11-22T12:00:00+00:00.html"
    assert (world.folder / str(response["report"])).read_text().startswith("<!")
    assert (
        world.report()["traffic"]
        == world.report(f"{MODEL}/2026-11-22T12:00:00+00:00.json")["traffic"]
    )
    assert (world.folder / "reports/latest.html").exists()


def test_a_healthy_run_sends_nothing(world: World) -> None:
    world.run()

    assert (world.messages, world.events) == ([], [])
    assert len(world.measured) == 1


def test_a_new_finding_is_sent_with_its_report(world: World) -> None:
    world.features = [verdict("tenure")]

    world.run()

    [message], [event] = world.messages, world.events
    assert "tenure" in message.text
    assert f"at reports/{MODEL}" in message.text
    assert (event.name, event.detail["report"][:3]) == ("sklambda.drift", "at ")


def test_a_repeated_event_changes_nothing(world: World) -> None:
    world.features, world.performance = [verdict("tenure")], [good(concept=CONCEPT)]
    first = world.run()
    files = {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}

    second = world.run()

    assert (first["told"], second["told"]) == (True, False)
    assert [len(sent) for sent in (world.messages, world.events, world.measured)] == [1, 3, 1]
    assert {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()} == files


def test_a_reported_finding_is_not_sent_again_by_the_next_window(world: World) -> None:
    world.features = [verdict("tenure")]

    for hours in range(3):
        world.run(NOON + hours * HOUR)

    assert (len(world.messages), len(world.events), len(world.measured)) == (1, 1, 3)


def test_a_finding_that_comes_and_goes_is_sent_once(world: World) -> None:
    for hours, features in enumerate(["ab", "b", "ab", "abc"]):
        world.features = [verdict(name) for name in features]
        world.run(NOON + hours * HOUR)

    assert len(world.messages) == 2
    assert [one.detail["changes"][-1]["name"] for one in world.events] == ["b", "c"]


def test_a_finding_that_returns_after_days_is_sent_again(world: World) -> None:
    world.performance = [good(concept=CONCEPT)]
    for days, features in enumerate([[verdict("a")], *[[]] * 4, [verdict("a")]]):
        world.features = features
        world.run(NOON + days * DAY)

    assert [one.name for one in world.events].count("sklambda.drift") == 2


def test_a_recovery_is_sent_and_later_findings_are_new(world: World) -> None:
    for hours, features in enumerate([[verdict("a")], [], [verdict("a")]]):
        world.features = features
        world.run(NOON + hours * HOUR)

    assert ["resolved" in one.text.splitlines()[0] for one in world.messages] == [
        False,
        True,
        False,
    ]


def test_a_past_window_is_judged_and_nothing_is_sent(world: World) -> None:
    world.run()
    latest = (world.folder / "reports/latest.json").read_bytes()
    world.features = [verdict("tenure")]

    response = world.run(NOON - 2 * HOUR)

    assert response["told"] is False
    assert world.messages == []
    assert world.report(f"{MODEL}/2026-11-22T10:00:00+00:00.json")["state"] == "changed"
    assert (world.folder / "reports/latest.json").read_bytes() == latest


def test_retraining_is_requested_once_in_the_cooldown(world: World) -> None:
    world.performance = [good(concept=CONCEPT)]

    responses = [world.run(NOON + hours * HOUR) for hours in (0, 1, 200)]

    assert [bool(one["retrain"]) for one in responses] == [True, False, True]
    assert [bool(one["held"]) for one in responses] == [False, True, False]
    assert [one.name for one in world.events].count("sklambda.retrain") == 2
    assert world.report()["retrain"] == ["concept drift in Churn"]


def test_drift_alone_requests_no_retraining(world: World) -> None:
    world.features = [verdict("tenure"), verdict("Contract")]

    for hours in range(0, 96, 24):
        assert world.run(NOON + hours * HOUR)["retrain"] == []


def test_a_failed_message_is_sent_by_the_next_attempt(world: World) -> None:
    world.features = [verdict("tenure")]

    def refuse() -> None:
        raise OSError("no network")

    world.fail = refuse
    with pytest.raises(OSError, match="no network"):
        world.run()
    world.fail = lambda: None
    response = world.run()

    assert response["told"] is True
    assert len(world.messages) == 1
    assert State.read(world.storage, MODEL).told.keys() == {"drift: tenure: distribution"}


def test_an_alarm_is_explained_in_the_report_of_its_window_and_sent_once(world: World) -> None:
    world.run()

    responses = [world.run(alarm=ALARM) for _ in range(2)]

    assert [one["told"] for one in responses] == [True, False]
    [message] = world.messages
    assert message.subject.startswith("churn: alarm errors")
    found = world.report()["diagnosis"]
    assert isinstance(found, dict)
    assert (found["alarm"], found["reason"]) == ("errors", "too many")


def test_an_alarm_does_not_replace_the_run_of_its_window(world: World) -> None:
    world.features = [verdict("tenure")]
    world.run(alarm=ALARM)

    response = world.run()

    assert response["told"] is True
    assert [("alarm" in one.subject) for one in world.messages] == [True, False]
    found = world.report()["diagnosis"]
    assert isinstance(found, dict)
    assert found["alarm"] == "errors"


def test_versions_are_stored(world: World) -> None:
    world.run()

    assert State.read(world.storage, MODEL).deployments == (DEPLOYED,)
