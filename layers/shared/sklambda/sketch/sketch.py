"""Sketches: counts of many predictions that can be added, without their rows.

The sketch of a day is the sum of the sketches of its hours, in any order: counts are whole numbers,
and the other sums are of terms that are never negative, so nothing cancels.
"""

import json
from collections.abc import Callable, Mapping
from typing import Literal, Self

from sklambda.document import Document

type Mode = Literal["raw", "binned"]
type Counts = tuple[int, ...]
type _Choose = Callable[[list[float]], float]


class Histogram(Document):
    """The values of one feature or score, counted in the bins of its ruler.

    Attributes
    ----------
    rows : int
        The number of values, missing ones too.
    missing : int
        The number of missing values; of scores, of those that are not finite.
    counts : tuple of int
        The number of values in each bin, or with each code.
    gaps : tuple of float
        For each bin the sum of the distances from its values to its upper edge; empty for codes.
        A value outside of the edges counts as the nearest edge.
    below, above : int
        The numbers of values outside of the edges.
    unseen : int
        The number of categories outside of the vocabulary.
    coerced : int
        The number of values whose type was converted.
    least, greatest : float or None
        The least and the greatest value; None without values, for codes, and for binned captures.
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
        """The number of values that are not missing."""
        return self.rows - self.missing

    @property
    def constant(self) -> bool:
        """Whether all present values are equal, as far as the counts show."""
        if self.gaps:
            return self.least is not None and self.least == self.greatest
        return sum(count > 0 for count in (*self.counts, self.unseen)) == 1


class Sketch(Document):
    """The counts of the predictions of a period.

    Attributes
    ----------
    mode : {"raw", "binned"}
        Whether captures hold the values of features, or their tenths of the range of training.
    rows : int
        The number of predictions.
    duplicates : int
        The number of rows of features that are equal to an earlier one *of the same part*; equal
        rows of two parts are not found, so the sum is a lower bound. 0 for binned captures.
    features, scores : dict of str to Histogram
        By name; a feature that is not captured is absent.
    labels : dict of str to tuple of int
        For each target the count of each predicted class.
    """

    mode: Mode
    rows: int
    duplicates: int
    features: dict[str, Histogram]
    scores: dict[str, Histogram]
    labels: dict[str, Counts]

    def __add__(self, other: Self) -> Self:
        if self.mode != other.mode:
            raise ValueError("a raw and a binned sketch cannot be added")
        return type(self)(
            mode=self.mode,
            rows=self.rows + other.rows,
            duplicates=self.duplicates + other.duplicates,
            features=_by_name(self.features, other.features),
            scores=_by_name(self.scores, other.scores),
            labels=_counts_by_name(self.labels, other.labels),
        )

    def json(self) -> bytes:
        """Return it as JSON, which `parse` reads."""
        return to_json(self)


def to_json(document: Document) -> bytes:
    """Return a document as JSON; a number that is not finite is a `ValueError`."""
    return json.dumps(document, default=vars, allow_nan=False, separators=(",", ":")).encode()


def _by_name(one: Mapping[str, Histogram], other: Mapping[str, Histogram]) -> dict[str, Histogram]:
    if one.keys() != other.keys():
        raise ValueError("sketches of different columns cannot be added")
    return {name: column + other[name] for name, column in one.items()}


def _counts_by_name(one: Mapping[str, Counts], other: Mapping[str, Counts]) -> dict[str, Counts]:
    if one.keys() != other.keys():
        raise ValueError("sketches of different targets cannot be added")
    return {name: _sums(counts, other[name]) for name, counts in one.items()}


def _sums[T: (int, float)](one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _end(choose: _Choose, one: float | None, other: float | None) -> float | None:
    known = [end for end in (one, other) if end is not None]
    return choose(known) if known else None
