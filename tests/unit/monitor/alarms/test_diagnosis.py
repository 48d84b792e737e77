"""Alarms are diagnosed from the log lines of requests."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.monitor.alarms.diagnosis import LogLines, diagnose, read_deployment, read_log_lines
from functions.monitor.events import Alarm
from functions.monitor.state import Deployment
from tests.conftest import Trained
from tests.support.observed import observe

AT = datetime(2026, 11, 22, 10, 23, 40, tzinfo=UTC)
ALARM = Alarm("id", "errors", "too many", AT - timedelta(hours=1))


def line(minutes: float = 1, **members: Any) -> dict[str, Any]:
    """Return the log line of a request some minutes before the alarm."""
    stamp = int((AT - timedelta(minutes=minutes)).timestamp() * 1000)
    plain = {"kind": "request", "route": "/predict", "status": 200, "latency": 2.0}
    return {"_aws": {"Timestamp": stamp}, **plain, "package": "aaaa"} | members


def failed(**members: Any) -> dict[str, Any]:
    failing = line(status=500, problem="internal-error", latency=9.0, **members)
    return {name: value for name, value in failing.items() if name != "package"}


class Logs:
    """Logs with one line a page, between texts that are no lines of requests."""

    def __init__(self, **groups: list[dict[str, Any]]) -> None:
        self._groups, self.calls = groups, list[dict[str, Any]]()

    def filter_log_events(self, **parameters: Any) -> Any:
        self.calls.append(parameters)
        lines, page = (
            self._groups[parameters["logGroupName"]],
            int(parameters.get("nextToken", "0")),
        )
        texts = ["REPORT RequestId", "[1]", *map(json.dumps, lines[page : page + 1])]
        more = {"nextToken": str(page + 1)} if len(lines) > page + 1 else {}
        return {"events": [{"message": text} for text in texts]} | more


def test_lines_of_all_groups_are_read_in_their_order() -> None:
    logs = Logs(predict=[line(3), line(1)], batch=[line(2, kind="batch")])

    log = read_log_lines(logs, ("predict", "batch"), AT)

    assert [one["kind"] for one in log.lines] == ["request", "batch", "request"]
    assert log.is_complete
    call = logs.calls[0]
    assert call["endTime"] - call["startTime"] == 3_600_000
    assert "request" in call["filterPattern"]


def test_of_very_many_lines_the_first_are_read_and_the_diagnosis_states_it() -> None:
    logs = Logs(predict=[line() for _ in range(80)])

    log = read_log_lines(logs, ("predict",), AT)

    assert len(log.lines) == 50
    assert not log.is_complete
    assert diagnose(ALARM, log).changes[-1] == "Only the first 50 pages of log lines were read."


def test_failing_requests_are_ranked_with_their_share() -> None:
    lines = [*(line() for _ in range(6)), *(failed() for _ in range(3))]
    lines += [line(status=422, problem="invalid-rows"), line(route="/model", status=404)]

    found = diagnose(ALARM, LogLines(lines))

    assert found.failing == [
        ("/predict, 500 internal-error", 3, 0.3),
        ("/predict, 422 invalid-rows", 1, 0.1),
        ("/model, 404", 1, 1.0),
    ]


def test_slow_requests_are_ranked_by_their_99th_percentile() -> None:
    lines = [line(latency=float(n)) for n in range(1, 201)] + [failed()]

    found = diagnose(ALARM, LogLines(lines))

    assert found.slowest == [
        ("/predict, 200", 200, 198.0),
        ("/predict, 500 internal-error", 1, 9.0),
    ]


def test_jobs_fail_too() -> None:
    jobs = [line(kind="batch", model_id="aaaa", reason=reason) for reason in (None, "too_many")]

    found = diagnose(ALARM, LogLines(jobs))

    assert found.failing == [("batch, too_many", 1, 0.5)]
    assert found.slowest == []


def test_packages_are_counted_and_a_new_one_is_a_change() -> None:
    lines = [line(30), line(20), line(10, package="bbbb")]

    found = diagnose(ALARM, LogLines(lines))

    assert found.models == {"aaaa": 2, "bbbb": 1}
    assert found.changes == ["Package bbbb has been serving since 2026-11-22T10:13:40Z."]


def version(number: int, hours: float, **settings: str) -> Deployment:
    modified = (AT - timedelta(hours=hours)).isoformat()
    return Deployment(version=str(number), modified=modified, settings=settings)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([version(3, 90)], []),
        ([version(3, 90), version(4, 50)], []),
        (
            [version(3, 90, A="x", B="y"), version(4, 0.5, A="x", B="z", C="c")],
            [
                "Version 4 of the function was published at 2026-11-22T09:53:40+00:00, "
                "after version 3; changed settings: B, C."
            ],
        ),
    ],
)
def test_a_deployment_since_the_previous_state_is_a_change(
    versions: Sequence[Deployment], expected: list[str]
) -> None:
    assert diagnose(ALARM, LogLines([]), versions).changes == expected


def test_no_value_of_a_setting_is_stored() -> None:
    class Functions:
        def get_function_configuration(self, **parameters: Any) -> Any:
            assert parameters == {"FunctionName": "predict", "Qualifier": "live"}
            return {
                "Version": "7",
                "LastModified": "2026-11-22T09:50:00.000+0000",
                "MemorySize": 1769,
                "Environment": {"Variables": {"CAPTURE": "raw-values"}},
            }

    found = read_deployment(Functions(), "predict")

    assert found.version == "7"
    assert found.settings.keys() == {"CAPTURE", "memory"}
    assert "raw-values" not in repr(found)
    assert datetime.fromisoformat(found.modified).tzinfo is not None


def test_the_services_own_lines_are_read(churn: Trained) -> None:
    observed = observe(churn.package, metrics_namespace="stack")
    observed.client.post("/predict", content=b"{")
    observed.client.get("/nowhere")

    found = diagnose(ALARM, LogLines(observed.lines("request")))

    assert [count for _, count, _ in found.failing] == [1, 1]
    assert found.failing[0][0].startswith("/predict, 400 ")
    assert found.failing[1][0].startswith("an unknown path, 404")
