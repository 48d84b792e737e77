from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.fairness import Group
from functions.monitor.performance.measure import Performance
from functions.monitor.report.wording import (
    called,
    chance,
    changed_names,
    interval,
    listed,
    metric,
    number,
    percent,
    phrase,
    several,
    span,
)
from functions.monitor.results import Comparison, Results
from functions.monitor.statistics.intervals import Interval

LONGEST_HEADLINE: Final = 100
_MOST: Final = 5
_BESIDE: Final = {
    "previous": "the window before",
    "last week": "the same hours last week",
    "challenger": "the challenger's",
}
_TROUBLES: Final = frozenset({"missing", "unseen", "out_of_range", "coerced", "constant"})


def headline(results: Results) -> str:
    """Say it in one line of at most 100 ASCII characters, as the subject of a message has it."""
    parts = ["; ".join(_outcome(results))]
    if results.diagnosis is not None:
        parts.insert(0, f"alarm {results.diagnosis.alarm}")
    line = f"{results.model}: {'; '.join(parts)}".encode("ascii", "replace").decode()
    line = "".join(one if one.isprintable() else " " for one in line)
    return line if len(line) <= LONGEST_HEADLINE else f"{line[: LONGEST_HEADLINE - 3]}..."


def summary(results: Results) -> list[str]:
    """Say it in a few sentences, plain text: what changed, whether it matters, what to do."""
    return [sentence for _, sentences in chapters(results) for sentence in sentences]


def chapters(results: Results) -> list[tuple[str, list[str]]]:
    """Say the same under titles; one under which there is nothing to say is left out."""
    said = {
        "What sounded": _alarm(results),
        "What changed": _changes(results),
        "Does it matter?": matters(results),
        "What to do": _advice(results),
    }
    written = [(title, list(sentences)) for title, sentences in said.items()]
    return [(title, sentences) for title, sentences in written if sentences]


def _outcome(results: Results) -> Iterator[str]:
    if results.state == "no_data":
        yield "no predictions"
        return
    dropped, drifted = troubles(results)
    found = results.comparisons[:1]
    features = changed_names(one for beside in found for one in beside.findings.features)
    if features:
        yield f"{several(len(features), 'feature')} changed"
    elif results.state == "changed":
        yield "the answers changed"
    elif results.state == "insufficient_data":
        yield "too few predictions to judge"
    else:
        yield "data stable" if dropped or drifted else "stable"
    if dropped:
        yield f"{listed([metric(name) for name in dropped], 2)} dropped"
    if drifted:
        yield "concept drift"
    if results.retrain:
        yield "retrain"


def _alarm(results: Results) -> Iterator[str]:
    found = results.diagnosis
    if found is None:
        return
    yield f"The alarm {found.alarm} sounded: {found.reason}"
    if found.slowest:
        name, many, milliseconds = found.slowest[0]
        yield f"Slowest: {name} ({number(milliseconds)} ms, {several(many, 'request')})."
    if found.failing:
        name, many, share = found.failing[0]
        yield f"What fails most: {name} ({percent(share)} of {several(many, 'request')})."
    yield from found.changes


def _changes(results: Results) -> Iterator[str]:
    rows, when = results.window.rows, span(results.window.start, results.window.stop)
    if results.state == "no_data":
        yield f"There was no prediction from {when}."
        return
    many = several(rows, "prediction")
    if results.state == "insufficient_data":
        yield f"{many} from {when} are too few to call anything stable; no change shows in them."
    elif results.state == "stable":
        yield f"The data has not changed since training, by {many} from {when}."
    for place, comparison in enumerate(results.comparisons):
        yield from _trained(comparison) if not place else _beside(comparison)
    if results.window.late:
        yield f"{several(results.window.late, 'prediction')} came after their hour was counted."


def _trained(comparison: Comparison) -> Iterator[str]:
    features = comparison.findings.features
    every = {one.name for one in features if one.name}
    names = changed_names(features)
    if names:
        verb = "has" if len(names) == 1 else "have"
        yield (
            f"Of {several(len(every), 'feature')} {len(names)} {verb} changed since training: "
            f"{_phrases(features)}."
        )
    rows = [one for one in features if one.changed and not one.name]
    yield from (f"{phrase(one)}." for one in rows)
    answers = comparison.findings.predictions
    if changed_names(answers):
        yield f"The answers have changed: {_phrases(answers)}."


def _phrases(verdicts: Iterable[Verdict]) -> str:
    found = [phrase(one) for one in verdicts if one.changed and one.name]
    more = f"; and {len(found) - _MOST} more findings" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _beside(comparison: Comparison) -> Iterator[str]:
    found = comparison.findings
    if found.state != "changed":
        return
    every = (*found.features, *found.predictions)
    names = list(dict.fromkeys(called(one) for one in every if one.changed and one.name))
    if comparison.name in _BESIDE:
        yield f"Compared with {_BESIDE[comparison.name]}, {listed(names)} differ."
    else:
        yield f"Where {comparison.name}, {listed(names)} differ from training."


