"""The values that a pipeline accepts, found by trying them.

A value is tried in place of one feature's in a real row. The rows of all features are predicted
together, so that a table of many features costs few predictions and not several for each of them.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sklambda.arrays import Flags, FloatVector
from sklambda.codec.values import EXACT_INTEGER
from sklambda.signature import Kind, Scalar
from training.convert.graph.float_order import rank, unrank
from training.frames import ClientRow
from training.proof.reference import Reference

type Values = Sequence[Scalar | None]
type Trial[T] = Generator[Values, Answers, T]
"""Yields values of one feature, and is sent what the pipeline does with them."""

type Ask = Callable[[int], Trial[bool]]
"""A question about the value at a position."""

_CELLS: Final = 2**20
"""The greatest number of values in rows that are tried together."""

# The greatest float64 that rounds to a float32, then smaller ones for what a scaler makes larger.
_LIMITS: Final = (1e300, 3.4028235677973362e38, 1e38, 1e36, 1e33, 1e30, 1e20)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a pipeline does with some values.

    Attributes
    ----------
    accepted : Flags
        Shape [n]: whether it takes each in the first row.
    scored : Flags
        Shape [n]: whether every row has scores with it, none of them NaN.
    """

    accepted: Flags
    scored: Flags


def probe[T](
    reference: Reference, base: Sequence[ClientRow], trials: Mapping[str, Trial[T]]
) -> dict[str, T]:
    """Run the trials of several features in step.

    Parameters
    ----------
    reference : Reference
        scikit-learn's side.
    base : sequence of ClientRow
        Real rows, in which one value at a time is replaced.
    trials : mapping of str to Trial
        By feature.

    Returns
    -------
    dict of str to T
        What each trial returns, in the order of the trials.
    """
    results: dict[str, T] = {}
    asked: dict[str, Values] = {}

    def advance(name: str, answers: Answers | None) -> None:
        try:
            asked[name] = next(trials[name]) if answers is None else trials[name].send(answers)
        except StopIteration as end:
            asked.pop(name, None)
            results[name] = end.value

    for name in trials:
        advance(name, None)
    while asked:
        counts = {name: len(values) for name, values in asked.items()}
        changes = [(name, value) for name, values in asked.items() for value in values]
        accepted, scored = _answers(reference, base, changes)
        start = 0
        for name, count in counts.items():
            own = slice(start, start + count)
            advance(name, Answers(accepted[own], scored[own]))
            start += count
    return {name: results[name] for name in trials}


