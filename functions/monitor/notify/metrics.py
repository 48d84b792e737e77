"""One line a run: about ten figures as CloudWatch metrics, and what each feature showed beside.

CloudWatch bills every metric, so what there is one of for each feature is a property of the line.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import isfinite
from typing import Any, Final

from pydantic_core import to_json

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.measure import Performance
from functions.monitor.results import Results

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
_MOST_FEATURES: Final = 200
"""How many features a line has at most, the first by impact: CloudWatch takes no endless one."""

type Json = dict[str, Any]


def line(namespace: str, results: Results) -> bytes:
    """Write the line of a run, in the embedded metric format.

    The metrics have no dimension: a stack has a namespace of its own, and one model, whose name
    the template's alarms cannot know.
    """
    values = figures(results)
    units = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": units}
    made = int(datetime.fromisoformat(results.made).timestamp() * 1000)
    head = {"_aws": {"Timestamp": made, "CloudWatchMetrics": [directive]}}
    return to_json(head | values | _properties(results), inf_nan_mode="null")


def figures(results: Results) -> dict[str, float]:
    """Give the metrics of a run; what is not known is not among them."""
    found: dict[str, float | None] = {
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
    return {name: v for name, v in found.items() if v is not None and isfinite(v)}


def _verdicts(results: Results, about: str) -> list[Verdict]:
    """Give the verdicts of the comparison with training."""
    for comparison in results.comparisons[:1]:
        findings = comparison.findings
        return findings.features if about == "feature" else findings.predictions
    return []


def _names(verdicts: Iterable[Verdict], drift: bool) -> set[str]:
    return {one.name for one in verdicts if one.changed and (one.check == "distribution") is drift}


def _value(performance: list[Performance], kind: str) -> float | None:
    """Give the accuracy of the first target, or else its first metric."""
    for one in performance[:1]:
        known = one.realised if kind == "realised" else one.estimated
        name = metric(one)
        return known[name].value if name in known else None
    return None


def metric(one: Performance) -> str:
    """Name the metric that stands for a target."""
    known = [*one.realised, *one.estimated]
    return "accuracy" if "accuracy" in known else next(iter(known), "")


def _freshness(results: Results) -> float | None:
    """Count at least the whole window where it had nothing."""
    if results.traffic is not None and results.traffic.minutes_since is not None:
        return results.traffic.minutes_since
    if results.window.rows:
        return None
    start = datetime.fromisoformat(results.window.start)
    return (datetime.fromisoformat(results.made) - start).total_seconds() / 60


def _properties(results: Results) -> Json:
    verdicts = _verdicts(results, "feature")[:_MOST_FEATURES]
    return {
        "kind": "monitor",
        "model": results.model,
        "model_id": results.model_id,
        "window": {"start": results.window.start, "stop": results.window.stop},
        "late": results.window.late,
        "state": results.state,
        "metric": metric(results.performance[0]) if results.performance else None,
        "held": results.held,
        "features": _by_feature(verdicts),
        "predictions_by_name": _by_feature(_verdicts(results, "prediction")),
    }


def _by_feature(verdicts: Iterable[Verdict]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, check, shown in _shown(verdicts):
        found.setdefault(name, {})[check] = shown
    return found


def _shown(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, str, Json]]:
    for one in verdicts:
        yield one.name, one.check, {"effect": one.effect, "p": one.p, "state": one.state}
