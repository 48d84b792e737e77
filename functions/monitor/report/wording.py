"""Wording of the report: numbers, times, metrics and verdicts as plain text."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import floor, isfinite, log10
from typing import Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

NONE: Final = "\N{EN DASH}"
"""The placeholder of a missing value."""

DEVIATIONS: Final = 1.959963984540054
"""The standard deviations on both sides of a mean that contain 95 %."""

_HUGE: Final = 1e12
_ACRONYMS: Final = {"roc auc": "ROC AUC", "f1": "F1", "r2": "R²"}
_DIRECTIONS: Final = {
    "up": "is higher",
    "down": "is lower",
    "wider": "is more spread out",
    "narrower": "is less spread out",
    "": "has a different distribution",
}


def describe(verdict: Verdict) -> str:
    """Return a clause that describes a change."""
    name = column_label(verdict)
    if verdict.check != "distribution":
        return _describe_quality(verdict)
    if verdict.direction == "mix":
        shifts = ", ".join(f"{name} {percentage_points(by)}" for name, by in verdict.shifts)
        return f"{name} has a different mix ({shifts})"
    amount = f"by {number(verdict.effect, 2)} standard deviations"
    if verdict.direction in ("up", "down"):
        arrow = "\N{RIGHTWARDS ARROW}"
        amount = f"{number(verdict.before)} {arrow} {number(verdict.after)}, {amount}"
    return f"{name} {_DIRECTIONS[verdict.direction]} ({amount})"


def _describe_quality(verdict: Verdict) -> str:
    name, share = column_label(verdict), percent(verdict.after)
    rows = f"in {share} of the rows ({percent(verdict.before)} before)"
    return {
        "missing": f"{name} is missing {rows}",
        "unseen": f"{name} has categories that training did not have {rows}",
        "out_of_range": f"{name} is outside the range of training {rows}",
        "coerced": f"{name} was converted from another type {rows}",
        "constant": f"{name} has become constant",
        "duplicated": f"{share} of the rows are duplicates ({percent(verdict.before)} before)",
    }[verdict.check]


def column_label(verdict: Verdict) -> str:
    """Return the name of a column; a score is called one."""
    is_score = verdict.about == "prediction" and verdict.direction != "mix"
    return f"the score of {verdict.name}" if is_score else verdict.name


def changed_names(verdicts: Iterable[Verdict]) -> list[str]:
    """Return the names of the columns that have changed, in order, each once."""
    return list(dict.fromkeys(one.name for one in verdicts if one.changed and one.name))


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with the given significant digits, and whole numbers in full."""
    if value is None or not isfinite(value):
        return NONE
    if abs(value) >= _HUGE:
        return _signed(f"{value:.{digits - 1}e}")
    if value == int(value) or abs(value) >= 10**digits:
        return _signed(f"{value:,.0f}")
    places = digits - 1 - floor(log10(abs(value)))
    if places > digits + 3:
        return _signed(f"{value:.{digits - 1}e}")
    text = f"{value:,.{places}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def percent(share: float | None) -> str:
    """Write a share in percent, with a decimal below ten."""
    if share is None or not isfinite(share):
        return NONE
    return f"{_signed(_hundredths(share))}\N{NO-BREAK SPACE}%"


def percentage_points(difference: float) -> str:
    """Write the difference of two shares."""
    sign = "+" if difference > 0 else ""
    return f"{sign}{_signed(_hundredths(difference))} points"


def p_value(p: float | None) -> str:
    """Write a p-value."""
    if p is None or not isfinite(p):
        return NONE
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def interval(metric: Interval | MetricInterval) -> str:
    """Write a metric with its interval."""
    if not isfinite(metric.value):
        return NONE
    return f"{number(metric.value)} ({number(metric.low)} to {number(metric.high)})"


def estimate_interval(estimate: Estimate) -> Interval:
    """Return the interval that contains the realised metric with a probability of 95 %."""
    half = DEVIATIONS * estimate.deviation
    return Interval(estimate.value, estimate.value - half, estimate.value + half, 0.0)


def metric_name(name: str) -> str:
    """Write the name of a metric as words; the name of its target before it stays as it is."""
    target, colon, last = name.rpartition(": ")
    words = last.replace("_", " ")
    for word, acronym in _ACRONYMS.items():
        words = words.replace(word, acronym)
    return f"{target}{colon}{words}"


def format_time(time: str) -> str:
    """Write a time, to the minute, in UTC."""
    return f"{datetime.fromisoformat(time):%d %b %Y %H:%M}".lstrip("0")


def format_span(start: str, stop: str) -> str:
    """Write a span of time."""
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(stop)
    end = f"{last:%H:%M}" if first.date() == last.date() else format_time(stop)
    return f"{format_time(start)} to {end} UTC"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def enumeration(names: Sequence[str], most: int = 8) -> str:
    """Write names as a sentence lists them; of a long list the number of further ones."""
    first = list(names[:most])
    if len(names) > most:
        return f"{', '.join(first)} and {len(names) - most} more"
    return " and ".join([", ".join(first[:-1]), first[-1]]) if len(first) > 1 else "".join(first)


def _hundredths(share: float) -> str:
    text = f"{share * 100:.{0 if abs(share) >= 0.0995 else 1}f}"
    return text.removesuffix(".0")


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text