def matters(results: Results) -> Iterator[str]:
    """Say how good the answers are, and whether groups are treated alike."""
    for one in results.performance:
        yield from _performance(one, len(results.performance) > 1)
    for group in results.groups:
        yield from _fairness(group)


def _performance(one: Performance, several_targets: bool) -> Iterator[str]:
    of = f" of {one.target}" if several_targets else ""
    if one.dropped:
        yield _drop(one, of)
    if alarmed(one):
        yield _concept(one, of)
    elif (name := _first(one.realised)) and not one.dropped:
        figure = one.realised[name]
        yield (
            f"The {metric(name)}{of} is {interval(figure)} by {several(one.labelled, 'outcome')}"
            f"{_then(one, name)}: no worse than chance explains."
        )
    elif (name := _first(one.estimated)) and not one.dropped:
        estimate = one.estimated[name]
        yield (
            f"No outcome is known yet. The {metric(name)}{of} is estimated at "
            f"{number(estimate.value)}{_then(one, name)}."
        )


def _first(figures: Mapping[str, Interval | Estimate]) -> str:
    """Name the first metric that has a figure; that of the direction of errors tells the least."""
    known = [name for name, figure in figures.items() if isfinite(figure.value)]
    return min(known, key="bias".__eq__, default="")


def _drop(one: Performance, of: str) -> str:
    """Tell the figures of the first metric, and the names of the others."""
    first, *others = one.dropped
    name = first.removeprefix("estimated ")
    if name == first:
        shown = f"{interval(one.realised[name])} by {several(one.labelled, 'outcome')}"
    else:
        shown = f"estimated at {number(one.estimated[name].value)}, {_realised(one, name)}"
    said = f"The {metric(name)}{of} is worse than in training: {shown}{_then(one, name)}."
    if not others:
        return said
    verb = "is" if len(others) == 1 else "are"
    return f"{said} So {verb} {listed([metric(other) for other in others])}."


def _realised(one: Performance, name: str) -> str:
    if name not in one.realised:
        return "without outcomes"
    return f"and {interval(one.realised[name])} by {several(one.labelled, 'outcome')}"


def _then(one: Performance, name: str) -> str:
    return f"; in training {interval(one.trained[name])}" if name in one.trained else ""


def _concept(one: Performance, of: str) -> str:
    found = one.concept
    assert found is not None
    return (
        f"The scores{of} no longer mean what they meant (concept drift): "
        f"{percent(found.realised)} of {several(found.rows, 'answer')} were right where "
        f"{percent(found.expected)} were to be expected (p {_equal(chance(found.p))})."
    )


def _equal(shown: str) -> str:
    return shown if shown.startswith("<") else f"= {shown}"


def _fairness(group: Group) -> Iterator[str]:
    """Name two groups only where their intervals do not touch."""
    rates = {name: one.selection for name, one in group.treatments.items() if one.rows}
    if len(rates) < 2:
        return
    least = min(rates, key=lambda name: rates[name].value)
    most = max(rates, key=lambda name: rates[name].value)
    if rates[least].high < rates[most].low:
        yield (
            f"{group.column}: {most} is selected in {percent(rates[most].value)} of the cases, "
            f"{least} in {percent(rates[least].value)}; chance does not explain it."
        )


def _advice(results: Results) -> Iterator[str]:
    if results.retrain:
        yield f"Retrain: {listed(results.retrain)}."
    elif results.held:
        yield f"Do not retrain yet: {listed(results.held)}."
    if results.state != "changed" or not results.comparisons:
        if not results.retrain and not results.held and results.state == "stable":
            yield "Nothing is to be done."
        return
    features = results.comparisons[0].findings.features
    troubled = changed_names(one for one in features if one.check in _TROUBLES)
    if troubled:
        yield f"Look first at where {listed(troubled)} comes from: values are not what they were."
    elif not results.retrain and not results.held:
        yield _calm(results)


def _calm(results: Results) -> str:
    if any(one.dropped or alarmed(one) for one in results.performance):
        return "Look at the performance below before anything else."
    if any(one.realised for one in results.performance):
        return "The answers are as good as they were: a change alone is no reason to retrain."
    return (
        "Whether it matters only outcomes can tell: send some to POST /feedback. "
        "A change alone is no reason to retrain."
    )


def troubles(results: Results) -> tuple[list[str], bool]:
    """Give the metrics that have dropped, and whether scores mean something else than they did."""
    dropped = [name for one in results.performance for name in one.dropped]
    return dropped, any(alarmed(one) for one in results.performance)


def alarmed(one: Performance) -> bool:
    """Whether scores mean something else than they did."""
    return one.concept is not None and one.concept.alarm
