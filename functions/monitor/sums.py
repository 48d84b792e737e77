"""Sums of sketches, of which some hold a feature that others do not."""

from collections.abc import Iterable, Mapping
from functools import reduce

from sklambda.sketch import Column, Sketch


def plus(one: Sketch | None, other: Sketch) -> Sketch:
    """Add a sketch of the same mode to what there is.

    A feature that is not in both was redacted for a time: its column holds the rows of the rest.
    """
    if one is None:
        return other
    if one.features.keys() == other.features.keys():
        return one + other
    return _with(one, other.features) + _with(other, one.features)


def total(parts: Iterable[Sketch]) -> Sketch | None:
    """Add sketches of the same mode; None where there are none."""
    return reduce(plus, parts, None)


def columns(parts: Iterable[Mapping[str, Column]]) -> dict[str, Column]:
    """Add columns by their names."""
    found: dict[str, Column] = {}
    for part in parts:
        for name, column in part.items():
            found[name] = found[name] + column if name in found else column
    return found


def _with(sketch: Sketch, others: dict[str, Column]) -> Sketch:
    empty = {name: _none(column) for name, column in others.items()}
    return sketch.replace(features=empty | sketch.features)


def _none(column: Column) -> Column:
    return Column(rows=0, counts=(0,) * len(column.counts), gaps=(0.0,) * len(column.gaps))
