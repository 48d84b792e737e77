"""What a deployed monitor is given to see, and what is heard of it."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final

from sklambda.sketch.layout import captures_prefix, whole_hour
from tests.stack.deployment import Stack
from tests.stack.queues import Queue
from tests.support.evidence import wait_for

SECONDS: Final = 120
"""How long a run may take to come: schedules are looked at every ten seconds."""

_ROWS_OF_A_REQUEST: Final = 20  # a longer line than 16 kB is cut by Docker, and parts get lost

type Json = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """A stack, what it has predicted, and who hears its monitor.

    Attributes
    ----------
    stack : Stack
        The stack.
    headers : dict
        What lets a caller in.
    messages, events, alarms : Queue
        The topic's messages, the monitor's events, and CloudWatch's of alarms.
    """

    stack: Stack
    headers: Mapping[str, str]
    messages: Queue
    events: Queue
    alarms: Queue

    @classmethod
    def of(cls, stack: Stack, headers: Mapping[str, str]) -> "Watched":
        """Listen to the monitor of a stack."""
        messages = Queue.made(stack, "messages")
        topic = stack.outputs["MonitorTopic"]
        stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=messages.arn)
        events = Queue.of_events(stack, "events", {"source": ["sklambda.monitor"]})
        changes = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}}
        return cls(stack, headers, messages, events, Queue.of_events(stack, "alarms", changes))

    @property
    def _s3(self) -> Any:
        return self.stack.client("s3")

    @property
    def bucket(self) -> str:
        """The bucket of captures, outcomes and reports."""
        return self.stack.outputs["Records"]

    def predict(self, instances: Sequence[Json]) -> list[str]:
        """Ask the deployed API; give the ids of the predictions."""
        ids = []
        for some in batched(instances, _ROWS_OF_A_REQUEST):
            answer = self.stack.ask("/predict", {"instances": some}, self.headers)
            assert answer.status == 200, answer.content
            ids += [one["prediction_id"] for one in json.loads(answer.content)["predictions"]]
        return ids

    def become_past(self, ids: Sequence[str]) -> None:
        """Wait for the captures of predictions; put them where those of an hour before lie.

        The monitor judges whole hours, and no test waits for one to pass.
        """
        keys = wait_for(lambda: self._captures(set(ids)), SECONDS, "the captures in the bucket")
        before = whole_hour(datetime.now(UTC)) - timedelta(hours=1)
        for key in keys:
            name = captures_prefix(before) + key.rpartition("/")[2]
            source = {"Bucket": self.bucket, "Key": key}
            self._s3.copy_object(Bucket=self.bucket, Key=name, CopySource=source)
            self._s3.delete_object(**source)

    def _captures(self, ids: set[str]) -> list[str] | None:
        """Give the keys of the objects that hold the predictions, once they hold all of them."""
        found = {key: ids & set(self._predictions(key)) for key in self.keys("captures/")}
        if set().union(*found.values()) != ids:
            return None
        return [key for key, known in found.items() if known]

    def _predictions(self, key: str) -> Iterator[str]:
        for line in gzip.decompress(self.content(key)).splitlines():
            yield from (one["prediction_id"] for one in json.loads(line)["records"])

    def keys(self, prefix: str) -> list[str]:
        """List the bucket below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def content(self, key: str) -> bytes:
        """Read an object of the bucket."""
        return bytes(self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def latest(self) -> Json:
        """Read the latest report."""
        report: Json = json.loads(self.content("reports/latest.json"))
        return report

    def invoke(self, event: Json) -> Json:
        """Call the deployed function as whoever sends an event does, and give its answer."""
        answer = self.stack.client("lambda").invoke(
            FunctionName=self.stack.outputs["MonitorFunction"], Payload=json.dumps(event)
        )
        content: Json = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content

    def schedule(self, expression: str) -> None:
        """Have the stack's schedule fire at other times, and change nothing else of it."""
        scheduler, name = self.stack.client("scheduler"), self.stack.resource("MonitorHourly")
        found = scheduler.get_schedule(Name=name)
        kept = {name: found[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
        scheduler.update_schedule(**kept, ScheduleExpression=expression)

    def logged(self) -> list[Json]:
        """Give the lines of metrics in the log of the function."""
        group = self.stack.resource("MonitorLog")
        found = self.stack.client("logs").filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(one["message"]) for one in found if one["message"].startswith("{")]
        return [line for line in lines if line.get("kind") == "monitor"]

    def counted(self, metric: str) -> list[float]:
        """Give the highest and the number of a metric's figures in CloudWatch."""
        now = datetime.now(UTC)
        found = self.stack.client("cloudwatch").get_metric_statistics(
            Namespace=self.stack.name,
            MetricName=metric,
            StartTime=now - timedelta(hours=2),
            EndTime=now + timedelta(hours=1),
            Period=86_400,
            Statistics=["Maximum", "SampleCount"],
        )["Datapoints"]
        highest = max((one["Maximum"] for one in found), default=0.0)
        return [highest, sum(one["SampleCount"] for one in found)]
