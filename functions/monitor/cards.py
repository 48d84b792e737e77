"""What the sections of a report are made of."""

from collections.abc import Iterable

from functions.monitor.markup import element, text
from functions.monitor.results import Results
from functions.monitor.verdict import Verdict


def card(key: str, title: str, *content: str, class_: str = "card") -> str:
    """Write a card under its title."""
    heading = element("h2", text(title), id=f"{key}-title")
    return element("section", heading, *content, class_=class_, aria_labelledby=f"{key}-title")


def grid(figures: Iterable[str]) -> str:
    """Lay out figures side by side, as many as there is room for."""
    return element("div", *figures, class_="grid-of-charts")


def verdicts(results: Results) -> list[Verdict]:
    """Give what the comparison with training found."""
    if not results.comparisons:
        return []
    found = results.comparisons[0].findings
    return [*found.features, *found.predictions]
