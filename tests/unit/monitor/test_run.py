"""A run writes its report each time it comes, and tells what is new once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.monitor.alarms.diagnosis import Lines
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.verdict import Verdict
from functions.monitor.events import Alarm, Look
from functions.monitor.notify.messages import Happening, Message
from functions.monitor.performance.measure import Performance
from functions.monitor.results import Results, Window
from functions.monitor.run import Monitor, Outside
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
    """What a run finds, and all that it has told."""

    folder: Path
    features: list[Verdict] = field(default_factory=list)
    performance: list[Performance] = field(default_factory=lambda: [good()])
    messages: list[Message] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)
    counted: list[Results] = field(default_factory=list)
    fail: Callable[[], None] = lambda: None

    def run(self, at: datetime = NOON, alarm: Alarm | None = None) -> dict[str, object]:
        """Run the monitor."""
        monitor = Monitor(self.records, MODEL, RetrainingPolicy(windows=1), self.outside)
        return monitor.run(Look(at, alarm))

    @property
    def records(self) -> Directory:
        return Directory(self.folder)

    @property
    def outside(self) -> Outside:
        return Outside(
            judge=self.judge,
            traffic=lambda window, at: Traffic(requests=9),
            lines=lambda until: Lines([]),
            deployment=lambda: DEPLOYED,
            send=self.send,
            publish=self.events.extend,
            count=self.counted.append,
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
    answer = world.run()

    assert answer["report"] == f"reports/{MODEL}/2026-11-22T12:00:00+00:00.html"
    assert (world.folder / str(answer["report"])).read_text().startswith("<!")
    assert (
        world.report()["traffic"]
        == world.report(f"{MODEL}/2026-11-22T12:00:00+00:00.json")["traffic"]
    )
    assert (world.folder / "reports/latest.html").exists()


def test_where_all_is_well_nobody_is_told(world: World) -> None:
    world.run()

    assert (world.messages, world.events) == ([], [])
    assert len(world.counted) == 1


def test_what_is_new_is_told_with_its_evidence(world: World) -> None:
    world.features = [verdict("tenure")]

    world.run()

    [message], [event] = world.messages, world.events
    assert "tenure" in message.text
    assert f"at reports/{MODEL}" in message.text
    assert (event.name, event.evidence["report"][:3]) == ("sklambda.drift", "at ")


def test_an_event_that_comes_twice_changes_nothing(world: World) -> None:
    world.features, world.performance = [verdict("tenure")], [good(concept=CONCEPT)]
    first = world.run()
    kept = {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}

    second = world.run()

    assert (first["told"], second["told"]) == (True, False)
    assert [len(told) for told in (world.messages, world.events, world.counted)] == [1, 3, 1]
    assert {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()} == kept


def test_what_was_told_is_not_told_again_by_the_next_window(world: World) -> None:
    world.features = [verdict("tenure")]

    for hours in range(3):
        world.run(NOON + hours * HOUR)

    assert (len(world.messages), len(world.events), len(world.counted)) == (1, 1, 3)


def test_what_comes_and_goes_is_told_once(world: World) -> None:
    for hours, features in enumerate(["ab", "b", "ab", "abc"]):
        world.features = [verdict(name) for name in features]
        world.run(NOON + hours * HOUR)

    assert len(world.messages) == 2
    assert [one.evidence["changes"][-1]["name"] for one in world.events] == ["b", "c"]


def test_what_comes_again_after_days_is_told_again_although_it_never_was_well(
    world: World,
) -> None:
    world.performance = [good(concept=CONCEPT)]
    for days, features in enumerate([[verdict("a")], *[[]] * 4, [verdict("a")]]):
        world.features = features
        world.run(NOON + days * DAY)

    assert [one.name for one in world.events].count("sklambda.drift") == 2


def test_that_all_is_well_again_is_told_and_what_follows_is_new(world: World) -> None:
    for hours, features in enumerate([[verdict("a")], [], [verdict("a")]]):
        world.features = features
        world.run(NOON + hours * HOUR)

    assert ["over" in one.text.splitlines()[0] for one in world.messages] == [False, True, False]


def test_a_window_that_is_past_is_judged_and_nobody_is_told(world: World) -> None:
    world.run()
    latest = (world.folder / "reports/latest.json").read_bytes()
    world.features = [verdict("tenure")]

    answer = world.run(NOON - 2 * HOUR)

    assert answer["told"] is False
    assert world.messages == []
    assert world.report(f"{MODEL}/2026-11-22T10:00:00+00:00.json")["state"] == "changed"
    assert (world.folder / "reports/latest.json").read_bytes() == latest


def test_retraining_is_asked_for_once_in_its_time(world: World) -> None:
    world.performance = [good(concept=CONCEPT)]

    answers = [world.run(NOON + hours * HOUR) for hours in (0, 1, 200)]

    assert [bool(one["retrain"]) for one in answers] == [True, False, True]
    assert [bool(one["held"]) for one in answers] == [False, True, False]
    assert [one.name for one in world.events].count("sklambda.retrain") == 2
    assert world.report()["retrain"] == ["concept drift in Churn"]


def test_drift_alone_does_not_ask_for_it(world: World) -> None:
    world.features = [verdict("tenure"), verdict("Contract")]

    for hours in range(0, 96, 24):
        assert world.run(NOON + hours * HOUR)["retrain"] == []


def test_what_failed_is_told_by_the_next_attempt(world: World) -> None:
    world.features = [verdict("tenure")]

    def refuse() -> None:
        raise OSError("no network")

    world.fail = refuse
    with pytest.raises(OSError, match="no network"):
        world.run()
    world.fail = lambda: None
    answer = world.run()

    assert answer["told"] is True
    assert len(world.messages) == 1
    assert State.read(world.records, MODEL).told.keys() == {"drift: tenure: distribution"}


def test_an_alarm_is_explained_in_the_report_of_its_window_and_told_once(world: World) -> None:
    world.run()

    answers = [world.run(alarm=ALARM) for _ in range(2)]

    assert [one["told"] for one in answers] == [True, False]
    [message] = world.messages
    assert message.subject.startswith("churn: alarm errors")
    found = world.report()["diagnosis"]
    assert isinstance(found, dict)
    assert (found["alarm"], found["reason"]) == ("errors", "too many")


def test_an_alarm_keeps_the_windows_own_run_from_nothing(world: World) -> None:
    world.features = [verdict("tenure")]
    world.run(alarm=ALARM)

    answer = world.run()

    assert answer["told"] is True
    assert [("alarm" in one.subject) for one in world.messages] == [True, False]
    found = world.report()["diagnosis"]
    assert isinstance(found, dict)
    assert found["alarm"] == "errors"


def test_versions_are_remembered(world: World) -> None:
    world.run()

    assert State.read(world.records, MODEL).deployments == (DEPLOYED,)
