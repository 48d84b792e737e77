"""KernelSHAP: Shapley values of any model, from scores of mixed rows.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017: the values are the
solution of a weighted least-squares problem over coalitions of features. Coalitions come in pairs
with their complements (Covert and Lee, "Improving KernelSHAP", 2021). All coalitions of the sizes
with the greatest weights are taken, so the values are exact with few features.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix, FloatVector, IntVector

type Coalitions = NDArray[np.bool_]  # [n, players]
type Score = Callable[[FloatMatrix], FloatMatrix]

_SEED: Final = 0
_NUMBERS: Final = 2**21
"""The numbers that are scored at once."""


@lru_cache(maxsize=4)
def coalitions(players: int, most: int) -> tuple[Coalitions, FloatVector]:
    """Return coalitions, neither empty nor whole, and their weights; the choice is deterministic.

    Parameters
    ----------
    players : int
        The number of features.
    most : int
        The greatest number of coalitions; those of one feature, and of all but one, are always
        taken.

    Returns
    -------
    tuple of ndarray of bool, shape [n, players], and FloatVector, shape [n]
    """
    # By size, up to half of the features: the weight of its coalitions and their complements.
    # Coalitions of half of the features are complements of each other.
    sides = {size: 1 if 2 * size == players else 2 for size in range(1, players // 2 + 1)}
    mass = {size: count / (size * (players - size)) for size, count in sides.items()}
    parts: list[tuple[Coalitions, FloatVector]] = []
    left, all_fit = most, 2**players - 2 <= most
    for size, count in sides.items():
        # All coalitions of a size are taken where draws by weight would find all of them anyway.
        drawn = left * mass[size] / sum(mass.values())
        if size > 1 and not all_fit and drawn < count * comb(players, size):
            break
        own = _all_of(players, size)
        parts.append((own, np.full(len(own), mass.pop(size) / len(own))))
        left -= len(own)
    if mass and left > 1:
        some, counts = _draw(players, mass, left // 2)
        parts.append((some, sum(mass.values()) * counts / counts.sum()))
    chosen, weights = zip(*parts, strict=True)
    return np.concatenate(chosen), np.concatenate(weights)


def _all_of(players: int, size: int) -> Coalitions:
    """Return all coalitions of a size, and their complements unless they have the same size."""
    chosen = np.array(list(combinations(range(players), size)))
    found = np.zeros((len(chosen), players), dtype=bool)
    found[np.arange(len(chosen))[:, None], chosen] = True
    return found if 2 * size == players else np.concatenate([found, ~found])


def _draw(players: int, mass: dict[int, float], pairs: int) -> tuple[Coalitions, FloatVector]:
    generator = np.random.default_rng(_SEED)
    chances = np.array(list(mass.values()))
    sizes = generator.choice(list(mass), size=pairs, p=chances / chances.sum())
    ranks = generator.random((pairs, players)).argsort(axis=1)
    half = ranks < sizes[:, None]
    found, counts = np.unique(np.concatenate([half, ~half]), axis=0, return_counts=True)
    return found, counts.astype(np.float64)


def most_coalitions(players: int, most: int) -> int:
    """Return the greatest number of coalitions that `coalitions` returns."""
    most = max(most, 2 * players)
    return most if players >= most.bit_length() else min(2**players - 2, most)


def contributions(
    score: Score, row: FloatVector, background: FloatMatrix, owners: IntVector, most: int
) -> tuple[FloatVector, FloatMatrix, int]:
    """Compute the Shapley values of a row.

    Parameters
    ----------
    score : callable
        Scores rows: [N, K] to [N, C].
    row : FloatVector
        Shape [K].
    background : FloatMatrix
        Shape [B, K].
    owners : ndarray of int, shape [K]
        The feature of each column.
    most : int
        The greatest number of coalitions that are scored.

    Returns
    -------
    tuple of FloatVector, FloatMatrix and int
        The mean score of the background, [C]; the values, [F, C]; and the number of scored rows.
        The values add up to the difference of the score of the row from that mean.
    """
    # The value of a feature that is equal in all of the background is 0: it is left out.
    other = (row != background) & ~(np.isnan(row) & np.isnan(background))
    players = np.unique(owners[other.any(axis=0)])
    base, whole = score(background).mean(axis=0), score(row[None])[0]
    values, rows = np.zeros((owners.max() + 1, len(base))), len(background) + 1
    if len(players) == 1:
        values[players[0]] = whole - base
    if len(players) > 1:
        chosen, weights = coalitions(len(players), most)
        member = np.zeros((len(chosen), len(values)), dtype=bool)
        member[:, players] = chosen
        means = _means(score, row, background, member[:, owners])
        values[players] = _solve(chosen, weights, means - base, whole - base)
        rows += len(chosen) * len(background)
    return base, values, rows


def _means(score: Score, row: FloatVector, background: FloatMatrix, own: Coalitions) -> FloatMatrix:
    """Average the scores of mixed rows, which have the values of `row` where `own` [n, K]."""
    size = max(1, _NUMBERS // background.size)
    parts = []
    for start in range(0, len(own), size):
        chunk = own[start : start + size]
        mixed = np.where(chunk[:, None, :], row, background).reshape(-1, len(row))
        parts.append(score(mixed).reshape(len(chunk), len(background), -1).mean(axis=1))
    return np.concatenate(parts)


def _solve(
    chosen: Coalitions, weights: FloatVector, gains: FloatMatrix, whole: FloatVector
) -> FloatMatrix:
    """Solve the least squares; the values must add up to `whole` [C]."""
    members = chosen.astype(np.float64)
    last = members[:, -1:]
    design = members[:, :-1] - last
    weighed = (design * weights[:, None]).T
    free = np.linalg.solve(weighed @ design, weighed @ (gains - last * whole))
    return np.concatenate([free, [whole - free.sum(axis=0)]])
