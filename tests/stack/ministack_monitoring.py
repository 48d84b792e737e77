"""How a monitor is started and heard, as far as ministack lacks it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, lambda_svc

type Json = dict[str, Any]

_SCHEDULED = "<aws.scheduler.scheduled-time>"


def name_the_time_in_what_schedules_send() -> None:
    """Replace the scheduled time's attribute in a schedule's input; else targets get its name."""
    invoke = eventbridge._invoke_target

    def invoke_with_time(target: Json, event: Json, *rest: Any) -> Any:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            moment = f"{datetime.fromtimestamp(int(event['Time']), UTC):%Y-%m-%dT%H:%M:%SZ}"
            target = target | {"Input": target["Input"].replace(_SCHEDULED, moment)}
        return invoke(target, event, *rest)

    eventbridge._invoke_target = invoke_with_time


def tell_eventbridge_of_alarms() -> None:
    """Publish what becomes of an alarm; else only its own actions hear of it."""
    act = cloudwatch._dispatch_alarm_actions

    def act_and_publish(alarm: Json, before: str, after: str, reason: str) -> None:
        act(alarm, before, after, reason)
        eventbridge._dispatch_event(_state_change(alarm, before, after, reason))

    cloudwatch._dispatch_alarm_actions = act_and_publish


def _state_change(alarm: Json, before: str, after: str, reason: str) -> Json:
    now = datetime.now(UTC)
    timestamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}+0000"
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": {"value": after, "reason": reason, "timestamp": timestamp},
        "previousState": {"value": before, "timestamp": timestamp},
    }
    return {
        "EventId": str(uuid4()),
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": int(time.time()),
        "Resources": [alarm["AlarmArn"]],
        "Account": get_account_id(),
        "Region": get_region(),
    }


def count_what_functions_log() -> None:
    """Take metrics out of lines in the embedded metric format, for alarms; else nobody does."""
    emit = lambda_svc._emit_lambda_logs

    def emit_and_count(function: Json, request: str, text: str, *rest: Any, **named: Any) -> Any:
        counted = [metric for line in (text or "").splitlines() for metric in metrics(line)]
        for metric in counted:
            cloudwatch.record_metric(*metric)
        if counted:
            cloudwatch._evaluate_all_alarms()
        return emit(function, request, text, *rest, **named)

    lambda_svc._emit_lambda_logs = emit_and_count


def metrics(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Give namespace, name, value, unit and dimensions of each figure that a line counts."""
    if '"CloudWatchMetrics"' not in line:
        return
    members = json.loads(line)
    for directive in members["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(members[name]) for name in names}
            for metric in directive["Metrics"]:
                found, unit = members[metric["Name"]], metric.get("Unit", "None")
                for value in found if isinstance(found, list) else [found]:
                    yield directive["Namespace"], metric["Name"], value, unit, dimensions
