"""Whether the shares of categories have moved."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from functions.monitor.distances import (
    chi_square,
    chi_square_p,
    jensen_shannon,
    pooled,
    stability_index,
)
from functions.monitor.pair import Pair
from functions.monitor.power import detectable_mix
from functions.monitor.verdict import Gate, Tested, Verdict
from sklambda.arrays import FloatVector
from sklambda.sketch import Column

_SHOWN: Final = 3
"""How many categories are named."""


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
