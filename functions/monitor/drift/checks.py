"""The checks of a column: whether its distribution, its rates or its range have changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from functions.monitor.drift.verdict import Check, ColumnPair, PendingVerdict, Thresholds, Verdict
from functions.monitor.statistics.distances import (
    chi_square,
    chi_square_p,
    decile_counts,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    pool_rare,
    stability_index,
    standard_deviation,
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
from sklambda.sketch.sketch import Histogram

_MAX_SHIFTS: Final = 3
"""How many of the shifted categories a verdict names."""

type Rate = tuple[int, int]
"""A count, and the number of rows it is of."""


def distribution_checks(
    pairs: Sequence[ColumnPair], thresholds: Thresholds
) -> Iterator[PendingVerdict]:
    """Check whether the distributions of columns have changed."""
    for pair in pairs:
        if not _count_values(pair.after) or not _count_values(pair.before):
            yield _no_data(pair, thresholds)
        elif pair.reference.ruler.codes:
            yield categorical_drift(pair, thresholds)
        else:
            yield numeric_drift(pair, thresholds)


def _count_values(column: Histogram) -> int:
    return sum(column.counts) + column.unseen


def _no_data(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    verdict = Verdict(
        pair.name,
        "distribution",
        0,
        0.0,
        thresholds.effect,
        1.0,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, lambda level: float("inf"))


def numeric_drift(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Compare numbers: the effect is Wasserstein's distance, p of Kolmogorov and Smirnov's test."""
    ruler, n, m = pair.reference.ruler, sum(pair.after.counts), sum(pair.before.counts)
    measures = _measures(pair)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=measures["wasserstein"],
        least=thresholds.effect,
        p=kolmogorov_smirnov_p(measures["kolmogorov_smirnov"], n, m),
        before=mean(ruler, pair.before),
        after=mean(ruler, pair.after),
        direction=_direction(pair),
        measures=measures,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, partial(detectable_shift, n=n, m=m))


def _measures(pair: ColumnPair) -> dict[str, float]:
    area = wasserstein(pair.reference.ruler, pair.before, pair.after)
    deciles = [decile_counts(pair.reference.column, one) for one in (pair.before, pair.after)]
    return {
        "wasserstein": area / (pair.reference.std or 1.0),
        "kolmogorov_smirnov": kolmogorov_smirnov(pair.before, pair.after),
        "jensen_shannon": jensen_shannon(*deciles),
        "stability_index": stability_index(*deciles),
    }


def _direction(pair: ColumnPair) -> str:
    """Return the direction of the shift, or of the spread if it explains more of the area."""
    ruler, before, after = pair.reference.ruler, pair.before, pair.after
    shift = mean(ruler, after) - mean(ruler, before)
    if abs(shift) >= wasserstein(ruler, before, after) / 2:
        return "up" if shift > 0 else "down" if shift < 0 else ""
    is_wider = standard_deviation(ruler, after) > standard_deviation(ruler, before)
    return "wider" if is_wider else "narrower"


def categorical_drift(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Compare categories, rare ones pooled: Jensen and Shannon's distance, and chi-square's p."""
    before, after = _with_unseen(pair.before), _with_unseen(pair.after)
    groups = pool_rare(before, after)
    n, m = int(after.sum()), int(before.sum())
    distance = jensen_shannon(*groups)
    verdict = Verdict(
        name=pair.name,
        check="distribution",
        rows=n,
        effect=distance,
        least=thresholds.effect,
        p=chi_square_p(*groups),
        direction="mix",
        shifts=_largest_shifts(pair.categories, after / n - before / m),
        measures={"jensen_shannon": distance, "stability_index": stability_index(*groups)},
        about=pair.about,
        weight=pair.weight,
    )
    freedom = chi_square(*groups)[1]
    return PendingVerdict(verdict, partial(detectable_mix, freedom=freedom, n=n, m=m))


def _with_unseen(column: Histogram) -> FloatVector:
    return np.array([*column.counts, column.unseen], dtype=np.float64)


def _largest_shifts(categories: Sequence[str], shift: FloatVector) -> tuple[tuple[str, float], ...]:
    names = [*categories, "unseen"]
    largest = np.argsort(-np.abs(shift), kind="stable")[:_MAX_SHIFTS].tolist()
    return tuple((names[code], float(shift[code])) for code in largest if shift[code])


def quality_checks(pairs: Sequence[ColumnPair], thresholds: Thresholds) -> Iterator[PendingVerdict]:
    """Check the rates of columns; a rate of zero on both sides has no verdict."""
    for pair in pairs:
        before, after = _rates(pair.before), _rates(pair.after)
        for check in before:
            if pair.after.rows and (before[check][0] or after[check][0]):
                yield _rate_check(pair, check, before[check], after[check], thresholds)
        if pair.after.present and pair.after.constant and not pair.before.constant:
            yield _constant(pair, thresholds)


def _rate_check(
    pair: ColumnPair, check: Check, before: Rate, after: Rate, thresholds: Thresholds
) -> PendingVerdict:
    pending = rate_check(pair.name, check, before, after, thresholds)
    verdict = replace(pending.verdict, about=pair.about, weight=pair.weight)
    return pending._replace(verdict=verdict)


def rate_check(
    name: str, check: Check, before: Rate, after: Rate, thresholds: Thresholds
) -> PendingVerdict:
    """Compare two rates by Fisher's exact test."""
    (count_before, m), (count_after, n) = before, after
    rate_before, rate_after = count_before / m if m else 0.0, count_after / n
    verdict = Verdict(
        name=name,
        check=check,
        rows=n,
        effect=abs(rate_after - rate_before),
        least=thresholds.points,
        p=fisher_p(count_after, n, count_before, m),
        before=rate_before,
        after=rate_after,
        direction="up" if rate_after > rate_before else "down",
    )
    return PendingVerdict(verdict, partial(detectable_points, rate=rate_before, n=n, m=max(m, 1)))


def _rates(column: Histogram) -> dict[Check, Rate]:
    return {
        "missing": (column.missing, column.rows),
        "unseen": (column.unseen, column.rows),
        "out_of_range": (column.below + column.above, column.rows),
        "coerced": (column.coerced, column.rows),
    }


def _constant(pair: ColumnPair, thresholds: Thresholds) -> PendingVerdict:
    """Check whether a single value is left: p is that of n values in the most frequent bin."""
    n = pair.after.present
    largest = max((*pair.before.counts, pair.before.unseen)) / max(1, pair.before.present)
    verdict = Verdict(
        name=pair.name,
        check="constant",
        rows=n,
        effect=1 - largest,
        least=thresholds.points,
        p=largest**n,
        about=pair.about,
        weight=pair.weight,
    )
    return PendingVerdict(verdict, lambda level: thresholds.points)
