"""The tables of the report: each scrolls on its own, also by keyboard, and folds if it is long."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from functions.monitor.drift.verdict import Check, State, Verdict
from functions.monitor.performance.fairness import GroupRates
from functions.monitor.performance.history import HistoryPoint
from functions.monitor.performance.measure import Performance
from functions.monitor.report.markup import display, element, text
from functions.monitor.report.summary import performance_problems
from functions.monitor.report.wording import (
    NONE,
    changed_names,
    enumeration,
    estimate_interval,
    format_time,
    interval,
    metric_name,
    number,
    p_value,
    percent,
)
from functions.monitor.results import Comparison, Results
from functions.monitor.statistics.intervals import Interval

STATES: Final[dict[State, str]] = {
    "changed": "\N{BLACK UP-POINTING TRIANGLE} changed",
    "stable": "\N{BLACK CIRCLE} stable",
    "insufficient_data": "\N{WHITE CIRCLE} insufficient data",
    "no_data": "\N{EN DASH} no data",
}
CHECKS: Final[dict[Check, str]] = {
    "distribution": "distribution",
    "missing": "missing",
    "unseen": "unseen category",
    "out_of_range": "out of range",
    "coerced": "converted type",
    "constant": "constant",
    "duplicated": "duplicated rows",
}
NAMES: Final = {
    "training": "training",
    "previous": "the window before",
    "last week": "the same hours last week",
    "challenger": "the challenger",
}

_VERDICT: Final = (
    "Column", "Check", "State", "Effect", "Threshold", "p", "Direction", "Detectable", "Weight",
    "Impact",
)  # fmt: skip
_LEFT: Final = frozenset({"Check", "State", "Direction", "Changed", "Group"})


def table(key: str, caption: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of cells that are markup; the first cell of a row is its header."""
    sides = [
        "left" if header in _LEFT or not place else None for place, header in enumerate(headers)
    ]
    head = "".join(
        element("th", text(name), scope="col", class_=side)
        for name, side in zip(headers, sides, strict=True)
    )
    body = "".join(element("tr", *_cells(row, sides)) for row in rows)
    return element(
        "div",
        element(
            "table",
            element("caption", text(caption), id=key),
            element("thead", element("tr", head)),
            element("tbody", body),
        ),
        class_="scroll",
        role="region",
        tabindex="0",
        aria_labelledby=key,
    )


def _cells(row: Sequence[str], sides: Sequence[str | None]) -> list[str]:
    first = element("th", row[0], scope="row", class_="left")
    rest = zip(row[1:], sides[1:], strict=True)
    return [first, *(element("td", cell, class_=side) for cell, side in rest)]


def folded(title: str, content: str) -> str:
    """Write content that unfolds by a click or the Enter key."""
    return element("details", element("summary", text(title)), content)


def badge(state: State) -> str:
    """Write a state with a sign, a word and a colour."""
    return element("span", text(STATES[state]), class_=f"state {state}")


def badges(results: Results) -> str:
    """Write the state of the data, and of the performance if that is worse."""
    if not any(performance_problems(results)):
        return badge(results.state)
    words = "\N{BLACK DOWN-POINTING TRIANGLE} performance dropped"
    dropped = element("span", text(words), class_="state changed")
    data = text(f"data {STATES[results.state]}")
    return dropped + " " + element("span", data, class_=f"state {results.state}")


def verdicts(key: str, caption: str, rows: Iterable[Verdict]) -> str:
    """Write verdicts in their order."""
    return table(key, caption, _VERDICT, map(_verdict, rows))


def _verdict(one: Verdict) -> list[str]:
    rate = one.check != "distribution"
    write = percent if rate else number
    return [
        display(one.name) if one.name else "all rows",
        text(CHECKS[one.check]),
        badge(one.state),
        text(write(one.effect)),
        text(write(one.least)),
        text(p_value(one.p)),
        text(_direction(one)),
        text(NONE if one.detectable is None else write(one.detectable)),
        text(percent(one.weight) if one.about == "feature" and one.name else NONE),
        text(number(one.impact)),
    ]


def _direction(one: Verdict) -> str:
    if one.direction == "mix":
        largest = one.shifts[:1]
        return "".join(f"{'more' if by > 0 else 'less'} {name}" for name, by in largest) or "mix"
    if one.before is None or one.after is None:
        return one.direction or NONE
    write = number if one.check == "distribution" else percent
    return f"{one.direction} {write(one.before)} \N{RIGHTWARDS ARROW} {write(one.after)}".strip()


