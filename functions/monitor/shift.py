"""Whether numbers have moved.

They are compared within the edges of the ruler: what lies outside counts as the nearest edge, so
that no single value can hide or feign a change. How much does is a check of its own.
"""

from functools import partial

from functions.monitor.distances import (
    in_deciles,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    spread,
    stability_index,
    wasserstein,
)
from functions.monitor.pair import Pair
from functions.monitor.power import detectable_shift
from functions.monitor.tails import kolmogorov_smirnov_p
from functions.monitor.verdict import Gate, Tested, Verdict


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
