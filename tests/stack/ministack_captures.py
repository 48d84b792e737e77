"""The way of a capture, from the log through Firehose to S3, as far as ministack lacks it."""

import gzip
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

import docker.models.containers as containers
from ministack.services import cloudwatch_logs, firehose

type Json = dict[str, Any]

_LOG_SECONDS = 3
_PAUSE_SECONDS = 0.02
_REPORT = b"REPORT RequestId: "
_STREAM = ":deliverystream/"
_ALTERNATIVE = re.compile(r'\(\$\.(\w+) = "([^"]*)"\)')


def read_logs_to_their_end() -> None:
    """Read a container's log until it stands still behind the line that ends an invocation.

    Docker copies it while the answer is on its way: else long lines, as captures are, get lost
    now and then on a busy machine.
    """
    logs = containers.Container.logs

    def logs_to_their_end(self: Any, **asked: Any) -> bytes:
        found, end = bytes(logs(self, **asked)), time.monotonic() + _LOG_SECONDS
        while "since" in asked and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)
            before, found = found, bytes(logs(self, **asked))
            if found == before and _REPORT in found:
                break
        return found

    containers.Container.logs = logs_to_their_end


def deliver_subscriptions_to_firehose() -> None:
    """Send what a subscription filter selects to Firehose; else only functions get it."""
    to_functions = cloudwatch_logs._fanout_to_subscription_filters

    def fan_out(group: str, stream: str, events: list[Json]) -> None:
        to_functions(group, stream, events)
        filters = (cloudwatch_logs._log_groups.get(group) or {}).get("subscriptionFilters", {})
        for subscription in filters.values():
            if _STREAM in subscription["destinationArn"]:
                _deliver(group, stream, subscription, events)

    cloudwatch_logs._fanout_to_subscription_filters = fan_out


def unwrap_in_firehose() -> None:
    """Take messages out of CloudWatch's wrapping, and compress; else both settings do nothing."""
    deliver = firehose._deliver_records_to_s3

    def unwrapped(stream: Json, target: Json, records: list[tuple[str, bytes]]) -> None:
        settings = target["config"]
        for name, content in records:
            for kind in _processors(settings):
                content = _PROCESSORS[kind](content)
            if settings.get("CompressionFormat") == "GZIP":
                content = gzip.compress(content)
                target = target | {"config": settings | {"FileExtension": ".gz"}}
            deliver(stream, target, [(name, content)])

    firehose._deliver_records_to_s3 = unwrapped


def _deliver(group: str, stream: str, subscription: Json, events: Iterable[Json]) -> None:
    """Wrap events as CloudWatch does and put them into the stream that the filter names."""
    chosen = [event for event in events if selects(subscription["filterPattern"], event["message"])]
    if not chosen:
        return
    wrapped = {
        "messageType": "DATA_MESSAGE",
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [subscription["filterName"]],
        "logEvents": [
            {"id": uuid4().hex, "timestamp": time.time_ns() // 1_000_000} | event
            for event in chosen
        ],
    }
    to = firehose._streams[subscription["destinationArn"].partition(_STREAM)[2]]
    content = gzip.compress(json.dumps(wrapped).encode())
    for target in to["destinations"]:
        firehose._deliver_records_to_s3(to, target, [(uuid4().hex, content)])


def selects(pattern: str, message: str) -> bool:
    """Evaluate a filter of alternatives, ``{ ($.kind = "a") || ($.kind = "b") }``, and no other."""
    alternatives = _ALTERNATIVE.findall(pattern)
    written = " || ".join(f'($.{member} = "{value}")' for member, value in alternatives)
    if pattern != f"{{ {written} }}":
        raise NotImplementedError(f"a subscription filter {pattern!r}")
    try:
        members = json.loads(message)
    except ValueError:
        return False
    return isinstance(members, dict) and any(
        members.get(member) == value for member, value in alternatives
    )


def _processors(settings: Json) -> Iterator[str]:
    processing = settings.get("ProcessingConfiguration", {})
    if processing.get("Enabled"):
        yield from (one["Type"] for one in processing["Processors"] if one["Type"] != "Lambda")


def _messages(content: bytes) -> bytes:
    return b"\n".join(event["message"].encode() for event in json.loads(content)["logEvents"])


_PROCESSORS: dict[str, Callable[[bytes], bytes]] = {
    "Decompression": gzip.decompress,
    "CloudWatchLogProcessing": _messages,
    "AppendDelimiterToRecord": lambda content: content + b"\n",
}
