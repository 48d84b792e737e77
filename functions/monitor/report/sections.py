from collections.abc import Iterable, Iterator
from typing import Final

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.drift.histograms import Picture
from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.fairness import Group
from functions.monitor.performance.measure import Performance
from functions.monitor.report import charts, tables, timelines
from functions.monitor.report.markup import element, shown, text
from functions.monitor.report.summary import chapters
from functions.monitor.report.wording import metric, number, percent, phrase, several
from functions.monitor.results import Results
from sklambda.manifest import MetricInterval

_PICTURES: Final = 12
"""So many changed columns are drawn at once; the others unfold."""

_SCORE: Final = element("span", " score", class_="quiet")
_BAND: Final = "Band: from the 10 % to the 90 % quantile; line: the median."
_NOTHING: Final = "nothing speaks for it; a change alone never does"
_EXPLAINED: Final = (
    "Effect: Wasserstein's distance in standard deviations of training; of categories the distance "
    "of Jensen and Shannon; of rates their difference. A change is called one where the effect "
    "counts and chance does not explain it, over all checks together. Detectable: the least effect "
    "that would be found in 4 of 5 such windows. Impact: the effect in units of what counts, times "
    "the weight that the model gives the feature."
)


def facts(results: Results) -> Iterator[tuple[str, str]]:
    """Give what stands at the head of the report, as names and plain text."""
    window = results.window
    yield "Predictions", number(window.rows)
    yield "Hours with some", number(window.hours)
    if window.late:
        yield "Late", number(window.late)
    if window.mode:
        yield "Captured", window.mode


def sections(results: Results) -> str:
    """Write all sections, what matters most first."""
    parts = [
        _short(results),
        _decision(results),
        _diagnosis(results),
        changed(results),
        performance(results),
        over_time(results),
        fairness(results),
        _traffic(results),
        _compared(results),
        _ranked(results),
        pictures(results),
    ]
    return "\n".join(filter(None, parts))


def _short(results: Results) -> str:
    parts = [
        element("h3", text(title))
        + element("ul", *(element("li", text(one)) for one in said), class_="said")
        for title, said in chapters(results)
    ]
    return card("short", "In short", *parts, class_="card lead")


def _decision(results: Results) -> str:
    if results.retrain:
        words, reasons = "\N{BLACK UP-POINTING TRIANGLE} Retrain", results.retrain
    elif results.held:
        words, reasons = "\N{WHITE CIRCLE} Not yet", results.held
    else:
        words, reasons = "\N{BLACK CIRCLE} No", (_NOTHING,)
    kind = "changed" if results.retrain else "stable"
    badge = element("p", element("span", text(words), class_=f"state {kind}"))
    because = element("ul", *(element("li", text(one)) for one in reasons), class_="reasons")
    return card("retrain", "Retrain?", badge, because)


def _diagnosis(results: Results) -> str:
    found = results.diagnosis
    if found is None:
        return ""
    said = element("p", element("b", text(found.alarm)), ": ", text(found.reason))
    parts = [said, element("div", *_causes(found), class_="grid-of-charts")]
    if found.changes:
        items = (element("li", text(one)) for one in found.changes)
        parts.append(element("h3", "Changed since") + element("ul", *items, class_="reasons"))
    return card("diagnosis", "The alarm", *parts)


def _causes(found: Diagnosis) -> Iterator[str]:
    if found.slowest:
        yield tables.classes("slowest", "The slowest requests", found.slowest, False)
    if found.failing:
        yield tables.classes("failing", "What fails", found.failing, True)
    if found.models:
        answered = found.models.items()
        rows = [[element("code", text(name[:12])), text(number(many))] for name, many in answered]
        yield tables.table("models", "Who answered", ("Package", "Answers"), rows)


