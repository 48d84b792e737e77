"""The aggregates of a run as Prometheus reads them: text exposition format 0.0.4."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, isnan
from typing import Final, get_args

from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.verdict import State, Verdict
from functions.monitor.performance.measure import Performance
from functions.monitor.report.wording import band, changed_names
from functions.monitor.results import Results
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

HELP: Final = {
    "report_timestamp_seconds": "When the window of the report ended.",
    "predictions": "Predictions of the window.",
    "late_predictions": "Predictions that came after their hour was counted.",
    "state": "1 for what the comparison with training comes to.",
    "checks": "Checks of the columns.",
    "changed_columns": "Features, or scores and labels, that have changed since training.",
    "effect": "How great the difference from training is.",
    "effect_threshold": "From when on it counts.",
    "p_value": "The chance of such a difference where nothing has changed.",
    "impact": "The effect in units of what counts, times the weight of the feature.",
    "changed": "1 for what is called a change.",
    "score": "Quantiles of a score in the last part of the history.",
    "performance": "A metric: of training, realised or estimated.",
    "performance_low": "The lower end of its 95 % interval.",
    "performance_high": "The upper end of its 95 % interval.",
    "outcomes": "Predictions of the window whose outcome is known.",
    "dropped_metrics": "Metrics that are worse than in training beyond what chance explains.",
    "concept_alarm": "1 where scores no longer mean what they meant.",
    "concept_p_value": "The chance of so few right answers where they still do.",
    "group_rate": "How a group is treated: selected, true_positive or false_positive.",
    "group_rate_low": "The lower end of its 95 % interval.",
    "group_rate_high": "The upper end of its 95 % interval.",
    "requests": "Requests of the window.",
    "request_problems": "Requests that were refused or failed.",
    "request_duration_seconds": "Quantiles of how long a request took.",
    "prediction_age_seconds": "Since the last prediction.",
    "retrain": "1 where the policy asks for retraining.",
}
"""What each metric is, by its name without ``sklambda_``."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric with its labels."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def text(results: Results) -> str:
    """Write a run as metrics, all of them gauges; each has the label ``model``."""
    found: dict[str, list[Sample]] = {name: [] for name in HELP}
    for sample in samples(results):
        found[sample.name].append(sample)
    return "".join(_family(results.model, name, group) for name, group in found.items() if group)


def samples(results: Results) -> Iterator[Sample]:
    """Give what is written; a figure that nobody knows is left out."""
    everything = (
        *_window(results),
        *_checks(results),
        *_scores(results),
        *(sample for one in results.performance for sample in _performance(one)),
        *_groups(results),
        *_traffic(results.traffic or Traffic()),
    )
    yield from (sample for sample in everything if not isnan(sample.value))


def _family(model: str, name: str, group: list[Sample]) -> str:
    head = f"# HELP sklambda_{name} {HELP[name]}\n# TYPE sklambda_{name} gauge\n"
    return head + "".join(_line(sample, model) for sample in group)


def _line(sample: Sample, model: str) -> str:
    labels = {"model": model, **sample.labels}
    written = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"sklambda_{sample.name}{{{written}}} {_number(sample.value)}\n"


def _escaped(value: str) -> str:
    r"""Escape as the format asks: of all characters only the backslash, the quote and the feed."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


def _window(results: Results) -> Iterator[Sample]:
    stop = datetime.fromisoformat(results.window.stop).timestamp()
    yield Sample("report_timestamp_seconds", stop)
    yield Sample("predictions", results.window.rows)
    yield Sample("late_predictions", results.window.late)
    for state in get_args(State.__value__):
        yield Sample("state", results.state == state, {"state": state})
    yield Sample("retrain", bool(results.retrain))


def _checks(results: Results) -> Iterator[Sample]:
    for comparison in results.comparisons[:1]:
        kinds = {
            "feature": comparison.findings.features,
            "prediction": comparison.findings.predictions,
        }
        for about, found in kinds.items():
            yield Sample("checks", len(found), {"about": about})
            yield Sample("changed_columns", len(changed_names(found)), {"about": about})
        for one in (verdict for found in kinds.values() for verdict in found if verdict.rows):
            yield from _verdict(one)


def _verdict(one: Verdict) -> Iterator[Sample]:
    labels = {"about": one.about, "column": one.name, "check": one.check}
    yield Sample("effect", one.effect, labels)
    yield Sample("effect_threshold", one.least, labels)
    yield Sample("p_value", one.p, labels)
    yield Sample("impact", one.impact, labels)
    yield Sample("changed", one.changed, labels)


def _scores(results: Results) -> Iterator[Sample]:
    for point in results.history[-1:]:
        for name, quantiles in point.scores.items():
            for quantile, value in zip(("0.1", "0.5", "0.9"), quantiles, strict=True):
                yield Sample("score", value, {"score": name, "quantile": quantile})


def _performance(one: Performance) -> Iterator[Sample]:
    figures: dict[str, Mapping[str, Interval | MetricInterval]] = {
        "training": one.trained,
        "realised": one.realised,
        "estimated": {name: band(figure) for name, figure in one.estimated.items()},
    }
    for source, found in figures.items():
        for name, figure in found.items():
            labels = {"target": one.target, "metric": name, "source": source}
            yield from _interval("performance", figure, labels)
    target = {"target": one.target}
    yield Sample("outcomes", one.labelled, target)
    yield Sample("dropped_metrics", len(one.dropped), target)
    if one.concept is not None:
        yield Sample("concept_alarm", one.concept.alarm, target)
        yield Sample("concept_p_value", one.concept.p, target)


def _groups(results: Results) -> Iterator[Sample]:
    for group in results.groups:
        for name, one in group.treatments.items():
            rates = {
                "selected": one.selection,
                "true_positive": one.true_positive,
                "false_positive": one.false_positive,
            }
            for rate, figure in rates.items():
                labels = {"column": group.column, "group": name, "rate": rate}
                yield from _interval("group_rate", figure, labels)


def _interval(
    name: str, figure: Interval | MetricInterval, labels: Mapping[str, str]
) -> Iterator[Sample]:
    yield Sample(name, figure.value, labels)
    yield Sample(f"{name}_low", figure.low, labels)
    yield Sample(f"{name}_high", figure.high, labels)


def _traffic(found: Traffic) -> Iterator[Sample]:
    if found.requests is not None:
        yield Sample("requests", found.requests)
    if found.problems is not None:
        yield Sample("request_problems", found.problems)
    for quantile, milliseconds in (("0.5", found.p50), ("0.99", found.p99)):
        if milliseconds is not None:
            yield Sample("request_duration_seconds", milliseconds / 1000, {"quantile": quantile})
    if found.minutes_since is not None:
        yield Sample("prediction_age_seconds", found.minutes_since * 60)
