"""The summary of a run in plain sentences: what changed, whether it matters, and what to do."""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.fairness import ColumnFairness
from functions.monitor.performance.measure import Performance
from functions.monitor.report.wording import (
    changed_names,
    column_label,
    describe,
    enumeration,
    format_span,
    interval,
    metric_name,
    number,
    p_value,
    percent,
    plural,
)
from functions.monitor.results import Comparison, Results
from functions.monitor.statistics.intervals import Interval

MAX_HEADLINE: Final = 100

_MAX_CLAUSES: Final = 5
_EARLIER: Final = {"previous": "the window before", "last week": "the same hours last week"}
_QUALITY_CHECKS: Final = frozenset({"missing", "unseen", "out_of_range", "coerced", "constant"})


def headline(results: Results) -> str:
    """Return a line of at most 100 printable ASCII characters, the subject of a message."""
    parts = ["; ".join(_headline(results))]
    if results.diagnosis is not None:
        parts.insert(0, f"alarm {results.diagnosis.alarm}")
    line = f"{results.model}: {'; '.join(parts)}".encode("ascii", "replace").decode()
    line = "".join(one if one.isprintable() else " " for one in line)
    return line if len(line) <= MAX_HEADLINE else f"{line[: MAX_HEADLINE - 3]}..."


def summary(results: Results) -> list[str]:
    """Return the sentences of the summary, as plain text."""
    return [sentence for _, sentences in chapters(results) for sentence in sentences]


def chapters(results: Results) -> list[tuple[str, list[str]]]:
    """Return the sentences under their titles; a title without sentences is left out."""
    titled = {
        "The alarm": _alarm(results),
        "What changed": _changes(results),
        "Does it matter?": _performance_and_fairness(results),
        "What to do": _advice(results),
    }
    written = [(title, list(sentences)) for title, sentences in titled.items()]
    return [(title, sentences) for title, sentences in written if sentences]


def _headline(results: Results) -> Iterator[str]:
    if results.state == "no_data":
        yield "no predictions"
        return
    dropped, has_concept_drift = performance_problems(results)
    compared = results.comparisons[:1]
    features = changed_names(one for each in compared for one in each.findings.features)
    if features:
        yield f"{plural(len(features), 'feature')} changed"
    elif results.state == "changed":
        yield "the predictions changed"
    elif results.state == "insufficient_data":
        yield "too few predictions to judge"
    else:
        yield "data stable" if dropped or has_concept_drift else "stable"
    if dropped:
        yield f"{enumeration([metric_name(name) for name in dropped], 2)} dropped"
    if has_concept_drift:
        yield "concept drift"
    if results.retrain:
        yield "retrain"


def _alarm(results: Results) -> Iterator[str]:
    diagnosis = results.diagnosis
    if diagnosis is None:
        return
    yield f"Alarm {diagnosis.alarm}: {diagnosis.reason}"
    if diagnosis.slowest:
        name, count, milliseconds = diagnosis.slowest[0]
        requests = plural(count, "request")
        yield f"Slowest requests: {name} (p99 {number(milliseconds)} ms, {requests})."
    if diagnosis.failing:
        name, count, share = diagnosis.failing[0]
        requests = plural(count, "request")
        yield f"Most frequent failure: {name} ({requests}, {percent(share)} of this path)."
    yield from diagnosis.changes


def _changes(results: Results) -> Iterator[str]:
    span = format_span(results.window.start, results.window.stop)
    predictions = plural(results.window.rows, "prediction")
    if results.state == "no_data":
        yield f"There are no predictions from {span}."
        return
    if results.state == "insufficient_data":
        yield f"No change was found, but {predictions} from {span} are too few to call it stable."
    elif results.state == "stable":
        yield f"The data has not changed since training ({predictions} from {span})."
    for comparison in results.comparisons[:1]:
        yield from _since_training(comparison)
    for comparison in results.comparisons[1:]:
        yield from _other_comparison(comparison)
    if results.window.late:
        late = plural(results.window.late, "prediction")
        yield f"{late} arrived after their hour was counted."


def _since_training(comparison: Comparison) -> Iterator[str]:
    features = comparison.findings.features
    total = plural(len({one.name for one in features if one.name}), "feature")
    names = changed_names(features)
    if names:
        verb = "has" if len(names) == 1 else "have"
        yield f"{len(names)} of {total} {verb} changed since training: {_clauses(features)}."
    yield from (f"{describe(one)}." for one in features if one.changed and not one.name)
    predictions = comparison.findings.predictions
    if changed_names(predictions):
        yield f"The predictions have changed since training: {_clauses(predictions)}."


def _clauses(verdicts: Iterable[Verdict]) -> str:
    clauses = [describe(one) for one in verdicts if one.changed and one.name]
    further = len(clauses) - _MAX_CLAUSES
    return "; ".join(clauses[:_MAX_CLAUSES]) + (f"; and {further} more" if further > 0 else "")


