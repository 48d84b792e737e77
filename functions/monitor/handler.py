"""The Lambda function: the schedule, alarms and callers to a run of the monitor."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3

from functions.monitor import events, judge
from functions.monitor.alarms import diagnosis, traffic
from functions.monitor.alarms.diagnosis import Lines
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.notify import metrics
from functions.monitor.notify.messages import Happening, Message
from functions.monitor.results import Results
from functions.monitor.run import Monitor, Outside, Window
from functions.monitor.settings import Settings
from functions.monitor.state import Deployment
from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from sklambda.storage import opened
from sklambda.telemetry import Log, anatomy, write_line


@cache
def _client(name: str) -> Any:
    return boto3.client(name)


def _judge(until: datetime, at: datetime) -> Results:
    return judge.judge(
        records,
        package,
        baseline,
        baseline.watching,
        until,
        at,
        lambda key: log.warning("an object is damaged", extra={"key": key}),
    )


def _traffic(window: Window, at: datetime) -> Traffic | None:
    if not settings.metrics_namespace:
        return None
    name = package.manifest.name
    return traffic.traffic(_client("cloudwatch"), settings.metrics_namespace, name, window, at)


def _lines(until: datetime) -> Lines:
    return diagnosis.read_lines(_client("logs"), settings.monitor_logs, until)


def _deployment() -> Deployment | None:
    if not settings.monitor_function:
        return None
    return diagnosis.deployed(_client("lambda"), settings.monitor_function)


def _send(message: Message) -> None:
    if settings.monitor_topic:
        _client("sns").publish(
            TopicArn=settings.monitor_topic, Subject=message.subject, Message=message.text
        )


def _publish(happenings: Sequence[Happening]) -> None:
    if not settings.monitor_bus or not happenings:
        return
    entries = [one.entry(settings.monitor_bus) for one in happenings]
    answer = _client("events").put_events(Entries=entries)
    if answer["FailedEntryCount"]:
        codes = {one["ErrorCode"] for one in answer["Entries"] if "ErrorCode" in one}
        raise OSError(f"events were not taken: {', '.join(sorted(codes))}")


def _count(results: Results) -> None:
    if settings.metrics_namespace:
        write_line(metrics.line(settings.metrics_namespace, results))


def _address(key: str) -> str:
    """Lead to the object in the console, where whoever may read it signs in."""
    if not settings.monitor_store.startswith("s3://"):
        return f"{settings.monitor_store}/{key}"
    bucket, _, prefix = settings.monitor_store.removeprefix("s3://").partition("/")
    whole = quote(f"{prefix.strip('/')}/{key}".lstrip("/"), safe="/")
    return f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={whole}"


settings = Settings.from_environment(os.environ)
log = Log("monitor", settings.log_level)
package = ModelPackage.open(settings.model_dir)
if package.baseline is None:
    raise PackageRefused(f"{package.path} has no baseline: train it again")
baseline = package.baseline
records = opened(settings.monitor_store, lambda: _client("s3"))
monitor = Monitor(
    records,
    package.manifest.id,
    baseline.watching.retrain,
    Outside(_judge, _traffic, _lines, _deployment, _send, _publish, _count, _address),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what an event asks for; an error is raised, so that the caller tries again."""
    try:
        look = events.read(event, datetime.now(UTC))
        answer = {"told": False} if look is None else monitor.run(look)
    except Exception as error:
        log.error("the run failed", extra=anatomy(error))
        raise
    log.info("done", extra={"answer": answer})
    return answer