def changed(results: Results) -> str:
    """Draw what has changed since training, scores after features, whatever it was that changed."""
    found = verdicts(results)
    names = list(dict.fromkeys((one.about, one.name) for one in found if one.changed))
    drawn = {(one.about, one.name): one for one in results.pictures}
    figures = [
        _figure(drawn[name], f"changed-{place}", [v for v in found if (v.about, v.name) == name])
        for place, name in enumerate(names)
        if name in drawn
    ]
    if not figures:
        return ""
    more = tables.folded(
        f"{several(len(figures) - _PICTURES, 'more column')}", grid(figures[_PICTURES:])
    )
    rest = more if len(figures) > _PICTURES else ""
    return card("changed", "What has changed", _legend(), grid(figures[:_PICTURES]), rest)


def _figure(picture: Picture, key: str, found: Iterable[Verdict] = ()) -> str:
    title = element("h3", shown(picture.name), _about(picture))
    said = "; ".join(phrase(one) for one in found if one.changed)
    caption = element("figcaption", title, element("p", text(said), class_="quiet") if said else "")
    return element("figure", caption, charts.distribution(picture, key))


def _about(picture: Picture) -> str:
    return _SCORE if picture.about == "prediction" else ""


def _legend() -> str:
    return element(
        "p",
        element("span", class_="key then-key"), "training, grey area ",
        element("span", class_="key now-key"), "window, outlined",
        class_="legend quiet",
    )  # fmt: skip


def performance(results: Results) -> str:
    """Show how good the answers are: in training, by outcomes, and estimated."""
    parts = []
    for place, one in enumerate(results.performance):
        if not (one.trained or one.realised or one.estimated):
            continue
        parts.append(tables.performance(f"performance-{place}", one))
        parts.append(_labelled(one))
    parts.append(_metrics(results))
    return card("performance", "Performance", *parts) if any(parts) else ""


def _labelled(one: Performance) -> str:
    said = f"{several(one.labelled, 'outcome')} known."
    found = one.concept
    if found is not None and found.rows:
        said += (
            f" Of {several(found.rows, 'answer')} with an outcome {percent(found.realised)} were "
            f"right; by their scores {percent(found.expected)} were to be expected"
            f" (z = {number(found.z)})."
        )
    return element("p", text(said), class_="quiet")


def _metrics(results: Results) -> str:
    history = results.history
    names = list(dict.fromkeys(n for one in history for n in (*one.realised, *one.estimated)))
    trained = _trained(results)
    figures = [
        element("figure", element("figcaption", element("h3", text(metric(name)))), drawn)
        for place, name in enumerate(names)
        if (drawn := timelines.performance(history, name, trained.get(name), f"metric-{place}"))
    ]
    if not figures:
        return ""
    legend = element(
        "p",
        element("span", class_="key dot-key"), "realised, with its interval ",
        element("span", class_="key band-key"), "estimated, dashed ",
        element("span", class_="key trained-key"), "training, dotted",
        class_="legend quiet",
    )  # fmt: skip
    return legend + grid(figures)


def _trained(results: Results) -> dict[str, MetricInterval]:
    """Name the metrics of training as the history does: with the target where there are several."""
    found = results.performance
    named = dict(found[0].trained) if found else {}
    for one in found:
        named |= {f"{one.target}: {name}": figure for name, figure in one.trained.items()}
    return named


def over_time(results: Results) -> str:
    """Show scores and traffic over time."""
    history = results.history
    if len(history) < 2:
        return ""
    names = list(dict.fromkeys(name for one in history for name in one.scores))
    figures = [
        element(
            "figure",
            element("figcaption", element("h3", shown(name), _SCORE)),
            timelines.scores(history, name, f"score-{place}"),
        )
        for place, name in enumerate(names)
    ]
    volume = element(
        "figure",
        element("figcaption", element("h3", "Predictions")),
        timelines.volume(history, "volume"),
    )
    note = element("p", _BAND, class_="legend quiet")
    table = tables.folded("The figures", tables.history("history", history))
    return card("time", "Over time", note, grid([*figures, volume]), table)


