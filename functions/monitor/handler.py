"""The Lambda function: the schedule, alarms and callers start a run of the monitor."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3

from functions.monitor import events, judge, notify
from functions.monitor.alarms import diagnosis, traffic
from functions.monitor.alarms.diagnosis import LogLines
from functions.monitor.alarms.traffic import Traffic
from functions.monitor.notify import Event, Message
from functions.monitor.results import Results
from functions.monitor.run import Monitor, Period, Ports
from functions.monitor.settings import Settings
from functions.monitor.state import Deployment
from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from sklambda.storage import open_storage
from sklambda.telemetry import Log, describe_exception, write_line


@cache
def _client(name: str) -> Any:
    return boto3.client(name)


def _judge(until: datetime, now: datetime) -> Results:
    return judge.judge(
        storage,
        package,
        baseline,
        baseline.watching,
        until,
        now,
        lambda key: log.warning("an object is damaged", extra={"key": key}),
    )


def _traffic(period: Period, now: datetime) -> Traffic | None:
    if not settings.metrics_namespace:
        return None
    name = package.manifest.name
    return traffic.read_traffic(
        _client("cloudwatch"), settings.metrics_namespace, name, period, now
    )


def _log_lines(until: datetime) -> LogLines:
    return diagnosis.read_log_lines(_client("logs"), settings.monitor_logs, until)


def _deployment() -> Deployment | None:
    if not settings.monitor_function:
        return None
    return diagnosis.read_deployment(_client("lambda"), settings.monitor_function)


def _send(message: Message) -> None:
    if settings.monitor_topic:
        _client("sns").publish(
            TopicArn=settings.monitor_topic, Subject=message.subject, Message=message.text
        )


def _publish(published: Sequence[Event]) -> None:
    if not settings.monitor_bus or not published:
        return
    entries = [one.entry(settings.monitor_bus) for one in published]
    response = _client("events").put_events(Entries=entries)
    if response["FailedEntryCount"]:
        codes = {one["ErrorCode"] for one in response["Entries"] if "ErrorCode" in one}
        raise OSError(f"EventBridge refused events: {', '.join(sorted(codes))}")


def _write_metrics(results: Results) -> None:
    if settings.metrics_namespace:
        write_line(notify.metrics_line(settings.metrics_namespace, results))


def _address(key: str) -> str:
    """Return the address of an object in the console, where its readers sign in."""
    if not settings.monitor_store.startswith("s3://"):
        return f"{settings.monitor_store}/{key}"
    bucket, _, prefix = settings.monitor_store.removeprefix("s3://").partition("/")
    path = quote(f"{prefix.strip('/')}/{key}".lstrip("/"), safe="/")
    return f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={path}"


settings = Settings.from_environment(os.environ)
log = Log("monitor", settings.log_level)
package = ModelPackage.open(settings.model_dir)
if package.baseline is None:
    raise PackageRefused(f"{package.path} has no baseline: train it again")
baseline = package.baseline
storage = open_storage(settings.monitor_store, lambda: _client("s3"))
monitor = Monitor(
    storage,
    package.manifest.id,
    baseline.watching.retrain,
    Ports(
        judge=_judge,
        traffic=_traffic,
        log_lines=_log_lines,
        deployment=_deployment,
        send=_send,
        publish=_publish,
        write_metrics=_write_metrics,
        address=_address,
    ),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the monitor; an error is raised, so that the caller tries again."""
    try:
        request = events.read(event, datetime.now(UTC))
        response = {"told": False} if request is None else monitor.run(request)
    except Exception as error:
        log.error("the run failed", extra=describe_exception(error))
        raise
    log.info("done", extra={"answer": response})
    return response