def performance(key: str, one: Performance) -> str:
    """Write the metrics of a target: in training, realised, estimated."""
    names = list(dict.fromkeys([*one.realised, *one.estimated, *one.trained]))
    rows = [
        [
            text(metric_name(name)),
            text(interval(one.trained[name]) if name in one.trained else NONE),
            text(interval(one.realised[name]) if name in one.realised else NONE),
            text(
                interval(estimate_interval(one.estimated[name])) if name in one.estimated else NONE
            ),
            _metric_state(one, name),
        ]
        for name in names
    ]
    headers = ("Metric", "Training", "Realised", "Estimated", "State")
    return table(key, f"Performance of {one.target}, with 95 % intervals", headers, rows)


def _metric_state(one: Performance, name: str) -> str:
    if {name, f"estimated {name}"} & set(one.dropped):
        words, kind = "\N{BLACK DOWN-POINTING TRIANGLE} dropped", "changed"
    elif name in one.trained and (name in one.realised or name in one.estimated):
        words, kind = "\N{BLACK CIRCLE} no drop", "stable"
    else:
        return NONE
    return element("span", text(words), class_=f"state {kind}")


def group_rates(key: str, column: str, groups: Mapping[str, GroupRates]) -> str:
    """Write the rates of the groups of a column."""
    headers = (
        "Group",
        "Rows",
        "Outcomes",
        "Selection rate",
        "True positive rate",
        "False positive rate",
    )
    rows = [
        [
            display(name),
            text(number(one.rows)),
            text(number(one.labelled)),
            *(text(_rate(rate)) for rate in (one.selection, one.true_positive, one.false_positive)),
        ]
        for name, one in groups.items()
    ]
    return table(key, f"Fairness by {column}, with 95 % intervals", headers, rows)


def _rate(one: Interval) -> str:
    if percent(one.value) == NONE:
        return NONE
    return f"{percent(one.value)} ({percent(one.low)} to {percent(one.high)})"


def comparisons(key: str, compared: Iterable[Comparison]) -> str:
    """Write the comparisons of the window."""
    rows = [
        [
            display(NAMES.get(one.name, one.name)),
            badge(one.findings.state),
            text(number(one.findings.rows)),
            _named(changed_names([*one.findings.features, *one.findings.predictions])),
        ]
        for one in compared
    ]
    headers = ("Compared with", "State", "Rows", "Changed")
    return table(key, "Comparisons of the window", headers, rows)


def _named(names: list[str]) -> str:
    return text(enumeration(names)) if names else NONE


def history(key: str, points: Iterable[HistoryPoint]) -> str:
    """Write the values of the charts over time."""
    points = list(points)
    scores = list(dict.fromkeys(name for one in points for name in one.scores))
    metrics = list(dict.fromkeys(n for one in points for n in (*one.realised, *one.estimated)))
    rows = [
        [
            text(format_time(one.time)),
            text(number(one.rows)),
            *(text(_quantiles(one, name)) for name in scores),
            *(text(_metric(one, name)) for name in metrics),
        ]
        for one in points
    ]
    headers = (
        "From (UTC)",
        "Rows",
        *(f"{n}, 10/50/90 %" for n in scores),
        *map(metric_name, metrics),
    )
    return table(key, "History: realised metrics, estimated ones in brackets", headers, rows)


def _quantiles(one: HistoryPoint, name: str) -> str:
    return " / ".join(map(number, one.scores[name])) if name in one.scores else NONE


def _metric(one: HistoryPoint, name: str) -> str:
    realised = number(one.realised[name].value) if name in one.realised else NONE
    return realised + (f" [{number(one.estimated[name].value)}]" if name in one.estimated else "")


def classes(
    key: str, caption: str, ranked: Iterable[tuple[str, int, float]], is_share: bool
) -> str:
    """Write classes of requests with their latency, or their share of all on their path."""
    write, header = (percent, "Share of path") if is_share else (number, "p99 (ms)")
    rows = [
        [display(name), text(number(count)), text(write(value))] for name, count, value in ranked
    ]
    return table(key, caption, ("Requests", "Count", header), rows)
