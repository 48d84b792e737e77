"""The sections of a report that are looked at: distributions, performance, time, fairness."""

from collections.abc import Iterable
from typing import Final

from functions.monitor import charts, tables, timelines
from functions.monitor.cards import card, grid, verdicts
from functions.monitor.markup import element, shown, text
from functions.monitor.phrases import phrase
from functions.monitor.results import Group, Performance, Picture, Results
from functions.monitor.verdict import Verdict
from functions.monitor.wording import metric, number, percent, several
from sklambda.manifest import MetricInterval

_SCORE: Final = element("span", " score", class_="quiet")

_BAND: Final = "Band: from the 10 % to the 90 % quantile; line: the median."

_PICTURES: Final = 12
"""So many changed columns are drawn at once; the others unfold."""


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


def pictures(results: Results) -> str:
    """Unfold the distributions of all columns."""
    if not results.pictures:
        return ""
    figures = [_figure(one, f"all-{place}") for place, one in enumerate(results.pictures)]
    drawn = _legend() + grid(figures)
    count = several(len(figures), "distribution")
    return card("all", "All columns", tables.folded(f"{count} beside training", drawn))