def fairness(results: Results) -> str:
    """Show how groups are treated."""
    parts = [_group(one, place) for place, one in enumerate(results.groups) if one.treatments]
    return card("fairness", "Fairness", *parts) if parts else ""


def _group(group: Group, place: int) -> str:
    kinds = {
        "Selected": {name: one.selection for name, one in group.treatments.items()},
        "True positives": {name: one.true_positive for name, one in group.treatments.items()},
        "False positives": {name: one.false_positive for name, one in group.treatments.items()},
    }
    figures = [
        element(
            "figure",
            element("figcaption", element("h3", text(title))),
            charts.rates(found, f"{title} by {group.column}", f"group-{place}-{number_}"),
        )
        for number_, (title, found) in enumerate(kinds.items())
        if any(one.rows for one in found.values())
    ]
    name = element("h3", "By ", shown(group.column))
    table = tables.treatments(f"group-{place}", group.column, group.treatments)
    return name + grid(figures) + tables.folded("The figures", table)


def _traffic(results: Results) -> str:
    found = results.traffic
    if found is None:
        return ""
    share = None if not found.requests else (found.problems or 0) / found.requests
    facts = {
        "Requests": number(found.requests),
        "Refused or failed": f"{number(found.problems)} ({percent(share)})",
        "Median": f"{number(found.p50)} ms",
        "Slowest in a hundred": f"{number(found.p99)} ms",
        "Last prediction": f"{number(found.minutes_since)} minutes ago",
    }
    pairs = (
        element("div", element("dt", text(name)), element("dd", text(value)))
        for name, value in facts.items()
    )
    return card("traffic", "Traffic", element("dl", *pairs, class_="facts"))


def _compared(results: Results) -> str:
    if len(results.comparisons) < 2:
        return ""
    parts = [tables.comparisons("compared", results.comparisons)]
    for place, one in enumerate(results.comparisons[1:]):
        found = [*one.findings.features, *one.findings.predictions]
        if any(verdict.changed for verdict in found):
            caption = f"Compared with {tables.NAMES.get(one.name, one.name)}"
            ranked = tables.verdicts(f"compared-{place}", caption, (v for v in found if v.changed))
            parts.append(tables.folded(caption, ranked))
    return card("compared", "Comparisons", *parts)


def _ranked(results: Results) -> str:
    found = verdicts(results)
    if not found:
        return ""
    moved = [one for one in found if one.changed]
    rest = [one for one in found if not one.changed]
    parts = [tables.verdicts("ranked", "Changes since training, by impact", moved)] if moved else []
    if rest:
        table = tables.verdicts("unchanged", "What has not changed, by impact", rest)
        parts.append(tables.folded(f"{several(len(rest), 'check')} without a change", table))
    parts.append(element("p", text(_EXPLAINED), class_="quiet note"))
    return card("ranked-all", "All checks", *parts)


def pictures(results: Results) -> str:
    """Unfold the distributions of all columns."""
    if not results.pictures:
        return ""
    figures = [_figure(one, f"all-{place}") for place, one in enumerate(results.pictures)]
    drawn = _legend() + grid(figures)
    count = several(len(figures), "distribution")
    return card("all", "All columns", tables.folded(f"{count} beside training", drawn))


def verdicts(results: Results) -> list[Verdict]:
    """Give what the comparison with training found."""
    if not results.comparisons:
        return []
    found = results.comparisons[0].findings
    return [*found.features, *found.predictions]


def card(key: str, title: str, *content: str, class_: str = "card") -> str:
    """Write a card under its title."""
    heading = element("h2", text(title), id=f"{key}-title")
    return element("section", heading, *content, class_=class_, aria_labelledby=f"{key}-title")


def grid(figures: Iterable[str]) -> str:
    """Lay out figures side by side, as many as there is room for."""
    return element("div", *figures, class_="grid-of-charts")
