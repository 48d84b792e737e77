"""The handler of the monitor and all services that it calls, over HTTP."""

import importlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from sklambda.storage import Bucket
from tests.conftest import REPOSITORY, Trained
from tests.support.capturing import deliver
from tests.support.observed import Observed, observe

MODULE: Final = "functions.monitor.handler"
NOW: Final = datetime.now(UTC).replace(microsecond=0)
HOUR: Final = NOW.replace(minute=0, second=0)

type Client = Callable[[str], Any]


@dataclass
class World:
    """A stack's services in the emulator, and the handler that uses them."""

    client: Client
    name: str
    topic: str

    def handler(self, event: dict[str, Any]) -> dict[str, Any]:
        """Call the function."""
        answer: dict[str, Any] = importlib.import_module(MODULE).handler(event, None)
        return answer

    def window(self) -> dict[str, Any]:
        """Run the last window."""
        return self.handler({"monitor": "window", "until": NOW.isoformat()})

    @property
    def records(self) -> Bucket:
        return Bucket(lambda: self.client("s3"), self.name)

    def queue(self, kind: str) -> str:
        """Create a queue; return its ARN."""
        made = self.client("sqs").create_queue(QueueName=f"{self.name}-{kind}")
        found = self.client("sqs").get_queue_attributes(
            QueueUrl=made["QueueUrl"], AttributeNames=["QueueArn"]
        )
        return str(found["Attributes"]["QueueArn"])

    def received(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a queue."""
        url = self.client("sqs").get_queue_url(QueueName=f"{self.name}-{kind}")["QueueUrl"]
        found = self.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2
        )
        return [json.loads(one["Body"]) for one in found.get("Messages", ())]

    def object(self, key: str) -> Any:
        return self.client("s3").get_object(Bucket=self.name, Key=key)


@pytest.fixture
def client(s3: Any) -> Client:
    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=s3.meta.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return make


@pytest.fixture
def world(churn: Trained, client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    name = f"monitored-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=name)
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    world = World(client, name, topic)
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=world.queue("messages"))
    client("events").put_rule(
        Name=name, EventPattern=json.dumps({"source": ["sklambda.monitor"]}), State="ENABLED"
    )
    client("events").put_targets(Rule=name, Targets=[{"Id": "q", "Arn": world.queue("events")}])
    client("logs").create_log_group(logGroupName=name)
    client("logs").create_log_stream(logGroupName=name, logStreamName="one")
    deploy(client("lambda"), name)
    variables = {
        "MODEL_DIR": str(churn.package),
        "MONITOR_STORE": f"s3://{name}",
        "MONITOR_TOPIC": topic,
        "MONITOR_BUS": "default",
        "MONITOR_LOGS": name,
        "MONITOR_FUNCTION": name,
        "METRICS_NAMESPACE": name,
        "AWS_ENDPOINT_URL": client("s3").meta.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield world
    sys.modules.pop(MODULE, None)


def deploy(functions: Any, name: str) -> None:
    """Deploy a function with the alias that the monitor reads."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.py", "def handler(event, context): ...")
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="a.handler",
        Code={"ZipFile": content.getvalue()},
        Publish=True,
    )
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=made["Version"])


@pytest.fixture
def served(churn: Trained, world: World) -> Observed:
    """Predict for 600 customers, all of them new, and send one invalid request."""
    observed = observe(churn.package, metrics_namespace=world.name, capture="raw")
    rows = churn.frame.assign(tenure=1).head(600).to_json(orient="records")
    for some in batched(json.loads(rows), 100):
        answer = observed.client.post("/predict", json={"instances": list(some)})
        assert answer.status_code == 200, answer.text
    observed.client.post("/predict", content=b"{")
    lines = [one + b"\n" for one in observed.written if json.loads(one)["kind"] == "capture"]
    deliver(world.records, HOUR - timedelta(hours=1), lines)
    return observed


def test_drift_is_reported_notified_and_published_once(world: World, served: Observed) -> None:
    answers = [world.window() for _ in range(2)]

    assert [one["told"] for one in answers] == [True, False]
    assert answers[0]["state"] == "changed"
    page = world.object(answers[0]["report"])
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert b"tenure" in page["Body"].read()
    assert world.object("reports/latest.json")["ContentType"] == "application/json"
    [message] = world.received("messages")
    assert message["Subject"].startswith("churn: ")
    assert answers[0]["report"].replace(":", "%3A").replace("+", "%2B") in message["Message"]
    [event] = world.received("events")
    assert (event["source"], event["detail-type"]) == ("sklambda.monitor", "sklambda.drift")
    assert "tenure" in {one["name"] for one in event["detail"]["changes"]}


def test_the_metrics_are_a_line_of_the_log(
    world: World, served: Observed, capsys: pytest.CaptureFixture[str]
) -> None:
    world.window()

    lines = map(json.loads, capsys.readouterr().out.splitlines())
    [line] = [one for one in lines if one.get("kind") == "monitor"]
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == world.name
    assert (line["predictions"], line["features"]["tenure"]["distribution"]["state"]) == (
        600,
        "changed",
    )


def test_traffic_is_what_cloudwatch_counted(world: World, served: Observed) -> None:
    at = NOW - timedelta(minutes=30 if NOW.minute < 30 else 90)
    data = [
        {"MetricName": name, "Value": value, "Timestamp": at}
        for name, values in {
            "requests": [1.0, 1.0],
            "problems": [1.0],
            "latency": [2.0, 4.0],
        }.items()
        for value in values
    ]
    named = [one | {"Dimensions": [{"Name": "model", "Value": "churn"}]} for one in data]
    world.client("cloudwatch").put_metric_data(Namespace=world.name, MetricData=named)

    world.window()

    traffic = json.loads(world.object("reports/latest.json")["Body"].read())["traffic"]
    assert (traffic["requests"], traffic["problems"]) == (2, 1)
    assert 2.0 <= traffic["p50"] <= traffic["p99"] <= 4.0


def test_an_alarm_is_explained_by_the_lines_of_the_log(world: World, served: Observed) -> None:
    lines = [one for one in served.written if json.loads(one)["kind"] == "request"]
    world.client("logs").put_log_events(
        logGroupName=world.name,
        logStreamName="one",
        logEvents=[
            {"timestamp": int(NOW.timestamp() * 1000) - 1000, "message": one.decode()}
            for one in lines
        ],
    )
    event = json.loads((REPOSITORY / "events/monitor-alarm.json").read_text())

    answer = world.handler(event | {"time": NOW.isoformat()})

    assert answer["told"] is True
    found = json.loads(world.object("reports/latest.json")["Body"].read())["diagnosis"]
    assert found["alarm"] == event["detail"]["alarmName"]
    [failing] = found["failing"]
    assert failing[0].startswith("/predict, 400 ")
    assert failing[1:] == [1, 1 / 7]
    assert found["slowest"][0][1] + found["slowest"][1][1] == 7
    [message] = world.received("messages")
    assert event["detail"]["state"]["reason"] in message["Message"]


def test_an_unsupported_event_is_an_error(world: World) -> None:
    with pytest.raises(Exception, match="unsupported event"):
        world.handler({"Records": []})
