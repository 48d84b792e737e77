"""Rows at the decision surface of a model, and rows on lattices, where classes tie.

Real rows are far from both. A label that follows the probabilities where scikit-learn's follows the
decision, or a tie that is decided otherwise, is seen there alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatMatrix, FloatVector, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import label_positions, score_differences
from sklambda.session import Session
from sklambda.signature import Feature, Scalar, Signature
from training.frames import ClientRow
from training.proof.adversary import NUMERIC, Case, Group

NEAR_TIES: Final[tuple[Group, ...]] = ("surface", "lattice")

_STEPS: Final = 54
"""The halvings between two rows, until float64 has no number between them."""

_EACH: Final = 16
"""The rows of one pair on average: every second of its steps, and fewer of whole numbers."""

_COARSE: Final = 20
"""The halvings to a jump of the scores. At its last bit are the rows of `boundaries`, where the
graph is exact; behind a sum that rounds, scikit-learn's own jump is not the same each time."""

_JUMP: Final = 1e-6
"""The difference of scores between neighbours that is no slope."""

_CELLS: Final = 400_000
"""The greatest number of values of one group of rows."""

_SAMPLE: Final = 2_000
"""The real rows that pairs are drawn from."""

_DRAWN: Final = 8
"""How many pairs are drawn for each that is kept."""


