"""Which effects a test would find in 4 of 5 windows of a size."""

from math import pi, sqrt
from typing import Final

from functions.monitor.tails import (
    chi_square_tail,
    kolmogorov_tail,
    normal_quantile,
    quantile_of,
)

POWER: Final = 0.8
"""The share of windows in which what is called detectable is found."""

_ROUNDS: Final = 20
_BEYOND: Final = normal_quantile(POWER)


def detectable_shift(level: float, n: int, m: int) -> float:
    """Give the shift, in standard deviations, that Kolmogorov and Smirnov's test finds.

    A shift d of a normal distribution parts the distribution functions by d / sqrt(2 pi) in the
    middle. Where that is what the test asks for it is found in 76 to 85 % of simulated windows of
    100 to 5,000 rows: the greatest of many differences is seldom the one in the middle alone.
    """
    return sqrt(2 * pi) * quantile_of(kolmogorov_tail, level) * sqrt(1 / n + 1 / m)


def detectable_mix(level: float, freedom: int, n: int, m: int) -> float:
    """Give the Jensen-Shannon distance that the chi-square test of two samples finds.

    For small differences the divergence is an eighth of chi-square by the effective number of
    rows; of chi-square with a non-centrality the mean and the variance are taken.
    """
    if freedom < 1:
        return float("inf")
    critical = quantile_of(lambda x: chi_square_tail(x, freedom), level)

    def excess(beyond: float) -> float:
        return freedom + beyond - _BEYOND * sqrt(2 * (freedom + 2 * beyond)) - critical

    beyond = quantile_of(lambda x: -excess(x), 0.0)
    return sqrt(beyond * (1 / n + 1 / m) / 8)


def detectable_points(level: float, rate: float, n: int, m: int) -> float:
    """Give the rise of a rate that a test of two rates finds.

    The variance of each rate counts, that of the risen one too (Fleiss, *Statistical methods for
    rates and proportions*, 1981), and one row more, as Fisher's test has steps of one.
    """
    needed, rise = normal_quantile(1 - level / 2), 0.0
    for _ in range(_ROUNDS):
        risen = min(1.0, rate + rise)
        pooled = (rate * m + risen * n) / (n + m)
        chance = sqrt(max(pooled * (1 - pooled), 1 / n) * (1 / n + 1 / m))
        rise = needed * chance + _BEYOND * sqrt(rate * (1 - rate) / m + risen * (1 - risen) / n)
    return rise + 1 / n
