"""The sections of the report, each a card; an empty section is left out."""

from collections.abc import Iterable, Iterator
from typing import Final

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.drift.histograms import HistogramPair
from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.fairness import ColumnFairness
from functions.monitor.performance.measure import Performance
from functions.monitor.report import charts, tables
from functions.monitor.report.markup import display, element, text
from functions.monitor.report.summary import chapters
from functions.monitor.report.wording import describe, metric_name, number, percent, plural
from functions.monitor.results import Results
from sklambda.manifest import MetricInterval

_MAX_FIGURES: Final = 12
"""How many changed columns are drawn at once; the others unfold."""

_SCORE: Final = element("span", " score", class_="quiet")

_NO_REASON: Final = "No metric dropped; drift alone does not trigger retraining."

_EXPLANATION: Final = (
    "Effect: Wasserstein's distance in standard deviations of training; of categories the "
    "Jensen-Shannon distance; of rates their difference. A column has changed if its effect "
    "reaches the threshold and is significant, corrected for the number of checks. Detectable: "
    "the smallest effect that is found in 4 of 5 such windows. Impact: the effect in units of its "
    "threshold, times the weight of the feature in the model."
)


def facts(results: Results) -> Iterator[tuple[str, str]]:
    """Return the facts at the head of the report, as names and plain text."""
    window = results.window
    yield "Predictions", number(window.rows)
    yield "Hours with predictions", number(window.hours)
    if window.late:
        yield "Late", number(window.late)
    if window.mode:
        yield "Captured", window.mode


def sections(results: Results) -> str:
    """Write all sections, the most important first."""
    parts = [
        _summary(results),
        _decision(results),
        _diagnosis(results),
        _changes(results),
        _performance(results),
        _history(results),
        _fairness(results),
        _traffic(results),
        _comparisons(results),
        _checks(results),
        _columns(results),
    ]
    return "\n".join(filter(None, parts))


def _summary(results: Results) -> str:
    parts = [
        element("h3", text(title))
        + element("ul", *(element("li", text(one)) for one in sentences), class_="said")
        for title, sentences in chapters(results)
    ]
    return _card("short", "Summary", *parts, class_="card lead")


def _decision(results: Results) -> str:
    if results.retrain:
        decision, reasons = "\N{BLACK UP-POINTING TRIANGLE} Retrain", results.retrain
    elif results.held:
        decision, reasons = "\N{WHITE CIRCLE} Not yet", results.held
    else:
        decision, reasons = "\N{BLACK CIRCLE} No", (_NO_REASON,)
    kind = "changed" if results.retrain else "stable"
    badge = element("p", element("span", text(decision), class_=f"state {kind}"))
    items = element("ul", *(element("li", text(one)) for one in reasons), class_="reasons")
    return _card("retrain", "Retrain?", badge, items)


def _diagnosis(results: Results) -> str:
    diagnosis = results.diagnosis
    if diagnosis is None:
        return ""
    reason = element("p", element("b", text(diagnosis.alarm)), ": ", text(diagnosis.reason))
    parts = [reason, element("div", *_causes(diagnosis), class_="grid-of-charts")]
    if diagnosis.changes:
        items = (element("li", text(one)) for one in diagnosis.changes)
        parts.append(element("h3", "Recent changes") + element("ul", *items, class_="reasons"))
    return _card("diagnosis", "The alarm", *parts)


