"""The deployed monitor: what was predicted, its schedule and an alarm, and what is heard of it."""

import json
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Trained
from tests.stack.conftest import TOLD
from tests.stack.deployment import Stack
from tests.stack.issuer import Issuer
from tests.stack.monitoring import SECONDS, Watched
from tests.stack.queues import Queue
from tests.support.evidence import wait_for
from tests.support.predict_bodies import instances

pytestmark = pytest.mark.stack

ROWS: Final = 600
OUTCOMES: Final = 200
REASON: Final = "Threshold Crossed: as this test says."

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def watched(told: Stack, churn: Trained, issuer: Issuer) -> Watched:
    """Customers asked about who are all new ones, some of whom turned out; and a wrong request."""
    watched = Watched.of(told, {"Authorization": f"Bearer {issuer.token()}"})
    ids = watched.predict(instances(churn.frame.assign(tenure=1).head(ROWS)))
    answers = churn.pipeline.predict(churn.frame.head(OUTCOMES))
    told_of = [
        {"prediction_id": one, "outcome": str(label)}
        for one, label in zip(ids[:OUTCOMES], answers, strict=True)
    ]
    answer = told.ask("/feedback", {"outcomes": told_of}, watched.headers)
    assert json.loads(answer.content) == {"kept": OUTCOMES}
    assert told.ask("/predict", {"instances": "none"}, watched.headers).status == 422
    watched.become_past(ids)
    return watched


@pytest.fixture(scope="module")
def report(watched: Watched) -> Json:
    """What the run finds that the schedule starts."""
    watched.schedule("rate(1 minute)")

    def reported() -> Json | None:
        latest = watched.latest()
        return latest if latest["window"]["rows"] >= ROWS else None

    report = wait_for(reported, SECONDS, "the report of the scheduled run")
    watched.schedule(TOLD["MonitorSchedule"].strip('"'))
    wait_for(watched.logged, SECONDS, "the end of the scheduled run")
    return report


def again(report: Json) -> Json:
    """Give an event that asks for the window of a report."""
    return {"monitor": "window", "until": report["window"]["stop"]}


def test_the_scheduled_run_reports_what_drifted(watched: Watched, report: Json) -> None:
    findings = report["comparisons"][0]["findings"]

    assert report["state"] == "changed"
    changed = {one["name"]: one["state"] for one in findings["features"]}
    assert changed["tenure"] == "changed"
    page = f"reports/{report['model_id']}/{report['window']['stop']}.html"
    assert b"tenure" in watched.content(page)
    assert json.loads(watched.content(page.replace(".html", ".json"))) == report
    assert watched.content("reports/latest.html") == watched.content(page)


def test_outcomes_that_the_api_took_are_joined(watched: Watched, report: Json) -> None:
    [performance] = report["performance"]

    assert performance["labelled"] == OUTCOMES
    accuracy = performance["realised"]["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]


def test_a_message_and_an_event_tell_of_it(watched: Watched, report: Json) -> None:
    [message] = wait_for(watched.messages.heard, SECONDS, "the message")
    events = wait_for(watched.events.heard, SECONDS, "the events")

    assert message["Subject"].startswith("churn: ")
    assert "tenure" in message["Message"]
    assert report["model_id"] in message["Message"]
    [drift] = [one for one in events if one["detail-type"] == "sklambda.drift"]
    assert drift["detail"]["window"]["stop"] == report["window"]["stop"]
    assert "tenure" in {one["name"] for one in drift["detail"]["changes"]}


def test_metrics_are_counted_from_a_line_of_the_log(watched: Watched, report: Json) -> None:
    [line] = watched.logged()

    assert line["window"]["stop"] == report["window"]["stop"]
    assert line["predictions"] == report["window"]["rows"]
    assert watched.counted("drifted_features") == [line["drifted_features"], 1]
    assert line["drifted_features"] >= 1


def test_an_alarm_of_the_stack_sounds_on_what_the_run_counted(
    watched: Watched, report: Json
) -> None:
    name = watched.stack.resource("ConceptAlarm")
    assert report["performance"][0]["concept"]["alarm"] is True

    def sounding() -> Json | None:
        found = watched.stack.client("cloudwatch").describe_alarms(AlarmNames=[name])
        [alarm] = found["MetricAlarms"]
        return dict(alarm) if alarm["StateValue"] == "ALARM" else None

    assert wait_for(sounding, SECONDS, "the alarm")["Threshold"] == 0


def test_a_run_that_comes_again_changes_nothing(watched: Watched, report: Json) -> None:
    heard = [list(queue.heard()) for queue in (watched.messages, watched.events)]
    sketches = {key: watched.content(key) for key in watched.keys("sketches/")}

    answers = [watched.invoke(again(report)) for _ in range(2)]

    assert [one["told"] for one in answers] == [False, False]
    assert [queue.heard() for queue in (watched.messages, watched.events)] == heard
    assert {key: watched.content(key) for key in watched.keys("sketches/")} == sketches
    assert len(watched.logged()) == 1
    assert watched.latest()["comparisons"] == report["comparisons"]


def test_an_alarm_starts_a_diagnosis_and_only_once(watched: Watched, report: Json) -> None:
    stack, before = watched.stack, len(watched.messages.heard())
    name = stack.resource("PredictErrorsAlarm")

    stack.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason=REASON
    )

    found = wait_for(lambda: watched.latest()["diagnosis"], SECONDS, "the diagnosis")
    assert (found["alarm"], found["reason"]) == (name, REASON)
    assert any(one[0].startswith("/predict, 422 ") for one in found["failing"])
    assert found["models"][report["model_id"]] >= ROWS / 100
    heard = wait_for(lambda: watched.messages.heard()[before:], SECONDS, "the message")
    assert REASON in heard[0]["Message"]
    [event] = [one for one in watched.alarms.heard() if one["detail"]["alarmName"] == name]
    assert watched.invoke(event)["told"] is False
    assert len(watched.messages.heard()) == before + 1


def test_an_event_that_asks_for_nothing_stands_in_the_queue(watched: Watched) -> None:
    stack = watched.stack

    stack.client("lambda").invoke(
        FunctionName=stack.outputs["MonitorFunction"],
        InvocationType="Event",
        Payload=json.dumps({"asks": "for nothing"}),
    )

    failures = Queue(stack, stack.outputs["MonitorFailures"], "")
    [failed] = wait_for(failures.heard, SECONDS, "the event in the queue")
    assert '{"asks": "for nothing"}' in json.dumps(failed)


def test_the_monitor_reads_no_other_bucket_and_changes_no_capture(
    watched: Watched, report: Json
) -> None:
    s3 = watched.stack.role_client("MonitorRole", "s3")
    capture = watched.keys("captures/")[0]

    assert s3.get_object(Bucket=watched.bucket, Key=capture)["ContentLength"] > 0
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=watched.stack.outputs["Data"])
    for key in (capture, "outcomes/anything.json"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=watched.bucket, Key=key, Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=watched.bucket, Key=capture)
