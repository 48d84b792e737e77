"""Notifications: the message for people, and the events for programs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from functions.monitor.drift.verdict import Verdict
from functions.monitor.report import summary
from functions.monitor.results import Results

SOURCE: Final = "sklambda.monitor"

_MAX_VERDICTS: Final = 50
"""The most verdicts of an event, the first by impact: EventBridge accepts 256 kB."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that SNS sends to people.

    Attributes
    ----------
    subject : str
        At most 100 ASCII characters.
    text : str
        Plain sentences, then the address of the report.
    """

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event that EventBridge delivers to programs.

    Attributes
    ----------
    name : str
        ``sklambda.drift``, ``sklambda.performance`` or ``sklambda.retrain``.
    detail : dict
        The findings.
    """

    name: str
    detail: Json

    def entry(self, bus: str) -> Json:
        """Return the entry of a `PutEvents` request."""
        return {
            "Source": SOURCE,
            "DetailType": self.name,
            "Detail": to_json(self.detail, inf_nan_mode="null").decode(),
            "EventBusName": bus,
        }


def message(results: Results, report: str, recovered: bool = False) -> Message:
    """Write the message of a run; `report` is the address of its report."""
    lines = [
        *(["The earlier findings are resolved.", ""] if recovered else []),
        *summary.summary(results),
        "",
        f"Report: {report}",
        f"Window: {results.window.start} to {results.window.stop}, "
        f"{results.window.rows} predictions",
        f"Model: {results.model}, package {results.model_id}",
    ]
    return Message(summary.headline(results), "\n".join(lines))


def finding_ids(results: Results) -> tuple[str, ...]:
    """Return a name for each finding, without figures: each is notified once."""
    return tuple(dict.fromkeys(_finding_ids(results)))


def is_healthy(results: Results) -> bool:
    """Return whether there are enough predictions and no findings."""
    return results.state == "stable" and not finding_ids(results)


def _finding_ids(results: Results) -> Iterator[str]:
    if results.state == "no_data":
        yield "no data"
    yield from (f"drift: {one.name}: {one.check}" for one in _changed(results))
    for one in results.performance:
        yield from (f"performance: {one.target}: {name}" for name in one.dropped)
        if one.concept is not None and one.concept.alarm:
            yield f"performance: {one.target}: concept"
    if results.retrain:
        yield f"retrain: {results.window.stop}"


def events(results: Results, new: set[str], report: str) -> Iterator[Event]:
    """Return the events of a run: one for each kind with a new finding."""
    window = {"start": results.window.start, "stop": results.window.stop}
    about = {
        "model": {"name": results.model, "id": results.model_id},
        "window": window | {"rows": results.window.rows},
        "report": report,
    }
    kinds = {finding.partition(":")[0] for finding in new}
    if "drift" in kinds:
        changed = _changed(results)[:_MAX_VERDICTS]
        yield Event("sklambda.drift", about | {"changes": [_to_json(one) for one in changed]})
    performance = [_to_json(one) for one in results.performance]
    if "performance" in kinds:
        yield Event("sklambda.performance", about | {"performance": performance})
    if "retrain" in kinds:
        reasons = {"reasons": results.retrain, "performance": performance}
        yield Event("sklambda.retrain", about | reasons)


def _changed(results: Results) -> list[Verdict]:
    """Return the verdicts of what has changed since training."""
    for comparison in results.comparisons[:1]:
        findings = comparison.findings
        return [one for one in (*findings.features, *findings.predictions) if one.changed]
    return []


def _to_json(value: object) -> Json:
    document: Json = json.loads(to_json(value, inf_nan_mode="null", fallback=vars))
    return document