def _other_comparison(comparison: Comparison) -> Iterator[str]:
    findings = comparison.findings
    if findings.state != "changed":
        return
    verdicts = (*findings.features, *findings.predictions)
    labels = dict.fromkeys(column_label(one) for one in verdicts if one.changed and one.name)
    columns = enumeration(list(labels))
    if comparison.name == "challenger":
        yield f"The challenger differs from the champion in {columns}."
    elif comparison.name in _EARLIER:
        yield f"Changed since {_EARLIER[comparison.name]}: {columns}."
    else:
        yield f"Changed since the window before, where {comparison.name}: {columns}."


def _performance_and_fairness(results: Results) -> Iterator[str]:
    for one in results.performance:
        yield from _performance(one, f" of {one.target}" if len(results.performance) > 1 else "")
    for column in results.groups:
        yield from _fairness(column)


def _performance(one: Performance, of: str) -> Iterator[str]:
    if one.dropped:
        yield _drop(one, of)
    if has_concept_drift(one):
        yield _concept_drift(one, of)
    elif (name := _first_metric(one.realised)) and not one.dropped:
        yield (
            f"The {metric_name(name)}{of} is {_by_outcomes(one, name)}"
            f"{_in_training(one, name)}: no significant drop."
        )
    elif (name := _first_metric(one.estimated)) and not one.dropped:
        estimate = number(one.estimated[name].value)
        yield (
            f"There are no outcomes yet. The {metric_name(name)}{of} is estimated at "
            f"{estimate}{_in_training(one, name)}."
        )


def _first_metric(metrics: Mapping[str, Interval | Estimate]) -> str:
    """Return the first metric with a value; the bias, which is informative least, only alone."""
    names = [name for name, metric in metrics.items() if isfinite(metric.value)]
    return min(names, key="bias".__eq__, default="")


def _drop(one: Performance, of: str) -> str:
    """Return a sentence with the values of the first metric, and the names of the others."""
    first, *others = one.dropped
    name = first.removeprefix("estimated ")
    if name == first:
        value = _by_outcomes(one, name)
    else:
        realised = f"realised {_by_outcomes(one, name)}" if name in one.realised else "no outcomes"
        value = f"estimated at {number(one.estimated[name].value)}, {realised}"
    sentence = f"The {metric_name(name)}{of} is worse than in training: {value}"
    sentence += f"{_in_training(one, name)}."
    if not others:
        return sentence
    verb = "is" if len(others) == 1 else "are"
    return f"{sentence} Also worse {verb} {enumeration([metric_name(other) for other in others])}."


def _by_outcomes(one: Performance, name: str) -> str:
    return f"{interval(one.realised[name])} by {plural(one.labelled, 'outcome')}"


def _in_training(one: Performance, name: str) -> str:
    return f"; in training {interval(one.trained[name])}" if name in one.trained else ""


def _concept_drift(one: Performance, of: str) -> str:
    test = one.concept
    assert test is not None
    p = p_value(test.p)
    return (
        f"Concept drift{of}: {percent(test.realised)} of {plural(test.rows, 'prediction')} were "
        f"right, but their scores predict {percent(test.expected)} "
        f"(p {p if p.startswith('<') else f'= {p}'})."
    )


def _fairness(column: ColumnFairness) -> Iterator[str]:
    """Return a sentence about the extreme groups if their intervals do not overlap."""
    rates = {name: one.selection for name, one in column.treatments.items() if one.rows}
    if len(rates) < 2:
        return
    least = min(rates, key=lambda name: rates[name].value)
    most = max(rates, key=lambda name: rates[name].value)
    if rates[least].high < rates[most].low:
        yield (
            f"{column.column}: the selection rate is {percent(rates[most].value)} for {most} and "
            f"{percent(rates[least].value)} for {least}; the difference is significant."
        )


def _advice(results: Results) -> Iterator[str]:
    if results.retrain:
        yield f"Retrain: {enumeration(results.retrain)}."
    elif results.held:
        yield f"Do not retrain yet: {enumeration(results.held)}."
    if results.state != "changed" or not results.comparisons:
        if not results.retrain and not results.held and results.state == "stable":
            yield "No action is needed."
        return
    features = results.comparisons[0].findings.features
    names = changed_names(one for one in features if one.check in _QUALITY_CHECKS)
    if names:
        yield f"First check the source of {enumeration(names)}: the data quality has changed."
    elif not results.retrain and not results.held:
        yield _advice_on_drift(results)


def _advice_on_drift(results: Results) -> str:
    if any(one.dropped or has_concept_drift(one) for one in results.performance):
        return "First check the performance."
    if any(one.realised for one in results.performance):
        return "No metric dropped: drift alone is no reason to retrain."
    return (
        "Only outcomes show whether it matters: send some to POST /feedback. "
        "Drift alone is no reason to retrain."
    )


def performance_problems(results: Results) -> tuple[list[str], bool]:
    """Return the metrics that dropped, and whether there is concept drift."""
    dropped = [name for one in results.performance for name in one.dropped]
    return dropped, any(has_concept_drift(one) for one in results.performance)


def has_concept_drift(one: Performance) -> bool:
    """Return whether the test for concept drift of a target raises an alarm."""
    return one.concept is not None and one.concept.alarm