def _answers(
    reference: Reference, base: Sequence[ClientRow], changes: Sequence[tuple[str, Scalar | None]]
) -> tuple[Flags, Flags]:
    size = max(1, _CELLS // len(base[0]))
    accepted, scored = np.ones((2, len(base), len(changes)), dtype=bool)
    for place, row in enumerate(base):
        for start in range(0, len(changes), size):
            part = slice(start, start + size)
            rows = [row | {name: value} for name, value in changes[part]]
            accepted[place, part], scored[place, part] = reference.acceptance(rows)
    return accepted[0], scored.all(axis=0)


def accepts(value: Scalar | None) -> Trial[bool]:
    """Try one value; return whether the pipeline accepts it."""
    answers = yield [value]
    return bool(answers.accepted[0])


def accepts_any(values: Sequence[Scalar]) -> Trial[bool]:
    """Try some values; return whether the pipeline accepts one of them."""
    answers = yield values
    return bool(answers.accepted.any())


def unseen(known: Sequence[str]) -> str:
    """Return a category that is not among the `known` ones, and longer than all of them."""
    return f"unseen {max(known, key=len, default='')}"


def choices_accepted(kind: Kind, seen: FloatVector) -> Trial[tuple[float, ...]]:
    """Find the only numbers that the pipeline accepts, where it refuses one between them.

    A strict encoder accepts the numbers of the training data alone.

    Parameters
    ----------
    kind : {"number", "integer"}
        The kind of the feature.
    seen : FloatVector
        The different numbers of the training data, ascending.

    Returns
    -------
    tuple of float
        Ascending; empty where numbers between those seen are accepted, or where there are none.
    """
    write = int if kind == "integer" else float
    between = _between(seen, kind)
    if between is None or (yield from accepts(write(between))):
        return ()
    answers = yield [write(number) for number in seen.tolist()]
    return tuple(seen[answers.accepted].tolist())


def _between(seen: FloatVector, kind: Kind) -> float | None:
    """Return a number between two of those seen, or None where all are neighbours."""
    step = 1.0 if kind == "integer" else 0.0
    gaps = np.flatnonzero(np.diff(seen) > step)
    if len(gaps) == 0:
        return None
    low, high = seen[gaps[0]], seen[gaps[0] + 1]
    return float(low + 1 if kind == "integer" else low + (high - low) / 2)


def bounds_accepted(kind: Kind, own: Sequence[Any]) -> Trial[tuple[float | None, float | None]]:
    """Find the least and the greatest number that the pipeline accepts; None for no bound.

    Trees of scikit-learn refuse numbers beyond float32, and a logarithm those outside of its
    domain; a polynomial of the greatest numbers is infinity less infinity, which is no score. All
    numbers between the two are assumed to be accepted; the gate then tries some.

    Parameters
    ----------
    kind : {"number", "integer"}
        The kind of the feature.
    own : sequence of (number or None)
        The values of the rows, from the first of which that is accepted bisection starts; else
        from 0.
    """
    scale = _INTEGERS if kind == "integer" else _NUMBERS

    def is_scored(position: int) -> Trial[bool]:
        answers = yield [scale.value(position)]
        return bool(answers.scored[0])

    for number in (*(float(each) for each in own if each is not None), 0.0):
        start = scale.position(number)
        if (yield from is_scored(start)):
            break
    else:
        return None, None
    below, above = scale.ladders
    low = yield from _bound(is_scored, start, below)
    high = yield from _bound(is_scored, start, above)
    return (
        None if low == below[0] else float(scale.value(low)),
        None if high == above[0] else float(scale.value(high)),
    )


def gaps_accepted(
    kind: Kind, bounds: tuple[float | None, float | None], doubtful: Sequence[float]
) -> Trial[tuple[tuple[float, float], ...]]:
    """Find the intervals of numbers that the pipeline refuses, between others that it accepts.

    Parameters
    ----------
    kind : {"number", "integer"}
        The kind of the feature.
    bounds : tuple of (float or None, float or None)
        What `bounds_accepted` found.
    doubtful : sequence of float
        Numbers, ascending, to look around: a step makes each of them infinite.

    Returns
    -------
    tuple of (float, float)
        Both ends are refused, and their neighbours accepted.
    """
    scale = _INTEGERS if kind == "integer" else _NUMBERS
    first, last = (
        ladder[0] if bound is None else scale.position(bound)
        for bound, ladder in zip(bounds, scale.ladders, strict=True)
    )

    def is_refused(position: int) -> Trial[bool]:
        return not (yield from accepts(scale.value(position)))

    gaps: list[tuple[int, int]] = []
    for number in doubtful:
        position = scale.position(number)
        inside = first < position < last and float(scale.value(position)) == number
        if not inside or (gaps and position <= gaps[-1][1]):
            continue
        if (yield from is_refused(position)):
            low = yield from _end(is_refused, position, -1, first)
            high = yield from _end(is_refused, position, 1, last)
            gaps.append((low, high))
    return tuple((float(scale.value(low)), float(scale.value(high))) for low, high in gaps)


def _end(is_refused: Ask, position: int, way: int, limit: int) -> Trial[int]:
    """Return the last position in one direction that is refused: steps double, then halve."""
    step, beyond = 1, position + way
    while (yield from is_refused(beyond)) and beyond != limit:
        step *= 2
        beyond = way * min(way * (position + way * step), way * limit)
    return (yield from _bound(is_refused, position, [beyond]))


@dataclass(frozen=True, slots=True)
class _Scale:
    """An ordered set of values, by position, and limits to try first."""

    value: Callable[[int], Scalar]
    position: Callable[[float], int]
    limits: tuple[float, ...]

    @property
    def ladders(self) -> tuple[list[int], list[int]]:
        """The positions of the limits below 0 and above, the farthest first."""
        return [self.position(-limit) for limit in self.limits], [*map(self.position, self.limits)]


_NUMBERS: Final = _Scale(
    value=lambda position: float(unrank(np.array([position]))[0]),
    position=lambda number: int(rank(np.array([number]))[0]),
    limits=_LIMITS,
)
_INTEGERS: Final = _Scale(value=int, position=int, limits=(float(EXACT_INTEGER),))


def _bound(ask: Ask, good: int, ladder: Sequence[int]) -> Trial[int]:
    """Return the farthest position of which the answer is yes: a limit, or found by bisection."""
    for limit in ladder:
        if (yield from ask(limit)):
            return limit
    bad = ladder[-1]
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        if (yield from ask(middle)):
            good = middle
        else:
            bad = middle
    return good
