"""The sections of a report, each a card; one that has nothing to say is left out."""

from collections.abc import Iterator
from typing import Final

from functions.monitor import tables
from functions.monitor.cards import card, verdicts
from functions.monitor.gallery import changed, fairness, over_time, performance, pictures
from functions.monitor.markup import element, text
from functions.monitor.results import Diagnosis, Results
from functions.monitor.sentences import chapters
from functions.monitor.wording import number, percent, several

_NOTHING: Final = "nothing speaks for it; a change alone never does"

_EXPLAINED: Final = (
    "Effect: Wasserstein's distance in standard deviations of training; of categories the distance "
    "of Jensen and Shannon; of rates their difference. A change is called one where the effect "
    "counts and chance does not explain it, over all checks together. Detectable: the least effect "
    "that would be found in 4 of 5 such windows. Impact: the effect in units of what counts, times "
    "the weight that the model gives the feature."
)


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


def facts(results: Results) -> Iterator[tuple[str, str]]:
    """Give what stands at the head of the report, as names and plain text."""
    window = results.window
    yield "Predictions", number(window.rows)
    yield "Hours with some", number(window.hours)
    if window.late:
        yield "Late", number(window.late)
    if window.mode:
        yield "Captured", window.mode
