"""Batch in the template: its triggers, state machine, policies and alarms."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.batch import steps
from functions.batch.jobs.job import INBOX, WORK
from functions.batch.jobs.options import Options
from functions.batch.settings import VARIABLES, Settings
from sklambda import errors
from tests.conftest import REPOSITORY
from tests.support.lambda_containers import tool
from tests.support.translated_template import Json, deployed, translated

NEVER_AGAIN = {errors.ObjectReplaced, errors.InputRefused, steps.ModelChanged, steps.JobOver}
NEVER_IN_STEPS = {errors.ObjectReplaced, steps.ModelChanged, steps.JobOver}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:batch"


@pytest.fixture(scope="module")
def resources() -> Json:
    return deployed()


@pytest.fixture
def machine() -> Json:
    definition: Json = json.loads((REPOSITORY / "functions/batch/machine.asl.json").read_text())
    return definition


def every_state(definition: Json) -> Iterator[tuple[str, Json]]:
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from every_state(state["ItemProcessor"])


def tasks(definition: Json) -> dict[str, Json]:
    return {name: one for name, one in every_state(definition) if one["Type"] == "Task"}


def faults(definition: Json, folder: Path) -> list[str]:
    """Lint a definition in a template of its own, for cfn-lint follows no reference to a file."""
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/machine",
        "Definition": definition,
        "DefinitionSubstitutions": {"Batch": ARN},
    }
    wrapped = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    path = folder / "template.json"
    path.write_text(json.dumps({"Resources": {"Machine": wrapped}}))
    command = [tool(".venv-deploy", "cfn-lint"), "--format", "json", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return [fault["Message"] for fault in json.loads(run.stdout or "[]")]


def test_the_state_machine_is_what_cloudformation_takes(machine: Json, tmp_path: Path) -> None:
    assert faults(machine, tmp_path) == []


def test_a_state_machine_that_is_not_is_noticed(machine: Json, tmp_path: Path) -> None:
    del machine["States"]["Score"]["ItemProcessor"]

    assert faults(machine, tmp_path) != []


def test_each_state_is_led_to_and_leads_to_one_that_there_is(machine: Json) -> None:
    states = machine["States"]
    led_to = {machine["StartAt"]}
    for state in states.values():
        choices = state.get("Choices", [])
        led_to |= {one["Next"] for one in [state, *choices] if "Next" in one}
        led_to |= {state["Default"]} if "Default" in state else set()

    assert led_to == states.keys()


def test_what_cannot_be_mended_by_trying_again_is_not_tried_again(machine: Json) -> None:
    refused = {name: set(one["Retry"][0]["ErrorEquals"]) for name, one in tasks(machine).items()}

    assert refused.pop("Part") == {error.__name__ for error in NEVER_AGAIN}
    assert all(one == {error.__name__ for error in NEVER_IN_STEPS} for one in refused.values())
    assert all(one["Retry"][0]["MaxAttempts"] == 0 for one in tasks(machine).values())


def test_everything_else_is_tried_again_with_full_jitter(machine: Json) -> None:
    for task in tasks(machine).values():
        _, throttled, rest = task["Retry"]
        assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
        assert rest["ErrorEquals"] == ["States.ALL"]
        assert throttled["JitterStrategy"] == rest["JitterStrategy"] == "FULL"
        assert throttled["MaxAttempts"] > rest["MaxAttempts"] == 5


def test_the_map_gives_up_on_few_parts_and_keeps_nothing_of_what_they_answer(
    machine: Json,
) -> None:
    mapped = machine["States"]["Score"]
    [part] = mapped["ItemProcessor"]["States"].values()

    assert mapped["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert mapped["ToleratedFailurePercentage"] == 5
    # Ten thousand answers would not fit into the 256 KB of a state.
    assert (part["ResultSelector"], mapped["ResultPath"]) == ({}, None)


def test_each_step_names_the_job_of_the_execution(machine: Json) -> None:
    payloads = [task["Parameters"].get("Payload") for task in tasks(machine).values()]
    selected = machine["States"]["Score"]["ItemSelector"]

    payloads = [one for one in payloads if one] + [selected]
    assert {one["step"] for one in payloads} == {"plan", "part", "assemble"}
    assert {one["job.$"] for one in payloads} == {"$.job"}


def test_only_what_is_dropped_in_the_inbox_starts_a_job(resources: Json) -> None:
    pattern = resources["BatchDropped"]["Properties"]["EventPattern"]

    assert pattern["source"] == ["aws.s3"]
    assert pattern["detail-type"] == ["Object Created"]
    assert pattern["detail"]["object"]["key"] == [{"prefix": INBOX}]


@pytest.mark.parametrize(
    ("schedule", "state"), [("cron(0 2 * * ? *)", "ENABLED"), ("", "DISABLED")]
)
def test_the_inbox_is_swept_when_a_parameter_says_so(schedule: str, state: str) -> None:
    sweep = deployed(BatchSchedule=schedule)["BatchSweep"]["Properties"]

    assert sweep["State"] == state
    assert json.loads(sweep["Target"]["Input"]) == {"sweep": INBOX}
    assert sweep["Target"]["Input"] == (REPOSITORY / "events/batch-scheduled.json").read_text()[:-1]


def statements(resources: Json, role: str) -> list[Json]:
    policies = resources[role]["Properties"]["Policies"]
    return [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]


def test_the_function_never_writes_where_files_are_dropped(resources: Json) -> None:
    [denied] = [one for one in statements(resources, "BatchRole") if one["Effect"] == "Deny"]

    assert denied["Resource"] == f"${{Data.Arn}}/{INBOX}*"
    assert set(denied["Action"]) == {"s3:PutObject", "s3:DeleteObject"}


def test_the_function_removes_nothing_but_its_own_work(resources: Json) -> None:
    allowed = [one for one in statements(resources, "BatchRole") if one["Effect"] == "Allow"]

    [removes] = [one for one in allowed if "s3:DeleteObject" in one["Action"]]
    assert removes["Resource"] == f"${{Data.Arn}}/{WORK}*"
    assert all(one["Resource"] != "*" for one in allowed)


def test_the_machine_may_read_the_plan_and_call_the_function_alone(resources: Json) -> None:
    by_action = {str(one["Action"]): one for one in statements(resources, "BatchMachineRole")}

    assert by_action["s3:GetObject"]["Resource"] == f"${{Data.Arn}}/{WORK}*"
    assert by_action["lambda:InvokeFunction"]["Resource"] == {"Fn::GetAtt": ["Batch", "Arn"]}


def test_failed_events_are_queued_and_raise_an_alarm(resources: Json) -> None:
    queue = {"Fn::GetAtt": ["BatchFailures", "Arn"]}
    [target] = resources["BatchDropped"]["Properties"]["Targets"]

    queues: list[Any] = [
        resources["Batch"]["Properties"]["DeadLetterConfig"]["TargetArn"],
        target["DeadLetterConfig"]["Arn"],
        resources["BatchSweep"]["Properties"]["Target"]["DeadLetterConfig"]["Arn"],
    ]
    alarms = {name for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    assert queues == [queue] * 3
    assert {"BatchFailuresAlarm", "BatchFailedAlarm", "BatchMachineAlarm"} <= alarms


def test_a_file_is_scored_at_once_in_the_time_that_lambda_gives(resources: Json) -> None:
    function = resources["Batch"]["Properties"]

    assert function["Timeout"] == 900
    assert function["RecursiveLoop"] == "Allow"


def test_the_template_sets_the_default_options(resources: Json) -> None:
    function = resources["Batch"]["Properties"]["Environment"]["Variables"]
    stated = {name: str(function[name]) for name in VARIABLES}
    own = {
        "BATCH_BUCKET": "data",
        "BATCH_DISTRIBUTE_ABOVE": str(function["BATCH_DISTRIBUTE_ABOVE"]),
    }

    settings = Settings.from_environment(stated | own)

    assert settings.options == Options()
    assert (
        settings.batch_distribute_above
        == Settings.from_environment({"BATCH_BUCKET": "data"}).batch_distribute_above
    )


@pytest.mark.parametrize(
    ("parameter", "option"),
    [
        ("BatchPartBytes", "part_bytes"),
        ("BatchTolerance", "tolerance"),
        ("BatchMaxUnseen", "max_unseen"),
        ("BatchMaxOutOfRange", "max_out_of_range"),
        ("BatchMaxMissing", "max_missing"),
    ],
)
def test_a_parameter_admits_what_the_option_admits(parameter: str, option: str) -> None:
    declared = translated()["Parameters"][parameter]
    rule = Options.model_json_schema()["properties"][option]

    assert (declared["MinValue"], declared["MaxValue"]) == (rule["minimum"], rule["maximum"])
    assert float(declared["Default"]) == rule["default"]
