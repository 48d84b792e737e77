from collections.abc import Iterable, Sequence
from datetime import datetime
from math import floor, isfinite, log10
from typing import Final

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval

NONE: Final = "\N{EN DASH}"
"""What stands where there is no figure."""

DEVIATIONS: Final = 1.959963984540054
"""So many standard deviations on both sides hold 95 %."""

_HUGE: Final = 1e12
_ACRONYMS: Final = {"roc auc": "ROC AUC", "f1": "F1", "r2": "R²"}
_MOVES: Final = {
    "up": "is higher",
    "down": "is lower",
    "wider": "is spread wider",
    "narrower": "is spread narrower",
    "": "is spread differently",
}


def phrase(verdict: Verdict) -> str:
    """Say what is found of one column in one respect."""
    name = called(verdict)
    if verdict.check != "distribution":
        return _quality(verdict)
    if verdict.direction == "mix":
        return f"{name} is mixed differently ({_shifts(verdict)})"
    amount = f"by {number(verdict.effect, 2)} standard deviations"
    means = f"{number(verdict.before)} \N{RIGHTWARDS ARROW} {number(verdict.after)}"
    shown = f"{means}, {amount}" if verdict.direction in ("up", "down") else amount
    return f"{name} {_MOVES[verdict.direction]} ({shown})"


def called(verdict: Verdict) -> str:
    """Name a column; of a score, that it is one."""
    is_score = verdict.about == "prediction" and verdict.direction != "mix"
    return f"the score of {verdict.name}" if is_score else verdict.name


def _shifts(verdict: Verdict) -> str:
    return ", ".join(f"{name} {points(moved)}" for name, moved in verdict.shifts)


def _quality(verdict: Verdict) -> str:
    after, before = percent(verdict.after), percent(verdict.before)
    name = called(verdict)
    return {
        "missing": f"{name} is missing in {after} of the rows ({before} before)",
        "unseen": f"{name} has categories that training did not know in {after} of the rows "
        f"({before} before)",
        "out_of_range": f"{name} is out of the range of training in {after} of the rows "
        f"({before} before)",
        "coerced": f"{name} came as another type in {after} of the rows ({before} before)",
        "constant": f"{name} has a single value left",
        "duplicated": f"{after} of the rows stand more than once ({before} before)",
    }[verdict.check]


def changed_names(verdicts: Iterable[Verdict]) -> list[str]:
    """Give the columns that have changed, in the order in which they stand, each once."""
    return list(dict.fromkeys(one.name for one in verdicts if one.changed and one.name))


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many digits that count, whole ones with all."""
    if value is None or not isfinite(value):
        return NONE
    if abs(value) >= _HUGE:
        return _signed(f"{value:.{digits - 1}e}")
    if value == int(value) or abs(value) >= 10**digits:
        return _signed(f"{value:,.0f}")
    places = digits - 1 - floor(log10(abs(value)))
    if places > digits + 3:
        return _signed(f"{value:.{digits - 1}e}")
    shown = f"{value:,.{places}f}"
    return _signed(shown.rstrip("0").rstrip(".") if "." in shown else shown)


def percent(share: float | None) -> str:
    """Write a share in percent: with a decimal below ten."""
    if share is None or not isfinite(share):
        return NONE
    return f"{_signed(_hundredths(share))}\N{NO-BREAK SPACE}%"


def points(difference: float) -> str:
    """Write the difference of two shares."""
    sign = "+" if difference > 0 else ""
    return f"{sign}{_signed(_hundredths(difference))} points"


def chance(p: float | None) -> str:
    """Write a p-value."""
    if p is None or not isfinite(p):
        return NONE
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def interval(figure: Interval | MetricInterval) -> str:
    """Write a figure with the ends of its interval."""
    if not isfinite(figure.value):
        return NONE
    return f"{number(figure.value)} ({number(figure.low)} to {number(figure.high)})"


def band(figure: Estimate) -> Interval:
    """Give what is to be seen of an estimate in 95 of 100 cases."""
    half = DEVIATIONS * figure.deviation
    return Interval(figure.value, figure.value - half, figure.value + half, 0.0)


def metric(name: str) -> str:
    """Write the name of a metric as words; that of its target before it stays as it is."""
    target, colon, last = name.rpartition(": ")
    words = last.replace("_", " ")
    for word, acronym in _ACRONYMS.items():
        words = words.replace(word, acronym)
    return f"{target}{colon}{words}"


def moment(time: str) -> str:
    """Write a moment, to the minute, in UTC."""
    return f"{_parsed(time):%d %b %Y %H:%M}".lstrip("0")


def span(start: str, stop: str) -> str:
    """Write from when to when."""
    first, last = _parsed(start), _parsed(stop)
    end = f"{last:%H:%M}" if first.date() == last.date() else moment(stop)
    return f"{moment(start)} to {end} UTC"


def several(count: int, one: str, more: str = "") -> str:
    """Write how many of something."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Write a list as a sentence has it, and of a long one how many more there are."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _hundredths(share: float) -> str:
    shown = f"{share * 100:.{0 if abs(share) >= 0.0995 else 1}f}"
    return shown.removesuffix(".0")


def _parsed(time: str) -> datetime:
    return datetime.fromisoformat(time)


def _signed(shown: str) -> str:
    return shown.replace("-", "\N{MINUS SIGN}", 1) if shown.startswith("-") else shown
