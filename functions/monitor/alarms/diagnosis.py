"""The diagnosis of an alarm: the slowest and the failing requests, and what was deployed."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from math import ceil
from typing import Any, Final, Protocol

from functions.monitor.events import Alarm
from functions.monitor.state import Deployment

LOOKBACK: Final = timedelta(hours=1)
"""How long before an alarm its log lines are read."""

_MAX_PAGES: Final = 50
_MAX_CLASSES: Final = 5
_PATTERN: Final = '{ ($.kind = "request") || ($.kind = "batch") }'

type LogLine = Mapping[str, Any]


class LogsClient(Protocol):
    """The method that is used of a boto3 client of CloudWatch Logs."""

    def filter_log_events(self, **parameters: Any) -> Any:
        """Read log events."""


class FunctionsClient(Protocol):
    """The method that is used of a boto3 client of Lambda."""

    def get_function_configuration(self, **parameters: Any) -> Any:
        """Read the configuration of a version of a function."""


@dataclass(frozen=True, slots=True)
class LogLines:
    """Log lines of requests and jobs.

    Attributes
    ----------
    lines : sequence of dict
        In the order of their times.
    is_complete : bool
        Whether all lines were read.
    """

    lines: Sequence[LogLine]
    is_complete: bool = True


def read_log_lines(client: LogsClient, groups: Iterable[str], until: datetime) -> LogLines:
    """Read the log lines of the last hour; of more than 50 pages only the first."""
    lines: list[LogLine] = []
    is_complete = True
    for group in groups:
        pages = 0
        for page in _pages(client, group, until):
            lines += _parse(page["events"])
            pages += 1
        is_complete = is_complete and pages < _MAX_PAGES
    return LogLines(sorted(lines, key=_time), is_complete)


def _pages(client: LogsClient, group: str, until: datetime) -> Iterator[Any]:
    token: dict[str, str] = {}
    for _ in range(_MAX_PAGES):
        page = client.filter_log_events(
            logGroupName=group,
            filterPattern=_PATTERN,
            startTime=_milliseconds(until - LOOKBACK),
            endTime=_milliseconds(until),
            **token,
        )
        yield page
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _parse(events: Iterable[Mapping[str, str]]) -> Iterator[LogLine]:
    for event in events:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("kind") in ("request", "batch"):
            yield line


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _time(line: LogLine) -> int:
    return int(line["_aws"]["Timestamp"])


def read_deployment(client: FunctionsClient, function: str) -> Deployment:
    """Read the live version of a function; of its settings only digests are returned."""
    found = client.get_function_configuration(FunctionName=function, Qualifier="live")
    variables = found.get("Environment", {}).get("Variables", {})
    settings = {**variables, "memory": found["MemorySize"]}
    return Deployment(
        version=found["Version"],
        modified=found["LastModified"],
        settings={name: _digest(str(value)) for name, value in sorted(settings.items())},
    )


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The diagnosis of an alarm.

    Attributes
    ----------
    alarm, reason : str
        The name of the alarm, and the reason that CloudWatch states.
    slowest, failing : list of (str, int, float)
        Classes of requests: their name, their number, and the p99 latency in milliseconds or the
        share that failed.
    models : dict of str to int
        The number of requests that each package answered, by its id.
    changes : list of str
        The changes since the alarm was last in another state, a sentence each.
    """

    alarm: str
    reason: str
    slowest: list[tuple[str, int, float]] = field(default_factory=list)
    failing: list[tuple[str, int, float]] = field(default_factory=list)
    models: dict[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def diagnose(alarm: Alarm, log: LogLines, deployments: Sequence[Deployment] = ()) -> Diagnosis:
    """Diagnose an alarm.

    Parameters
    ----------
    alarm : Alarm
        The alarm.
    log : LogLines
        The log lines of the last hour.
    deployments : sequence of Deployment
        The last versions of the function, in their order.
    """
    requests = [line for line in log.lines if line["kind"] == "request"]
    jobs = [line for line in log.lines if line["kind"] == "batch"]
    served = [line for line in log.lines if _package(line)]
    return Diagnosis(
        alarm=alarm.name,
        reason=alarm.reason,
        slowest=_slowest(requests),
        failing=[*_failing(requests), *_failing(jobs)][:_MAX_CLASSES],
        models=dict(Counter(map(_package, served))),
        changes=[
            *_deployment_changes(alarm, deployments),
            *_package_changes(served),
            *(
                []
                if log.is_complete
                else [f"Only the first {_MAX_PAGES} pages of log lines were read."]
            ),
        ],
    )


def _package(line: LogLine) -> str:
    return str(line.get("package") or line.get("model_id") or "")


def _route(line: LogLine) -> str:
    return "batch" if line["kind"] == "batch" else line.get("route") or "an unknown path"


def _problem(line: LogLine) -> str:
    """Return the problem of a request or job; empty if it succeeded."""
    if line["kind"] == "batch":
        return line.get("reason") or ""
    if line.get("problem"):
        return f"{line['status']} {line['problem']}"
    return str(line["status"]) if line["status"] >= 400 else ""


def _slowest(requests: Iterable[LogLine]) -> list[tuple[str, int, float]]:
    """Rank classes of requests by their p99 latency in milliseconds."""
    latencies: dict[str, list[float]] = {}
    for line in requests:
        name = f"{_route(line)}, {_problem(line) or line['status']}"
        latencies.setdefault(name, []).append(line["latency"])
    classes = [(name, len(values), _p99(values)) for name, values in latencies.items()]
    return sorted(classes, key=lambda one: -one[2])[:_MAX_CLASSES]


def _p99(values: list[float]) -> float:
    return sorted(values)[ceil(0.99 * len(values)) - 1]


def _failing(lines: Sequence[LogLine]) -> list[tuple[str, int, float]]:
    """Rank classes of requests by the number that failed, each with its share of its route."""
    totals = Counter(map(_route, lines))
    failed = Counter((_route(line), _problem(line)) for line in lines if _problem(line))
    return [
        (f"{route}, {problem}", count, count / totals[route])
        for (route, problem), count in failed.most_common(_MAX_CLASSES)
    ]


def _deployment_changes(alarm: Alarm, deployments: Sequence[Deployment]) -> Iterator[str]:
    for before, after in pairwise(deployments):
        if datetime.fromisoformat(after.modified) < alarm.previous_since:
            continue
        names = sorted(before.settings.keys() | after.settings.keys())
        changed = [name for name in names if before.settings.get(name) != after.settings.get(name)]
        settings = f"; changed settings: {', '.join(changed)}" if changed else ""
        yield (
            f"Version {after.version} of the function was published at {after.modified}, "
            f"after version {before.version}{settings}."
        )


def _package_changes(served: Iterable[LogLine]) -> Iterator[str]:
    """Return a sentence for each package that was first served within the lines."""
    first: dict[str, int] = {}
    for line in served:
        first.setdefault(_package(line), _time(line))
    for package, milliseconds in list(first.items())[1:]:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        yield f"Package {package[:12]} has been serving since {at:%Y-%m-%dT%H:%M:%SZ}."
