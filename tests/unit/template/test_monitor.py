"""The monitor is there where there are captures, may do what it needs, and hears of alarms."""

import json
import re
from typing import Any

import pytest

from functions.monitor.notify import metric_values
from functions.monitor.settings import Settings
from tests.conftest import REPOSITORY
from tests.support.runs import empty, good, results
from tests.support.translated_template import deployed

MONITOR = {
    "ConceptAlarm",
    "Dashboard",
    "DriftAlarm",
    "FreshnessAlarm",
    "Monitor",
    "MonitorAlarmed",
    "MonitorAlarmedPermission",
    "MonitorFailures",
    "MonitorFailuresAlarm",
    "MonitorFailuresPolicy",
    "MonitorHourly",
    "MonitorHourlyRole",
    "MonitorKey",
    "MonitorLog",
    "MonitorRole",
    "MonitorTopic",
    "MonitorTopicPolicy",
    "PredictErrorsAlarm",
    "PredictLatencyAlarm",
}
OF_THE_SERVICE = {
    "BatchFailedAlarm",
    "BatchFailuresAlarm",
    "BatchMachineAlarm",
    "PredictErrorsAlarm",
    "PredictLatencyAlarm",
}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(deployed(Capture="raw", MonitorEmail="ops@example.org"))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, set()),
        ({"Feedback": "on"}, set()),
        ({"Capture": "raw", "Monitoring": "off"}, set()),
        ({"Capture": "binned"}, MONITOR),
        ({"Capture": "raw", "MonitorEmail": "ops@example.org"}, MONITOR | {"MonitorMail"}),
    ],
)
def test_the_monitor_is_there_where_there_are_captures(
    parameters: dict[str, str], expected: set[str]
) -> None:
    assert (MONITOR | {"MonitorMail"}) & deployed(**parameters).keys() == expected


def test_without_it_nothing_that_is_there_names_it() -> None:
    there = deployed()

    assert not re.search(r'"(Ref|Fn::GetAtt)": \[?"Monitor', json.dumps(there))


def test_the_schedule_names_the_time_that_it_means(resources: dict[str, Any]) -> None:
    schedule = resources["MonitorHourly"]["Properties"]

    assert json.loads(schedule["Target"]["Input"]) == {
        "monitor": "window",
        "until": "<aws.scheduler.scheduled-time>",
    }
    assert schedule["ScheduleExpression"] == "cron(20 * * * ? *)"
    assert "DeadLetterConfig" in schedule["Target"]


def test_alarms_of_the_service_start_the_monitor_when_they_sound(
    resources: dict[str, Any],
) -> None:
    rule = resources["MonitorAlarmed"]["Properties"]
    event = json.loads((REPOSITORY / "events/monitor-alarm.json").read_text())

    pattern = rule["EventPattern"]
    assert pattern["source"] == [event["source"]]
    assert pattern["detail-type"] == [event["detail-type"]]
    assert pattern["detail"]["state"]["value"] == [event["detail"]["state"]["value"]]
    assert {one["Fn::GetAtt"][0] for one in pattern["resources"]} == OF_THE_SERVICE
    assert "DeadLetterConfig" in rule["Targets"][0]


def test_whom_the_monitor_does_not_hear_the_topic_does(resources: dict[str, Any]) -> None:
    told = {
        name
        for name, one in resources.items()
        if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"].get("AlarmActions")
    }

    assert told == {"FreshnessAlarm", "MonitorFailuresAlarm"}


def test_messages_are_encrypted_with_a_key_that_alarms_may_use(resources: dict[str, Any]) -> None:
    key = resources["MonitorKey"]["Properties"]
    services = [
        one["Principal"]["Service"]
        for one in key["KeyPolicy"]["Statement"]
        if "Service" in one["Principal"]
    ]

    assert resources["MonitorTopic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "MonitorKey"}
    assert services == ["cloudwatch.amazonaws.com"]
    assert key["EnableKeyRotation"] is True


def statements(resources: dict[str, Any]) -> dict[str, Any]:
    policies = resources["MonitorRole"]["Properties"]["Policies"]
    own = [one["PolicyDocument"] for one in policies if "DeadLetter" not in one["PolicyName"]]
    return {one["Sid"]: one for policy in own for one in policy["Statement"]}


def test_it_may_write_what_it_found_and_touches_no_capture(resources: dict[str, Any]) -> None:
    found = statements(resources)

    written = json.dumps([found["KeepWhatWasFound"], found["LetAnotherAttemptTell"]])
    for folder in ("captures", "outcomes", "failed"):
        assert folder not in written
    assert all(
        folder in json.dumps(found["KeepWhatWasFound"])
        for folder in ("sketches/*", "answers/*", "reports/*", "state/*")
    )


def test_only_of_metrics_it_may_read_all(resources: dict[str, Any]) -> None:
    everything = {sid for sid, one in statements(resources).items() if one["Resource"] == "*"}

    assert everything == {"ReadMetrics"}


def test_its_events_are_its_own(resources: dict[str, Any]) -> None:
    condition = statements(resources)["TellPrograms"]["Condition"]

    assert condition == {"ForAllValues:StringEquals": {"events:source": "sklambda.monitor"}}


def test_its_variables_are_settings_that_make_sense(resources: dict[str, Any]) -> None:
    variables = resources["Monitor"]["Properties"]["Environment"]["Variables"]
    plain = {name: v if isinstance(v, str) else f"arn:{name}" for name, v in variables.items()}
    plain["MONITOR_STORE"] = plain["MONITOR_STORE"].replace("${Records}", "records")

    settings = Settings.from_environment(plain)

    assert settings.monitor_bus == "default"
    assert len(settings.monitor_logs) >= 1


def test_alarms_and_dashboard_show_metrics_that_there_are(resources: dict[str, Any]) -> None:
    there = metric_values(results(performance=[good()])) | metric_values(empty())
    body = json.loads(_body(resources))
    shown = {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if len(metric) > 1
    }
    watched = {
        resources[name]["Properties"]["MetricName"]
        for name in ("DriftAlarm", "ConceptAlarm", "FreshnessAlarm")
    }

    assert shown | watched <= set(there)
    assert "SEARCH" in json.dumps(body)


def _body(resources: dict[str, Any]) -> str:
    body = resources["Dashboard"]["Properties"]["DashboardBody"]
    return str(body if isinstance(body, str) else body["Fn::Sub"])


def test_every_alarm_is_on_the_dashboard(resources: dict[str, Any]) -> None:
    alarms = {n for n, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    [widget] = [one for one in json.loads(_body(resources))["widgets"] if one["type"] == "alarm"]

    assert {arn.strip("${}").removesuffix(".Arn") for arn in widget["properties"]["alarms"]} == (
        alarms
    )
