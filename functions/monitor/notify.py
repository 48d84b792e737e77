"""Notifications of a run: the message for people, the events for programs, the line of metrics.

CloudWatch bills every metric, so the values of each feature are properties of the line.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final

from pydantic_core import to_json

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.measure import Performance
from functions.monitor.report import summary
from functions.monitor.results import Results

SOURCE: Final = "sklambda.monitor"

_MAX_VERDICTS: Final = 50
"""The most verdicts of an event, the first by impact: EventBridge accepts 256 kB."""

type Json = dict[str, Any]
_UNITS: Final = {
    "predictions": "Count",
    "drifted_features": "Count",
    "drifted_predictions": "Count",
    "quality_faults": "Count",
    "outcomes": "Count",
    "realised_performance": "None",
    "estimated_performance": "None",
    "dropped_metrics": "Count",
    "concept_alarms": "Count",
    "retrain": "Count",
    "freshness_minutes": "None",
}
_MAX_FEATURES: Final = 200
"""The most verdicts of a line, the first by impact: CloudWatch limits the size of a line."""


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
        yield Event("sklambda.drift", about | {"changes": [_json(one) for one in changed]})
    performance = [_json(one) for one in results.performance]
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


def _json(value: object) -> Json:
    document: Json = json.loads(to_json(value, inf_nan_mode="null", fallback=vars))
    return document


def metrics_line(namespace: str, results: Results) -> bytes:
    """Write the log line of a run, in the embedded metric format.

    The metrics have no dimension: a stack has its own namespace and one model, whose name the
    alarms of the template do not know.
    """
    values = metric_values(results)
    units = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": units}
    made = int(datetime.fromisoformat(results.made).timestamp() * 1000)
    head = {"_aws": {"Timestamp": made, "CloudWatchMetrics": [directive]}}
    return to_json(head | values | _properties(results), inf_nan_mode="null")


def metric_values(results: Results) -> dict[str, float]:
    """Return the metrics of a run; unknown ones are left out."""
    values: dict[str, float | None] = {
        "predictions": results.window.rows,
        "drifted_features": len(_names(_verdicts(results, "feature"), drift=True)),
        "drifted_predictions": len(_names(_verdicts(results, "prediction"), drift=True)),
        "quality_faults": len(_names(_verdicts(results, "feature"), drift=False)),
        "outcomes": max((one.labelled for one in results.performance), default=0),
        "realised_performance": _value(results.performance, "realised"),
        "estimated_performance": _value(results.performance, "estimated"),
        "dropped_metrics": sum(len(one.dropped) for one in results.performance),
        "concept_alarms": sum(
            one.concept is not None and one.concept.alarm for one in results.performance
        ),
        "retrain": int(bool(results.retrain)),
        "freshness_minutes": _freshness(results),
    }
    return {name: v for name, v in values.items() if v is not None and isfinite(v)}


def _verdicts(results: Results, about: str) -> list[Verdict]:
    """Return the verdicts of the comparison with training."""
    for comparison in results.comparisons[:1]:
        findings = comparison.findings
        return findings.features if about == "feature" else findings.predictions
    return []


def _names(verdicts: Iterable[Verdict], drift: bool) -> set[str]:
    return {one.name for one in verdicts if one.changed and (one.check == "distribution") is drift}


def _value(performance: list[Performance], kind: str) -> float | None:
    """Return the main metric of the first target."""
    for one in performance[:1]:
        metrics = one.realised if kind == "realised" else one.estimated
        name = main_metric(one)
        return metrics[name].value if name in metrics else None
    return None


def main_metric(one: Performance) -> str:
    """Return the name of a target's main metric: its accuracy, or else the first."""
    names = [*one.realised, *one.estimated]
    return "accuracy" if "accuracy" in names else next(iter(names), "")


def _freshness(results: Results) -> float | None:
    """Return the minutes since the last prediction: at least the window if it has none."""
    if results.traffic is not None and results.traffic.minutes_since is not None:
        return results.traffic.minutes_since
    if results.window.rows:
        return None
    start = datetime.fromisoformat(results.window.start)
    return (datetime.fromisoformat(results.made) - start).total_seconds() / 60


def _properties(results: Results) -> Json:
    verdicts = _verdicts(results, "feature")[:_MAX_FEATURES]
    return {
        "kind": "monitor",
        "model": results.model,
        "model_id": results.model_id,
        "window": {"start": results.window.start, "stop": results.window.stop},
        "late": results.window.late,
        "state": results.state,
        "metric": main_metric(results.performance[0]) if results.performance else None,
        "held": results.held,
        "features": _by_feature(verdicts),
        "predictions_by_name": _by_feature(_verdicts(results, "prediction")),
    }


def _by_feature(verdicts: Iterable[Verdict]) -> dict[str, Json]:
    features: dict[str, Json] = {}
    for one in verdicts:
        values = {"effect": one.effect, "p": one.p, "state": one.state}
        features.setdefault(one.name, {})[one.check] = values
    return features
