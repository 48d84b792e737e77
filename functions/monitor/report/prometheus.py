"""The metrics of a run for Prometheus, in the text exposition format 0.0.4."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, isnan
from typing import Final, get_args

from functions.monitor.alarms.traffic import Traffic
from functions.monitor.drift.verdict import State, Verdict
from functions.monitor.performance.measure import Performance
from functions.monitor.report.wording import changed_names, estimate_interval
from functions.monitor.results import Results
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

HELP: Final = {
    "report_timestamp_seconds": "When the window of the report ended.",
    "predictions": "Predictions of the window.",
    "late_predictions": "Predictions that arrived after their hour was counted.",
    "state": "1 for the state of the comparison with training, 0 for the others.",
    "checks": "Checks of columns.",
    "changed_columns": "Features, or scores and labels, that have changed since training.",
    "effect": "The size of the difference from training.",
    "effect_threshold": "The threshold of the effect.",
    "p_value": "The p-value of the difference, before the correction for many checks.",
    "impact": "The effect in units of its threshold, times the weight of the feature.",
    "changed": "1 if the check found a change.",
    "score": "Quantiles of a score in the last hour or day of the history.",
    "performance": "A metric: in training, realised or estimated.",
    "performance_low": "The lower end of the 95 % interval.",
    "performance_high": "The upper end of the 95 % interval.",
    "outcomes": "Predictions with an outcome.",
    "dropped_metrics": "Metrics that are significantly worse than in training.",
    "concept_alarm": "1 if the test for concept drift raises an alarm.",
    "concept_p_value": "The p-value of the test for concept drift.",
    "group_rate": "The rates of a group: selected, true_positive or false_positive.",
    "group_rate_low": "The lower end of the 95 % interval.",
    "group_rate_high": "The upper end of the 95 % interval.",
    "requests": "Requests of the window.",
    "request_problems": "Requests that were refused or failed.",
    "request_duration_seconds": "Quantiles of the latency of requests.",
    "prediction_age_seconds": "The time since the last prediction.",
    "retrain": "1 if the policy requests retraining.",
}
"""The description of each metric, by its name without ``sklambda_``."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric with its labels."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def text(results: Results) -> str:
    """Write the metrics of a run, all of them gauges with the label ``model``."""
    families: dict[str, list[Sample]] = {name: [] for name in HELP}
    for sample in samples(results):
        families[sample.name].append(sample)
    return "".join(_family(results.model, name, some) for name, some in families.items() if some)


def samples(results: Results) -> Iterator[Sample]:
    """Return the samples of a run; unknown values are left out."""
    everything = (
        *_window(results),
        *_checks(results),
        *_scores(results),
        *(sample for one in results.performance for sample in _performance(one)),
        *_groups(results),
        *_traffic(results.traffic or Traffic()),
    )
    yield from (sample for sample in everything if not isnan(sample.value))


def _family(model: str, name: str, family: list[Sample]) -> str:
    head = f"# HELP sklambda_{name} {HELP[name]}\n# TYPE sklambda_{name} gauge\n"
    return head + "".join(_line(sample, model) for sample in family)


def _line(sample: Sample, model: str) -> str:
    labels = {"model": model, **sample.labels}
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"sklambda_{sample.name}{{{pairs}}} {_number(sample.value)}\n"


def _escaped(value: str) -> str:
    r"""Escape the backslash, the quote and the line feed, as the format requires."""
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
        for about, verdicts in kinds.items():
            yield Sample("checks", len(verdicts), {"about": about})
            yield Sample("changed_columns", len(changed_names(verdicts)), {"about": about})
        for one in (verdict for some in kinds.values() for verdict in some if verdict.rows):
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
    sources: dict[str, Mapping[str, Interval | MetricInterval]] = {
        "training": one.trained,
        "realised": one.realised,
        "estimated": {name: estimate_interval(metric) for name, metric in one.estimated.items()},
    }
    for source, metrics in sources.items():
        for name, metric in metrics.items():
            labels = {"target": one.target, "metric": name, "source": source}
            yield from _interval("performance", metric, labels)
    target = {"target": one.target}
    yield Sample("outcomes", one.labelled, target)
    yield Sample("dropped_metrics", len(one.dropped), target)
    if one.concept is not None:
        yield Sample("concept_alarm", one.concept.alarm, target)
        yield Sample("concept_p_value", one.concept.p, target)


def _groups(results: Results) -> Iterator[Sample]:
    for column in results.groups:
        for name, one in column.treatments.items():
            rates = {
                "selected": one.selection,
                "true_positive": one.true_positive,
                "false_positive": one.false_positive,
            }
            for rate, value in rates.items():
                labels = {"column": column.column, "group": name, "rate": rate}
                yield from _interval("group_rate", value, labels)


def _interval(
    name: str, metric: Interval | MetricInterval, labels: Mapping[str, str]
) -> Iterator[Sample]:
    yield Sample(name, metric.value, labels)
    yield Sample(f"{name}_low", metric.low, labels)
    yield Sample(f"{name}_high", metric.high, labels)


def _traffic(traffic: Traffic) -> Iterator[Sample]:
    if traffic.requests is not None:
        yield Sample("requests", traffic.requests)
    if traffic.problems is not None:
        yield Sample("request_problems", traffic.problems)
    for quantile, milliseconds in (("0.5", traffic.p50), ("0.99", traffic.p99)):
        if milliseconds is not None:
            yield Sample("request_duration_seconds", milliseconds / 1000, {"quantile": quantile})
    if traffic.minutes_since is not None:
        yield Sample("prediction_age_seconds", traffic.minutes_since * 60)
