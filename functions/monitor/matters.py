"""Whether it matters: how good the answers are, and whom they favour."""

from collections.abc import Iterator, Mapping
from math import isfinite

from functions.monitor.estimated import Estimate
from functions.monitor.interval import Interval
from functions.monitor.results import Group, Performance, Results
from functions.monitor.wording import (
    chance,
    interval,
    listed,
    metric,
    number,
    percent,
    several,
)


def matters(results: Results) -> Iterator[str]:
    """Say how good the answers are, and whether groups are treated alike."""
    for one in results.performance:
        yield from _performance(one, len(results.performance) > 1)
    for group in results.groups:
        yield from _fairness(group)


def alarmed(one: Performance) -> bool:
    """Whether scores mean something else than they did."""
    return one.concept is not None and one.concept.alarm


def troubles(results: Results) -> tuple[list[str], bool]:
    """Give the metrics that have dropped, and whether scores mean something else than they did."""
    dropped = [name for one in results.performance for name in one.dropped]
    return dropped, any(alarmed(one) for one in results.performance)


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
