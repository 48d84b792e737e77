"""The rows of the proof: real ones, and adversarial ones.

Real rows alone prove little: conversions are wrong at the boundaries of trees, at missing values,
unseen categories and extreme numbers, and a test set holds none of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sklambda.arrays import FloatVector
from sklambda.codec.codec import EXACT_INTEGER
from sklambda.signature import Kind, Scalar
from training.frames import ClientRow
from training.proof.hard_values import EXTREME_MOMENTS, hard_texts, moments_around

type Group = Literal["data", "boundaries", "missing", "categories", "texts", "extremes"]

NUMERIC: Final[tuple[Kind, ...]] = ("number", "integer")
_NUMBERS: Final = (
    *(sign * 10.0**power for power in (10, 15, 30, 38) for sign in (1, -1)),
    3e38,
    -3e38,
    3.4028235677973366e38,  # the least that float32 cannot hold
    1e39,
    -1e39,
    1e300,
    1e-310,
    -0.0,
)
_INTEGERS: Final = (
    0,
    -1,
    *(sign * (2**power + step) for power in (24, 31, 53) for step in (-1, 0) for sign in (1, -1)),
    2**24 + 1,
    EXACT_INTEGER + 1,
)
_STRINGS: Final = ("", " ", "nan", "None", "unseen", "é", "日本", "\\u0000", "x" * 1000)


@dataclass(frozen=True, slots=True)
class Budget:
    """The number of rows at boundaries.

    Attributes
    ----------
    rows : int
        Rows of all features together: forests have more boundaries than can be tried.
    spread : int
        Real rows on which each value is tried: few of them reach a branch deep in a tree.
    least_spread : int
        The fewest of them: of more values than the budget allows for, some are drawn.
    quantiles : int
        Quantiles of the data among the values.
    """

    rows: int = 60_000
    spread: int = 8
    least_spread: int = 3
    quantiles: int = 33


FULL: Final = Budget()
"""The budget of the gate."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row, with its group and name."""

    group: Group
    name: str
    row: ClientRow


def real(name: str, rows: Iterable[ClientRow]) -> Iterator[Case]:
    """Yield rows of the data unchanged."""
    for position, row in enumerate(rows):
        yield Case("data", f"{name} row {position}", row)


def adversarial(
    rows: Sequence[ClientRow],
    kinds: Mapping[str, Kind],
    limits: Mapping[str, FloatVector],
    seed: int,
    budget: Budget = FULL,
) -> Iterator[Case]:
    """Yield the rows that real data lacks.

    Parameters
    ----------
    rows : sequence of ClientRow
        Real rows, on which one value at a time is replaced.
    kinds : mapping of str to kind
        The features.
    limits : mapping of str to FloatVector
        The boundaries of each numeric feature, ascending.
    seed : int
        Of the choice of real rows.
    budget : Budget
        The number of rows at boundaries.
    """
    generator = np.random.default_rng(seed)
    most = budget.rows // max(1, sum(kind in NUMERIC for kind in kinds.values()))

    def pick() -> ClientRow:
        return rows[int(generator.integers(len(rows)))]

    for name, kind in kinds.items():
        if kind in NUMERIC:
            seen = [float(value) for row in rows if (value := row[name]) is not None]
            near = limits.get(name, np.empty(0))
            values = _values_at(near, kind, seen, most, budget, generator)
            for value in values:
                for _ in range(min(budget.spread, most // len(values))):
                    yield Case("boundaries", f"{name} at a boundary", pick() | {name: value})
        # scikit-learn reads a missing date as a number.
        group: Group = "extremes" if kind == "datetime" else "missing"
        yield Case(group, f"{name} missing", pick() | {name: None})
        yield from _unusual(name, kind, pick)
        if kind == "text":
            for label, text in hard_texts([str(row[name]) for row in rows]):
                yield Case("texts", f"{name}: {label}", pick() | {name: text})
        elif kind == "datetime":
            moments = [str(row[name]) for row in rows]
            for moment in moments_around(moments, limits.get(name, np.empty(0))):
                yield Case("boundaries", f"{name} at a boundary", pick() | {name: moment})
    yield Case("missing", "everything missing", pick() | _nothing(kinds))


def _nothing(kinds: Mapping[str, Kind]) -> ClientRow:
    return {name: None for name, kind in kinds.items() if kind != "datetime"}


def _values_at(
    limits: FloatVector,
    kind: Kind,
    seen: Sequence[float],
    most_rows: int,
    budget: Budget,
    generator: np.random.Generator,
) -> list[Scalar]:
    """Choose the values at boundaries, each of which is tried on a few rows within the budget."""
    at = np.linspace(0, 1, budget.quantiles)
    spread = np.quantile(seen, at) if seen else np.zeros(1)
    values = neighbours(np.concatenate([limits, spread]), kind)
    most = most_rows // budget.least_spread
    if len(values) <= most:
        return values
    places = generator.choice(len(values), most, replace=False)
    return [values[place] for place in sorted(places)]


def neighbours(centres: FloatVector, kind: Kind) -> list[Scalar]:
    """Return the neighbours of each centre that a feature of this kind can have.

    Numbers: the centre and the next to both sides, in float64 and in float32. Integers: the whole
    numbers on both sides.
    """
    if kind == "integer":
        whole = np.concatenate([np.floor(centres), np.ceil(centres)])
        return [int(value) for value in np.unique(whole) if abs(value) <= EXACT_INTEGER]
    with np.errstate(over="ignore"):
        single = centres.astype(np.float32)
    down, up = np.float32(-np.inf), np.float32(np.inf)
    found = [
        centres,
        np.nextafter(centres, -np.inf),
        np.nextafter(centres, np.inf),
        *(
            step.astype(np.float64)
            for step in (single, np.nextafter(single, down), np.nextafter(single, up))
        ),
    ]
    return [float(value) for value in np.unique(np.concatenate(found)) if np.isfinite(value)]


def _unusual(name: str, kind: Kind, pick: Callable[[], ClientRow]) -> Iterator[Case]:
    if kind == "category":
        for place, text in enumerate(_STRINGS):
            yield Case("categories", f"{name} unseen, no. {place}", pick() | {name: text})
    elif kind == "datetime":
        for moment in EXTREME_MOMENTS:
            yield Case("extremes", f"{name} = {moment}", pick() | {name: moment})
    elif kind == "integer":
        for integer in _INTEGERS:
            yield Case("extremes", f"{name} = {integer}", pick() | {name: integer})
    elif kind == "number":
        for number in (*_NUMBERS, *map(float, _INTEGERS)):
            yield Case("extremes", f"{name} = {number!r}", pick() | {name: number})
