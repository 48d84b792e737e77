"""What is found of one column, in words."""

from collections.abc import Iterable
from typing import Final

from functions.monitor.verdict import Verdict
from functions.monitor.wording import number, percent, points

_MOVES: Final = {
    "up": "is higher",
    "down": "is lower",
    "wider": "is spread wider",
    "narrower": "is spread narrower",
    "": "is spread differently",
}


def changed_names(verdicts: Iterable[Verdict]) -> list[str]:
    """Give the columns that have changed, in the order in which they stand, each once."""
    return list(dict.fromkeys(one.name for one in verdicts if one.changed and one.name))


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