def _causes(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.slowest:
        yield tables.classes("slowest", "Slowest requests", diagnosis.slowest, False)
    if diagnosis.failing:
        yield tables.classes("failing", "Failing requests", diagnosis.failing, True)
    if diagnosis.models:
        rows = [
            [element("code", text(package[:12])), text(number(count))]
            for package, count in diagnosis.models.items()
        ]
        yield tables.table("models", "Requests by package", ("Package", "Requests"), rows)


def _changes(results: Results) -> str:
    """Draw the columns that have changed since training in any check, scores after features."""
    verdicts = _verdicts(results)
    names = list(dict.fromkeys((one.about, one.name) for one in verdicts if one.changed))
    pairs = {(one.about, one.name): one for one in results.pictures}
    figures = [
        _figure(pairs[name], f"changed-{place}", [v for v in verdicts if (v.about, v.name) == name])
        for place, name in enumerate(names)
        if name in pairs
    ]
    if not figures:
        return ""
    first, others = _grid(figures[:_MAX_FIGURES]), figures[_MAX_FIGURES:]
    count = plural(len(others), "more column")
    folded = tables.folded(count, _grid(others)) if others else ""
    return _card("changed", "What has changed", _legend(), first, folded)


def _figure(pair: HistogramPair, key: str, verdicts: Iterable[Verdict] = ()) -> str:
    title = element("h3", display(pair.name), _SCORE if pair.about == "prediction" else "")
    clauses = "; ".join(describe(one) for one in verdicts if one.changed)
    description = element("p", text(clauses), class_="quiet") if clauses else ""
    caption = element("figcaption", title, description)
    return element("figure", caption, charts.distribution(pair, key))


def _legend() -> str:
    return element(
        "p",
        element("span", class_="key then-key"), "training, grey area ",
        element("span", class_="key now-key"), "window, outlined",
        class_="legend quiet",
    )  # fmt: skip


def _performance(results: Results) -> str:
    parts = []
    for place, one in enumerate(results.performance):
        if one.trained or one.realised or one.estimated:
            parts.append(tables.performance(f"performance-{place}", one))
            parts.append(_outcomes(one))
    parts.append(_metrics_over_time(results))
    return _card("performance", "Performance", *parts) if any(parts) else ""


def _outcomes(one: Performance) -> str:
    sentences = f"{plural(one.labelled, 'outcome')}."
    if one.concept is not None and one.concept.rows:
        sentences += (
            f" Of {plural(one.concept.rows, 'prediction')} with an outcome "
            f"{percent(one.concept.realised)} were right; their scores predict "
            f"{percent(one.concept.expected)} (z = {number(one.concept.z)})."
        )
    return element("p", text(sentences), class_="quiet")


def _metrics_over_time(results: Results) -> str:
    history, trained = results.history, _trained_metrics(results)
    names = list(dict.fromkeys(n for one in history for n in (*one.realised, *one.estimated)))
    figures = []
    for place, name in enumerate(names):
        chart = charts.performance_over_time(history, name, trained.get(name), f"metric-{place}")
        caption = element("figcaption", element("h3", text(metric_name(name))))
        figures.append(element("figure", caption, chart))
    if not figures:
        return ""
    legend = element(
        "p",
        element("span", class_="key dot-key"), "realised, with its interval ",
        element("span", class_="key band-key"), "estimated, dashed ",
        element("span", class_="key trained-key"), "training, dotted",
        class_="legend quiet",
    )  # fmt: skip
    return legend + _grid(figures)


def _trained_metrics(results: Results) -> dict[str, MetricInterval]:
    """Return the metrics of training by the names of the history: of several targets with each."""
    performance = results.performance
    by_name = dict(performance[0].trained) if performance else {}
    for one in performance:
        by_name |= {f"{one.target}: {name}": metric for name, metric in one.trained.items()}
    return by_name


def _history(results: Results) -> str:
    history = results.history
    if len(history) < 2:
        return ""
    names = list(dict.fromkeys(name for one in history for name in one.scores))
    figures = [
        element(
            "figure",
            element("figcaption", element("h3", display(name), _SCORE)),
            charts.scores_over_time(history, name, f"score-{place}"),
        )
        for place, name in enumerate(names)
    ]
    volume = element(
        "figure",
        element("figcaption", element("h3", "Predictions")),
        charts.volume_over_time(history, "volume"),
    )
    band = "Band: from the 10 % to the 90 % quantile; line: the median."
    note = element("p", band, class_="legend quiet")
    table = tables.folded("Table", tables.history("history", history))
    return _card("time", "Over time", note, _grid([*figures, volume]), table)


def _fairness(results: Results) -> str:
    parts = [_groups(one, place) for place, one in enumerate(results.groups) if one.treatments]
    return _card("fairness", "Fairness", *parts) if parts else ""


def _groups(column: ColumnFairness, place: int) -> str:
    groups = column.treatments.items()
    rates = {
        "Selection rate": {name: one.selection for name, one in groups},
        "True positive rate": {name: one.true_positive for name, one in groups},
        "False positive rate": {name: one.false_positive for name, one in groups},
    }
    figures = [
        element(
            "figure",
            element("figcaption", element("h3", text(title))),
            charts.rates(by_group, f"{title} by {column.column}", f"group-{place}-{row}"),
        )
        for row, (title, by_group) in enumerate(rates.items())
        if any(one.rows for one in by_group.values())
    ]
    name = element("h3", "By ", display(column.column))
    table = tables.group_rates(f"group-{place}", column.column, column.treatments)
    return name + _grid(figures) + tables.folded("Table", table)


def _traffic(results: Results) -> str:
    traffic = results.traffic
    if traffic is None:
        return ""
    share = None if not traffic.requests else (traffic.problems or 0) / traffic.requests
    values = {
        "Requests": number(traffic.requests),
        "Refused or failed": f"{number(traffic.problems)} ({percent(share)})",
        "Median latency": f"{number(traffic.p50)} ms",
        "p99 latency": f"{number(traffic.p99)} ms",
        "Last prediction": f"{number(traffic.minutes_since)} minutes ago",
    }
    pairs = (
        element("div", element("dt", text(name)), element("dd", text(value)))
        for name, value in values.items()
    )
    return _card("traffic", "Traffic", element("dl", *pairs, class_="facts"))


def _comparisons(results: Results) -> str:
    if len(results.comparisons) < 2:
        return ""
    parts = [tables.comparisons("compared", results.comparisons)]
    for place, one in enumerate(results.comparisons[1:]):
        verdicts = (*one.findings.features, *one.findings.predictions)
        changed = [verdict for verdict in verdicts if verdict.changed]
        if changed:
            caption = f"Compared with {tables.NAMES.get(one.name, one.name)}"
            table = tables.verdicts(f"compared-{place}", caption, changed)
            parts.append(tables.folded(caption, table))
    return _card("compared", "Comparisons", *parts)


def _checks(results: Results) -> str:
    verdicts = _verdicts(results)
    if not verdicts:
        return ""
    changed = [one for one in verdicts if one.changed]
    unchanged = [one for one in verdicts if not one.changed]
    parts = []
    if changed:
        parts.append(tables.verdicts("ranked", "Changes since training, by impact", changed))
    if unchanged:
        table = tables.verdicts("unchanged", "Checks without a change, by impact", unchanged)
        parts.append(tables.folded(f"{plural(len(unchanged), 'check')} without a change", table))
    parts.append(element("p", text(_EXPLANATION), class_="quiet note"))
    return _card("ranked-all", "All checks", *parts)


def _columns(results: Results) -> str:
    if not results.pictures:
        return ""
    figures = [_figure(one, f"all-{place}") for place, one in enumerate(results.pictures)]
    count = plural(len(figures), "distribution")
    folded = tables.folded(f"{count}, compared with training", _legend() + _grid(figures))
    return _card("all", "All columns", folded)


def _verdicts(results: Results) -> list[Verdict]:
    """Return the verdicts of the comparison with training."""
    for comparison in results.comparisons[:1]:
        return [*comparison.findings.features, *comparison.findings.predictions]
    return []


def _card(key: str, title: str, *content: str, class_: str = "card") -> str:
    heading = element("h2", text(title), id=f"{key}-title")
    return element("section", heading, *content, class_=class_, aria_labelledby=f"{key}-title")


def _grid(figures: Iterable[str]) -> str:
    """Lay out figures side by side, as many as fit."""
    return element("div", *figures, class_="grid-of-charts")
