"""The emulator stands for AWS where the other tests rely on it."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from re import fullmatch
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import REPOSITORY
from tests.stack.deployment import Stack
from tests.stack.emulator import REGION, Emulator
from tests.support.evidence import wait_for
from tests.support.lambda_containers import docker

pytestmark = pytest.mark.stack

_ROLE = "arn:aws:iam::000000000000:role/anything"
_QUEUE = "what-a-test-hears"
_QUEUE_ARN = f"arn:aws:sqs:{REGION}:000000000000:{_QUEUE}"
_PROCESSORS = ("Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord")


@pytest.fixture(scope="module")
def container(stack: Stack) -> dict[str, Any]:
    """The container in which the deployed function has answered."""
    status, body = stack.request("/health/live", key=stack.api_key)
    assert status == 200, body
    running = docker("ps", "--quiet", "--filter", stack.emulator.containers).split()
    function = f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs['PredictFunction']}"
    [description] = [
        container
        for container in json.loads(docker("inspect", *running))
        if function in container["Config"]["Env"]
    ]
    return dict(description)


def test_container_has_the_memory_and_processor_of_its_function(
    stack: Stack, container: dict[str, Any]
) -> None:
    configuration = stack.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["PredictFunction"]
    )

    limits = container["HostConfig"]

    megabytes = configuration["MemorySize"]
    assert limits["Memory"] == limits["MemorySwap"] == megabytes * 2**20
    assert limits["CpuQuota"] / limits["CpuPeriod"] == pytest.approx(megabytes / 1769)


def test_container_runs_as_lambdas_user_without_privileges(container: dict[str, Any]) -> None:
    assert container["Config"]["User"] == "993:990"
    assert container["HostConfig"]["CapDrop"] == ["ALL"]


def test_code_is_mounted_and_read_only(container: dict[str, Any]) -> None:
    [mount] = container["Mounts"]

    assert (mount["Destination"], mount["RW"]) == ("/var/task", False)


def test_methods_for_any_verb_are_there(stack: Stack) -> None:
    resources = stack.client("apigateway").get_resources(
        restApiId=stack.resource("Api"), embed=["methods"]
    )["items"]

    methods = {
        resource["path"]: list(resource.get("resourceMethods", {})) for resource in resources
    }

    assert methods == {"/": ["ANY"], "/{proxy+}": ["ANY"]}


def test_policies_of_roles_of_their_own_resource_are_attached(told: Stack) -> None:
    policy = told.client("iam").get_role_policy(
        RoleName=told.resource("CaptureRole"), PolicyName="capture"
    )

    allowed = {action for one in policy["PolicyDocument"]["Statement"] for action in one["Action"]}
    assert "s3:PutObject" in allowed


def test_a_function_keeps_the_queue_of_what_it_could_not_do(stack: Stack) -> None:
    function = stack.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["BatchFunction"]
    )

    queue = function["DeadLetterConfig"]["TargetArn"]
    assert queue.rpartition(":")[2] == stack.outputs["BatchFailures"].rpartition("/")[2]


def test_what_comes_counts_as_encrypted_for_policies(stack: Stack) -> None:
    s3, bucket = stack.client("s3"), stack.outputs["Data"]

    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])

    [statement] = policy["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert stack.role_client("BatchRole", "s3").list_objects_v2(Bucket=bucket)["Name"] == bucket


def test_bytes_pass_as_they_are(stack: Stack) -> None:
    api = stack.client("apigateway").get_rest_api(restApiId=stack.resource("Api"))

    assert api["binaryMediaTypes"] == ["*/*"]


def test_refusals_are_those_of_the_template(stack: Stack) -> None:
    response = stack.client("apigateway").get_gateway_response(
        restApiId=stack.resource("Api"), responseType="THROTTLED"
    )

    template = json.loads(response["responseTemplates"]["application/json"])
    assert (response["statusCode"], template["title"]) == ("429", "Too Many Requests")


@pytest.fixture
def log_group(emulator: Emulator) -> str:
    """A log group whose captures go through Firehose to the bucket of the same name."""
    name = "captures-of-a-test"
    emulator.client("s3").create_bucket(Bucket=name)
    stream = emulator.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{name}",
            "RoleARN": _ROLE,
            "Prefix": "captures/year=!{timestamp:yyyy}/",
            "CompressionFormat": "GZIP",
            "ProcessingConfiguration": {
                "Enabled": True,
                "Processors": [{"Type": kind, "Parameters": []} for kind in _PROCESSORS],
            },
        },
    )
    logs = emulator.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName=name)
    logs.put_subscription_filter(
        logGroupName=name,
        filterName=name,
        filterPattern='{ ($.kind = "capture") || ($.kind = "shadow") }',
        destinationArn=stream["DeliveryStreamARN"],
        roleArn=_ROLE,
    )
    return name


def test_what_a_subscription_selects_arrives_in_the_bucket_unwrapped(
    emulator: Emulator, log_group: str
) -> None:
    lines = ['{"kind": "capture"}', "START", '{"kind": "shadow"}', '{"kind": "else"}', "[1]"]
    events = [{"timestamp": time.time_ns() // 1_000_000, "message": line} for line in lines]

    emulator.client("logs").put_log_events(
        logGroupName=log_group, logStreamName=log_group, logEvents=events
    )

    s3 = emulator.client("s3")
    [listed] = wait_for(
        lambda: s3.list_objects_v2(Bucket=log_group).get("Contents"), 10, "the captures"
    )
    assert fullmatch(r"captures/year=\d{4}/.+\.gz", listed["Key"])
    content = gzip.decompress(s3.get_object(Bucket=log_group, Key=listed["Key"])["Body"].read())
    assert content.splitlines() == [b'{"kind": "capture"}', b'{"kind": "shadow"}']


def test_policies_are_enforced(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = boto3.client(
        "s3",
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.list_buckets()


@pytest.fixture
def heard(emulator: Emulator) -> Callable[[], dict[str, Any] | None]:
    """Gives what a queue was sent by the rule of alarms of a test, or else by a schedule."""
    sqs, events = emulator.client("sqs"), emulator.client("events")
    url = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": [_QUEUE]}}
    events.put_rule(Name=_QUEUE, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=_QUEUE, Targets=[{"Id": "queue", "Arn": _QUEUE_ARN}])

    def receive() -> dict[str, Any] | None:
        found = sqs.receive_message(QueueUrl=url).get("Messages", [])
        return next((dict(json.loads(one["Body"])) for one in found), None)

    return receive


def test_an_alarm_that_sounds_is_an_event(
    emulator: Emulator, heard: Callable[[], dict[str, Any] | None]
) -> None:
    cloudwatch = emulator.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=_QUEUE,
        Namespace="test",
        MetricName="test",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )

    cloudwatch.set_alarm_state(AlarmName=_QUEUE, StateValue="ALARM", StateReason="a test")

    event = wait_for(heard, 10, "the event")
    documented = json.loads((REPOSITORY / "events/monitor-alarm.json").read_text())
    assert event.keys() == documented.keys()
    assert event["resources"][0].endswith(f":alarm:{_QUEUE}")
    assert event["detail"].keys() <= documented["detail"].keys()
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["state"]["reason"] == "a test"


def test_a_schedule_tells_its_target_the_time(
    emulator: Emulator, heard: Callable[[], dict[str, Any] | None]
) -> None:
    scheduler = emulator.client("scheduler")
    scheduler.create_schedule(
        Name=_QUEUE,
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": _QUEUE_ARN,
            "RoleArn": _ROLE,
            "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
        },
    )

    sent = wait_for(heard, 30, "what the schedule sends")

    assert fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sent["at"])


def test_figures_that_a_function_logs_are_counted(stack: Stack) -> None:
    status, body = stack.request("/predict", {"instances": "none"}, key=stack.api_key)
    assert status == 422, body

    metrics = stack.client("cloudwatch").list_metrics(Namespace=stack.name)["Metrics"]

    [requests] = [one for one in metrics if one["MetricName"] == "requests"]
    assert requests["Dimensions"] == [{"Name": "model", "Value": "churn"}]
