"""The checks of a column: whether its distribution, its rates or its range have changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from functions.monitor.drift.verdict import Check, Gate, Pair, Tested, Verdict
from functions.monitor.statistics.distances import (
    chi_square,
    chi_square_p,
    in_deciles,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    pooled,
    spread,
    stability_index,
    wasserstein,
)
from functions.monitor.statistics.significance import (
    detectable_mix,
    detectable_points,
    detectable_shift,
    fisher_p,
    kolmogorov_smirnov_p,
)
from sklambda.arrays import FloatVector
from sklambda.sketch.sketch import Column

_SHOWN: Final = 3
"""How many categories are named."""

type Rate = tuple[int, int]  # how many, of how many


def drift(pairs: Sequence[Pair], gate: Gate) -> Iterator[Tested]:
    """Test whether distributions have changed."""
    for pair in pairs:
        if not _counted(pair.after) or not _counted(pair.before):
            yield _untested(pair, gate)
        elif pair.reference.ruler.codes:
            yield mix(pair, gate)
        else:
            yield shift(pair, gate)


def _counted(column: Column) -> int:
    return sum(column.counts) + column.unseen


def _untested(pair: Pair, gate: Gate) -> Tested:
    verdict = Verdict(
        pair.name, "distribution", 0, 0.0, gate.effect, 1.0, about=pair.about, weight=pair.weight
    )
    return Tested(verdict, lambda level: float("inf"))


def shift(pair: Pair, gate: Gate) -> Tested:
    """Compare numbers: Wasserstein's distance for the effect, Kolmogorov and Smirnov's for p."""
    ruler, n, m = pair.reference.ruler, sum(pair.after.counts), sum(pair.before.counts)
    measures = _measures(pair)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=measures["wasserstein"],
        least=gate.effect,
        p=kolmogorov_smirnov_p(measures["kolmogorov_smirnov"], n, m),
        before=mean(ruler, pair.before),
        after=mean(ruler, pair.after),
        direction=_direction(pair),
        measures=measures,
        about=pair.about,
        weight=pair.weight,
    )
    return Tested(verdict, partial(detectable_shift, n=n, m=m))


def _measures(pair: Pair) -> dict[str, float]:
    area = wasserstein(pair.reference.ruler, pair.before, pair.after)
    deciles = [in_deciles(pair.reference.column, one) for one in (pair.before, pair.after)]
    return {
        "wasserstein": area / (pair.reference.std or 1.0),
        "kolmogorov_smirnov": kolmogorov_smirnov(pair.before, pair.after),
        "jensen_shannon": jensen_shannon(*deciles),
        "stability_index": stability_index(*deciles),
    }


def _direction(pair: Pair) -> str:
    """Name the shift, or the change of the spread where that explains more of the area."""
    ruler, before, after = pair.reference.ruler, pair.before, pair.after
    moved = mean(ruler, after) - mean(ruler, before)
    if abs(moved) >= wasserstein(ruler, before, after) / 2:
        return "up" if moved > 0 else "down" if moved < 0 else ""
    return "wider" if spread(ruler, after) > spread(ruler, before) else "narrower"


def mix(pair: Pair, gate: Gate) -> Tested:
    """Compare categories, rare ones together: Jensen and Shannon's distance, and chi-square's p."""
    before, after = _with_unseen(pair.before), _with_unseen(pair.after)
    groups = pooled(before, after)
    n, m = int(after.sum()), int(before.sum())
    distance = jensen_shannon(*groups)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=distance,
        least=gate.effect,
        p=chi_square_p(*groups),
        direction="mix",
        shifts=_shifts(pair.categories, after / n - before / m),
        measures={"jensen_shannon": distance, "stability_index": stability_index(*groups)},
        about=pair.about,
        weight=pair.weight,
    )
    freedom = chi_square(*groups)[1]
    return Tested(verdict, partial(detectable_mix, freedom=freedom, n=n, m=m))


def _with_unseen(column: Column) -> FloatVector:
    return np.array([*column.counts, column.unseen], dtype=np.float64)


def _shifts(categories: Sequence[str], moved: FloatVector) -> tuple[tuple[str, float], ...]:
    names = [*categories, "unseen"]
    most = np.argsort(-np.abs(moved), kind="stable")[:_SHOWN].tolist()
    return tuple((names[code], float(moved[code])) for code in most if moved[code])


def quality(pairs: Sequence[Pair], gate: Gate) -> Iterator[Tested]:
    """Test the rates of each column; of what never happens nothing is said."""
    for pair in pairs:
        before, after = _rates(pair.before), _rates(pair.after)
        for check in before:
            if pair.after.rows and (before[check][0] or after[check][0]):
                yield _rate(pair, check, before[check], after[check], gate)
        if pair.after.present and pair.after.constant and not pair.before.constant:
            yield _constant(pair, gate)


def _rate(pair: Pair, check: Check, before: Rate, after: Rate, gate: Gate) -> Tested:
    test = rate(pair.name, check, before, after, gate)
    verdict = replace(test.verdict, about=pair.about, weight=pair.weight)
    return test._replace(verdict=verdict)


def rate(name: str, check: Check, before: Rate, after: Rate, gate: Gate) -> Tested:
    """Compare two rates, each as how many of how many: Fisher's exact test."""
    (expected, m), (found, n) = before, after
    was, became = expected / m if m else 0.0, found / n
    verdict = Verdict(
        name=name,
        check=check,
        rows=n,
        effect=abs(became - was),
        least=gate.points,
        p=fisher_p(found, n, expected, m),
        before=was,
        after=became,
        direction="up" if became > was else "down",
    )
    return Tested(verdict, partial(detectable_points, rate=was, n=n, m=max(m, 1)))


def _rates(column: Column) -> dict[Check, Rate]:
    return {
        "missing": (column.missing, column.rows),
        "unseen": (column.unseen, column.rows),
        "out_of_range": (column.below + column.above, column.rows),
        "coerced": (column.coerced, column.rows),
    }


def _constant(pair: Pair, gate: Gate) -> Tested:
    """Judge that only one value is left: by chance it is the most frequent bin's, each time."""
    n = pair.after.present
    most = max((*pair.before.counts, pair.before.unseen)) / max(1, pair.before.present)
    verdict = Verdict(
        name=pair.name,
        check="constant",
        rows=n,
        effect=1 - most,
        least=gate.points,
        p=most**n,
        about=pair.about,
        weight=pair.weight,
    )
    return Tested(verdict, lambda level: gate.points)
