"""One verdict a column and check: tests of a family, corrected for their number."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Literal, NamedTuple

import numpy as np

from functions.monitor.statistics.significance import discoveries
from sklambda.sketch.baseline import Reference
from sklambda.sketch.sketch import Column

type About = Literal["feature", "prediction"]
type State = Literal["no_data", "insufficient_data", "stable", "changed"]
type Check = Literal[
    "distribution", "missing", "unseen", "out_of_range", "coerced", "constant", "duplicated"
]


@dataclass(frozen=True, slots=True)
class Pair:
    """A column then and now.

    Attributes
    ----------
    name : str
        The feature, score or target.
    reference : Reference
        The column of training, whose ruler both are counted on.
    before, after : Column
        What is compared.
    categories : sequence of str
        The name of each code; empty for numbers.
    about : {"feature", "prediction"}
        What the column is.
    weight : float
        How much the model attributes to it.
    """

    name: str
    reference: Reference
    before: Column
    after: Column
    categories: Sequence[str] = ()
    about: About = "feature"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Gate:
    """What it takes to be called a change: enough of it, and that it is no chance.

    Attributes
    ----------
    effect : float
        The least distance of two distributions: Wasserstein's in standard deviations of training,
        for categories that of Jensen and Shannon.
    points : float
        The least difference of two rates, such as that of missing values.
    rate : float
        What share of the changes that are called so may be by chance (Benjamini and Hochberg).
    enough : int
        Below so many rows nothing is called stable.
    """

    effect: float = 0.1
    points: float = 0.05
    rate: float = 0.05
    enough: int = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is found of one column in one respect.

    Attributes
    ----------
    name : str
        The feature, score or target; empty for the rows as a whole.
    check : str
        In which respect.
    rows : int
        From how many values.
    effect, least : float
        How great the difference is, and from when on it counts.
    p : float
        The chance of such a difference where nothing has changed, before the correction for many.
    before, after : float or None
        The means of numbers, or the rates, that are compared.
    direction : str
        "up", "down", "wider", "narrower" or, of categories, "mix".
    shifts : tuple of (str, float)
        The categories whose share has changed most, and by how much.
    measures : dict of str to float
        What else is usually looked at, by name.
    about : {"feature", "prediction"}
        What the column is.
    weight : float
        How much the model attributes to the feature.
    detectable : float or None
        The least effect that would be found in about 4 of 5 such windows; None where nothing is.
    state : {"no_data", "insufficient_data", "stable", "changed"}
        What it comes to.
    """

    name: str
    check: Check
    rows: int
    effect: float
    least: float
    p: float
    before: float | None = None
    after: float | None = None
    direction: str = ""
    shifts: tuple[tuple[str, float], ...] = ()
    measures: dict[str, float] = field(default_factory=dict)
    about: About = "feature"
    weight: float = 1.0
    detectable: float | None = None
    state: State = "no_data"

    @property
    def changed(self) -> bool:
        """Whether it is called a change."""
        return self.state == "changed"

    @property
    def impact(self) -> float:
        """How much it matters: in units of what counts, times what the model makes of it."""
        return self.effect / self.least * self.weight


class Tested(NamedTuple):
    """A verdict to come, and what the test would have found: an effect, by its level."""

    verdict: Verdict
    detectable: Callable[[float], float]


def decide(tests: Iterable[Tested], gate: Gate) -> list[Verdict]:
    """Decide a family of tests together; the greatest impact comes first, changes before all.

    A test without rows takes no part, and is "no_data".
    """
    tests = list(tests)
    asked = [test for test in tests if test.verdict.rows]
    found = discoveries(np.array([test.verdict.p for test in asked]), gate.rate)
    decided = [
        _decided(test, bool(one), gate, gate.rate / len(asked))
        for test, one in zip(asked, found, strict=True)
    ]
    empty = [test.verdict for test in tests if not test.verdict.rows]
    return ranked([*decided, *empty])


def _decided(test: Tested, found: bool, gate: Gate, level: float) -> Verdict:
    verdict = test.verdict
    state: State = "stable" if verdict.rows >= gate.enough else "insufficient_data"
    if found and verdict.effect >= verdict.least:
        state = "changed"
    reach = max(verdict.least, test.detectable(level))
    return replace(verdict, state=state, detectable=reach if isfinite(reach) else None)


def ranked(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Sort verdicts: changes first, then by impact."""
    return sorted(verdicts, key=lambda one: (not one.changed, -one.impact))
