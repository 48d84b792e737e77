"""What an alarm is about: the slowest and the failing requests, and what has changed."""

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

LOOKED_AT: Final = timedelta(hours=1)
"""How long before an alarm its lines are read."""

_MOST_PAGES: Final = 50
_MOST_CLASSES: Final = 5
_PATTERN: Final = '{ ($.kind = "request") || ($.kind = "batch") }'

type Line = Mapping[str, Any]


class LogsClient(Protocol):
    """What is needed of a boto3 client of CloudWatch Logs."""

    def filter_log_events(self, **asked: Any) -> Any:
        """Read lines."""


class FunctionsClient(Protocol):
    """What is needed of a boto3 client of Lambda."""

    def get_function_configuration(self, **asked: Any) -> Any:
        """Describe a version of a function."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of requests and jobs.

    Attributes
    ----------
    found : sequence of dict
        In the order of their times.
    whole : bool
        Whether these are all of them.
    """

    found: Sequence[Line]
    whole: bool = True


def read_lines(client: LogsClient, groups: Iterable[str], until: datetime) -> Lines:
    """Read the lines of the last hour; of very many only the first."""
    found: list[Line] = []
    whole = True
    for group in groups:
        pages = 0
        for page in _pages(client, group, until):
            found += _parsed(page["events"])
            pages += 1
        whole = whole and pages < _MOST_PAGES
    return Lines(sorted(found, key=_time), whole)


def _pages(client: LogsClient, group: str, until: datetime) -> Iterator[Any]:
    more: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        page = client.filter_log_events(
            logGroupName=group,
            filterPattern=_PATTERN,
            startTime=_milliseconds(until - LOOKED_AT),
            endTime=_milliseconds(until),
            **more,
        )
        yield page
        if not page.get("nextToken"):
            return
        more = {"nextToken": page["nextToken"]}


def _parsed(events: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    for event in events:
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("kind") in ("request", "batch"):
            yield line


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _time(line: Line) -> int:
    return int(line["_aws"]["Timestamp"])


def deployed(client: FunctionsClient, function: str) -> Deployment:
    """Describe the version of a function that is served; of its settings no value is kept."""
    found = client.get_function_configuration(FunctionName=function, Qualifier="live")
    variables = found.get("Environment", {}).get("Variables", {})
    described = {**variables, "memory": found["MemorySize"]}
    return Deployment(
        version=found["Version"],
        modified=found["LastModified"],
        settings={name: _digest(str(value)) for name, value in sorted(described.items())},
    )


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What an alarm is about.

    Attributes
    ----------
    alarm, reason : str
        Its name, and CloudWatch's sentence.
    slowest, failing : list of (str, int, float)
        Classes of requests: what they are, how many, and milliseconds or the share that failed.
    models : dict of str to int
        How many answers each package gave, by its id.
    changes : list of str
        What has changed since the alarm was last silent, one sentence each.
    """

    alarm: str
    reason: str
    slowest: list[tuple[str, int, float]] = field(default_factory=list)
    failing: list[tuple[str, int, float]] = field(default_factory=list)
    models: dict[str, int] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def diagnose(alarm: Alarm, lines: Lines, deployments: Sequence[Deployment] = ()) -> Diagnosis:
    """Say what an alarm is about.

    Parameters
    ----------
    alarm : Alarm
        What sounds.
    lines : Lines
        Of the last hour.
    deployments : sequence of Deployment
        The versions that were seen, in their order.
    """
    requests = [line for line in lines.found if line["kind"] == "request"]
    jobs = [line for line in lines.found if line["kind"] == "batch"]
    answered = [line for line in lines.found if _package(line)]
    return Diagnosis(
        alarm=alarm.name,
        reason=alarm.reason,
        slowest=_slowest(requests),
        failing=[*_failing(requests), *_failing(jobs)][:_MOST_CLASSES],
        models=dict(Counter(map(_package, answered))),
        changes=[
            *_deployments(alarm, deployments),
            *_packages(answered),
            *([] if lines.whole else ["There are more lines than were read: the first were."]),
        ],
    )


def _package(line: Line) -> str:
    return str(line.get("package") or line.get("model_id") or "")


def _place(line: Line) -> str:
    return "batch" if line["kind"] == "batch" else line.get("route") or "an unknown path"


def _trouble(line: Line) -> str:
    """Name what went wrong, or nothing."""
    if line["kind"] == "batch":
        return line.get("reason") or ""
    if line.get("problem"):
        return f"{line['status']} {line['problem']}"
    return str(line["status"]) if line["status"] >= 400 else ""


def _slowest(requests: Iterable[Line]) -> list[tuple[str, int, float]]:
    """Rank classes by the 99th percentile of their milliseconds."""
    latencies: dict[str, list[float]] = {}
    for line in requests:
        name = f"{_place(line)}, {_trouble(line) or line['status']}"
        latencies.setdefault(name, []).append(line["latency"])
    classes = [(name, len(found), _p99(found)) for name, found in latencies.items()]
    return sorted(classes, key=lambda one: -one[2])[:_MOST_CLASSES]


def _p99(values: list[float]) -> float:
    return sorted(values)[ceil(0.99 * len(values)) - 1]


def _failing(lines: Sequence[Line]) -> list[tuple[str, int, float]]:
    """Rank classes by how many failed, each with its share of what its place was asked."""
    asked = Counter(map(_place, lines))
    failed = Counter((_place(line), _trouble(line)) for line in lines if _trouble(line))
    return [
        (f"{place}, {trouble}", count, count / asked[place])
        for (place, trouble), count in failed.most_common(_MOST_CLASSES)
    ]


def _deployments(alarm: Alarm, deployments: Sequence[Deployment]) -> Iterator[str]:
    for before, after in pairwise(deployments):
        if datetime.fromisoformat(after.modified) < alarm.silent_since:
            continue
        names = sorted(before.settings.keys() | after.settings.keys())
        differ = [name for name in names if before.settings.get(name) != after.settings.get(name)]
        changed = f"; other: {', '.join(differ)}" if differ else ""
        yield (
            f"Version {after.version} of the function was published at {after.modified}, "
            f"after version {before.version}{changed}."
        )


def _packages(answered: Iterable[Line]) -> Iterator[str]:
    """Name the packages that began to answer within the lines."""
    first: dict[str, int] = {}
    for line in answered:
        first.setdefault(_package(line), _time(line))
    for package, milliseconds in list(first.items())[1:]:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
        yield f"The package {package[:12]} answers since {at:%Y-%m-%dT%H:%M:%SZ}."
