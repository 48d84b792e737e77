"""What is kept of many predictions: counts that can be added, and no row.

A sketch of a day is the sum of the sketches of its hours, in any order: counts are whole numbers,
and what else is summed is never negative, so that nothing cancels.
"""

import json
from collections.abc import Callable, Mapping
from typing import Literal, Self

from sklambda.document import Document

type Mode = Literal["raw", "binned"]
type Counts = tuple[int, ...]
type _Choose = Callable[[list[float]], float]


class Column(Document):
    """The values of one feature or score, counted on its ruler.

    Attributes
    ----------
    rows : int
        How many values there were, missing ones too.
    missing : int
        How many were missing, or, of scores, were no finite number.
    counts : tuple of int
        How many stood in each bin, or had each code.
    gaps : tuple of float
        For each bin the sum of the distances from its values up to its edge; empty for codes.
        A value outside of the edges counts as the nearest of them.
    below, above : int
        How many lay outside of the edges.
    unseen : int
        How many were categories that training did not know.
    coerced : int
        How many had their type changed on the way.
    least, greatest : float or None
        The ends of the present values, as they were; None where there are none, for codes, and
        where only bins were recorded.
    """

    rows: int
    missing: int = 0
    counts: Counts = ()
    gaps: tuple[float, ...] = ()
    below: int = 0
    above: int = 0
    unseen: int = 0
    coerced: int = 0
    least: float | None = None
    greatest: float | None = None

    def __add__(self, other: Self) -> Self:
        return type(self)(
            rows=self.rows + other.rows,
            missing=self.missing + other.missing,
            counts=_sums(self.counts, other.counts),
            gaps=_sums(self.gaps, other.gaps),
            below=self.below + other.below,
            above=self.above + other.above,
            unseen=self.unseen + other.unseen,
            coerced=self.coerced + other.coerced,
            least=_end(min, self.least, other.least),
            greatest=_end(max, self.greatest, other.greatest),
        )

    @property
    def present(self) -> int:
        """How many values were not missing."""
        return self.rows - self.missing

    @property
    def constant(self) -> bool:
        """Whether all present values are one, as far as is recorded."""
        if self.gaps:
            return self.least is not None and self.least == self.greatest
        return sum(count > 0 for count in (*self.counts, self.unseen)) == 1


class Sketch(Document):
    """The predictions of some time, counted.

    Attributes
    ----------
    mode : {"raw", "binned"}
        Whether features were recorded as they were sent, or as tenths of the range of training.
    rows : int
        How many predictions.
    duplicates : int
        How many rows of features are equal to an earlier one *of the same part*: what stands in
        two different parts is not found, so the sum is a lower bound. 0 where rows are binned.
    features, scores : dict of str to Column
        By name; a feature that is not recorded is not there.
    labels : dict of str to tuple of int
        For each target how often each class was the answer.
    """

    mode: Mode
    rows: int
    duplicates: int
    features: dict[str, Column]
    scores: dict[str, Column]
    labels: dict[str, Counts]

    def __add__(self, other: Self) -> Self:
        if self.mode != other.mode:
            raise ValueError("a raw and a binned sketch have no sum")
        return type(self)(
            mode=self.mode,
            rows=self.rows + other.rows,
            duplicates=self.duplicates + other.duplicates,
            features=_by_name(self.features, other.features),
            scores=_by_name(self.scores, other.scores),
            labels=_counts_by_name(self.labels, other.labels),
        )

    def json(self) -> bytes:
        """Write it as JSON, which `parse` reads."""
        return to_json(self)


def to_json(document: Document) -> bytes:
    """Write a document as JSON; a number that is not finite is a `ValueError`."""
    return json.dumps(document, default=vars, allow_nan=False, separators=(",", ":")).encode()


def _by_name(one: Mapping[str, Column], other: Mapping[str, Column]) -> dict[str, Column]:
    if one.keys() != other.keys():
        raise ValueError("the sketches are not of the same columns")
    return {name: column + other[name] for name, column in one.items()}


def _counts_by_name(one: Mapping[str, Counts], other: Mapping[str, Counts]) -> dict[str, Counts]:
    if one.keys() != other.keys():
        raise ValueError("the sketches are not of the same targets")
    return {name: _sums(counts, other[name]) for name, counts in one.items()}


def _sums[T: (int, float)](one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _end(choose: _Choose, one: float | None, other: float | None) -> float | None:
    known = [end for end in (one, other) if end is not None]
    return choose(known) if known else None