def near_ties(
    model: bytes, signature: Signature, rows: Sequence[ClientRow], seed: int, most: int
) -> Iterator[Case]:
    """Yield rows at the surface where the label changes, and rows on lattices.

    Parameters
    ----------
    model : bytes
        The graph.
    signature : Signature
        Its signature.
    rows : sequence of ClientRow
        Real rows.
    seed : int
        Of the choice of real rows.
    most : int
        The greatest number of rows of either group.
    """
    generator = np.random.default_rng(seed)
    most = min(most, max(_EACH, _CELLS // signature.width))
    places = generator.permutation(len(rows))[:_SAMPLE]
    sample = [rows[place] for place in places.tolist()]
    seen = {
        feature: _seen(sample, feature.name)
        for feature in signature.features
        if feature.kind in NUMERIC and not feature.choices
    }
    if signature.target.task != "regression" and most >= _EACH:
        surface = _Surface(model, signature, seen).cases(sample, generator, most // _EACH)
        yield from islice(surface, most)
    yield from _on_lattices(seen, sample, generator, most)


type _Seen = Mapping[Feature, FloatVector]  # the numbers of each feature in the real rows


@dataclass(frozen=True, slots=True)
class _Path:
    """The way from a row on: what stays, and the numbers that move.

    Attributes
    ----------
    row : ClientRow
        What stays as it is.
    moving : tuple of Feature
        The features that move.
    """

    row: ClientRow
    moving: tuple[Feature, ...]


class _Surface:
    """Finds rows between two with different labels, by bisection."""

    def __init__(self, model: bytes, signature: Signature, seen: _Seen) -> None:
        self._seen = seen
        self._session = Session(model)
        self._codec = Codec(signature)
        self._target = signature.target
        self._features = signature.features
        self._columns = {name: place for place, name in enumerate(signature.names)}
        self._whole = np.zeros(signature.width, dtype=bool)
        self._whole[: len(self._columns)] = [f.kind == "integer" for f in signature.features]

    def cases(
        self, sample: Sequence[ClientRow], generator: np.random.Generator, pairs: int
    ) -> Iterator[Case]:
        """Yield the rows of up to so many pairs."""
        drawn = [*self._drawn(sample, generator, _DRAWN * pairs)]
        if not drawn:
            return
        starts, fine = self._codec.encode_accepted([path.row for path, _ in drawn])
        ends, accepted = self._codec.encode_accepted([row for _, row in drawn])
        starts, ends = starts[accepted[fine]], ends[fine[accepted]]
        paths = [path for (path, _), yes in zip(drawn, fine & accepted, strict=True) if yes]
        apart = (self._labels(starts) != self._labels(ends)).any(axis=1)
        chosen = np.flatnonzero(apart)[:pairs]
        if not len(chosen):
            return
        own = [paths[place] for place in chosen.tolist()]
        for path, X in zip(own, self._between(starts[chosen], ends[chosen]), strict=True):
            for values in X:
                yield Case("surface", "between two labels", self._row(path, values))

    def _labels(self, X: FloatMatrix) -> IntVector:
        return label_positions(self._target, self._session.run(X))

    def _drawn(
        self, sample: Sequence[ClientRow], generator: np.random.Generator, count: int
    ) -> Iterator[tuple[_Path, ClientRow]]:
        """Yield paths between rows of different labels, each with its end.

        What is no number is of either row, and stays; so do some of the numbers.
        """
        numeric = [*self._seen]
        if not numeric:
            return
        pool = [*sample, *_corners(sample, self._seen, generator)]
        X, accepted = self._codec.encode_accepted(pool)
        pool = [row for row, yes in zip(pool, accepted, strict=True) if yes]
        _, groups = np.unique(self._labels(X), axis=0, return_inverse=True)
        groups = groups.ravel()
        if groups.max(initial=0) == 0:
            return
        by_label = [np.flatnonzero(groups == each) for each in range(groups.max() + 1)]
        moves = {f.name for f in numeric}
        staying = [f.name for f in self._features if f.name not in moves]
        for number in range(count):
            one, other = generator.choice(len(by_label), 2, replace=False)
            start, end = (pool[int(generator.choice(by_label[each]))] for each in (one, other))
            some = numeric
            if number % 2:
                size = int(generator.integers(1, len(numeric) + 1))
                places = generator.choice(len(numeric), size, replace=False)
                some = [numeric[place] for place in sorted(places.tolist())]
            moving = tuple(f for f in some if start[f.name] is not None and end[f.name] is not None)
            mixed = {name: (end if generator.random() < 0.5 else start)[name] for name in staying}
            row = start | mixed
            yield _Path(row, moving), row | {f.name: end[f.name] for f in moving}

    def _between(self, starts: FloatMatrix, ends: FloatMatrix) -> list[FloatMatrix]:
        """Return rows between each start and end, [R, K] for each, by halving."""
        first, found = self._labels(starts), []
        low, high = np.zeros(len(starts)), np.ones(len(starts))
        for step in range(_STEPS):
            middle = (low + high) / 2
            X = self._at(starts, ends, middle)
            same = (self._labels(X) == first).all(axis=1)
            low, high = np.where(same, middle, low), np.where(same, high, middle)
            if step % 2 == 0:
                found.append(X)
        last = [self._at(starts, ends, each) for each in (low, high)]
        one, other = map(self._session.run, last)
        slopes: Flags = (score_differences(one, other) <= _JUMP).all(axis=1)
        coarse = np.stack(found[: _COARSE // 2], axis=1)
        fine = np.stack([*found, *last], axis=1)
        return [
            np.unique(fine[place] if smooth else coarse[place], axis=0)
            for place, smooth in enumerate(slopes.tolist())
        ]

    def _at(self, starts: FloatMatrix, ends: FloatMatrix, share: FloatVector) -> FloatMatrix:
        """Return the rows at a share of the way; what does not move keeps its bits."""
        way = share[:, None]
        moved = starts * (1 - way) + ends * way
        moved = np.where(self._whole, np.rint(moved), moved)
        return np.where((starts == ends) | np.isnan(moved), starts, moved)

    def _row(self, path: _Path, values: FloatVector) -> ClientRow:
        moved = {f.name: _written(f, values[self._columns[f.name]]) for f in path.moving}
        return path.row | moved


def _corners(
    sample: Sequence[ClientRow], seen: _Seen, generator: np.random.Generator
) -> Iterator[ClientRow]:
    """Yield rows with the least or greatest number of each feature: all real rows may be alike."""
    ends = {
        f.name: [_written(f, end) for end in (numbers.min(), numbers.max())]
        for f, numbers in seen.items()
        if len(numbers)
    }
    for _ in range(len(sample) // 4 + 1):
        row = sample[int(generator.integers(len(sample)))]
        sides = generator.random(len(ends)) < 0.5
        yield row | {
            name: both[high]
            for high, (name, both) in zip(sides.tolist(), ends.items(), strict=True)
        }


def _seen(sample: Sequence[ClientRow], name: str) -> FloatVector:
    return np.array([float(value) for row in sample if (value := row[name]) is not None])


def _written(feature: Feature, value: float) -> Scalar:
    return int(value) if feature.kind == "integer" else float(value)


def _on_lattices(
    seen: _Seen, sample: Sequence[ClientRow], generator: np.random.Generator, most: int
) -> Iterator[Case]:
    """Yield rows whose whole numbers are equal, exchanged, between two rows, or a step aside."""
    whole = {
        feature: (float(values.min()), float(values.max()))
        for feature, values in seen.items()
        if len(values) and not (values % 1).any() and np.abs(values).max() <= _LARGE
    }
    names = [*_CHANGES] if whole else []
    for number in range(most if names else 0):
        row, other = (sample[int(generator.integers(len(sample)))] for _ in range(2))
        name = names[number % len(names)]
        changed = _CHANGES[name](whole, row, other, generator)
        yield Case("lattice", name, row | {f.name: _written(f, v) for f, v in changed.items()})


_LARGE: Final = 1e6
"""The greatest whole number that is no identifier or time."""

type _Whole = Mapping[Feature, tuple[float, float]]  # the least and the greatest of each
type _Changed = Mapping[Feature, float]
type _Change = Callable[[_Whole, ClientRow, ClientRow, np.random.Generator], _Changed]


def _pairs(whole: _Whole, row: ClientRow, generator: np.random.Generator) -> list[list[Feature]]:
    present = [feature for feature in whole if row[feature.name] is not None]
    order = [present[place] for place in generator.permutation(len(present)).tolist()]
    return [order[at : at + 2] for at in range(0, len(order) - 1, 2)]


def _value(row: ClientRow, feature: Feature) -> float:
    return float(row[feature.name] or 0.0)


def _equal(
    whole: _Whole, row: ClientRow, other: ClientRow, generator: np.random.Generator
) -> _Changed:
    return {two: _value(row, one) for one, two in _pairs(whole, row, generator)}


def _exchanged(
    whole: _Whole, row: ClientRow, other: ClientRow, generator: np.random.Generator
) -> _Changed:
    pairs = _pairs(whole, row, generator)
    return {one: _value(row, two) for both in pairs for one, two in (both, both[::-1])}


def _middle(
    whole: _Whole, row: ClientRow, other: ClientRow, generator: np.random.Generator
) -> _Changed:
    return {
        feature: _on_grid(feature, (_value(row, feature) + _value(other, feature)) / 2)
        for feature in whole
        if row[feature.name] is not None and other[feature.name] is not None
    }


def _aside(
    whole: _Whole, row: ClientRow, other: ClientRow, generator: np.random.Generator
) -> _Changed:
    return {
        feature: _on_grid(feature, _value(row, feature) + generator.integers(-2, 3) / 2)
        for feature in whole
        if row[feature.name] is not None
    }


def _anywhere(
    whole: _Whole, row: ClientRow, other: ClientRow, generator: np.random.Generator
) -> _Changed:
    return {
        feature: float(generator.integers(int(least) - 1, int(greatest) + 2))
        for feature, (least, greatest) in whole.items()
    }


def _on_grid(feature: Feature, value: float) -> float:
    """Return a value that the feature can have: halves are no integers."""
    return float(np.floor(value)) if feature.kind == "integer" else value


_CHANGES: Final[Mapping[str, _Change]] = {
    "equal whole numbers": _equal,
    "exchanged whole numbers": _exchanged,
    "between two rows": _middle,
    "a step aside": _aside,
    "whole numbers": _anywhere,
}
