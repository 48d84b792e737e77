"""Significance: p-values, the correction for many tests, and the smallest detectable effects.

With numpy and the standard library: scipy has them all and takes 100 MB of a function; the tests
compare with it."""

from collections.abc import Callable
from math import erfc, exp, inf, lgamma, log, pi, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector

_SMALL: Final = 1e-16
_NORMAL: Final = NormalDist()
_ROUNDS: Final = 20

POWER: Final = 0.8
"""The share of windows in which what is called detectable is found."""


def normal_tail(z: float) -> float:
    """Give the chance of a standard normal value above `z`."""
    return erfc(z / sqrt(2)) / 2


def normal_quantile(chance: float) -> float:
    """Give the value that a standard normal one is not above with a chance."""
    return _NORMAL.inv_cdf(chance)


_BEYOND: Final = normal_quantile(POWER)


def kolmogorov_tail(x: float) -> float:
    """Give the chance that the Kolmogorov distribution lies above `x`.

    For great `x` the alternating series, else its theta transform (Marsaglia, Tsang and Wang,
    "Evaluating Kolmogorov's distribution", 2003).
    """
    if x <= 0:
        return 1.0
    if x < 1:
        terms = (exp(-(((2 * k - 1) * pi / x) ** 2) / 8) for k in range(1, 20))
        return 1 - sqrt(2 * pi) / x * sum(terms)
    return 2 * sum((-1.0) ** (k - 1) * exp(-2 * (k * x) ** 2) for k in range(1, 20))


def kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Give the p-value of the greatest distance of two distribution functions, as n, m grow.

    With the correction for few rows of Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises
    and related statistics", 1970. Where values are tied or binned it is too great, not too small.
    """
    root = sqrt(n * m / (n + m))
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)


def chi_square_tail(x: float, freedom: int) -> float:
    """Give the chance that a chi-square value lies above `x`.

    The series and the continued fraction of the incomplete gamma function (Press et al.,
    *Numerical Recipes*, 3rd edition, section 6.2).
    """
    if x <= 0 or freedom < 1:
        return 1.0
    if x == inf:
        return 0.0
    shape, half = freedom / 2, x / 2
    scale = exp(shape * log(half) - half - lgamma(shape))
    if half < shape + 1:
        return 1 - scale * _gamma_series(shape, half)
    return scale * _gamma_fraction(shape, half)


def _gamma_series(shape: float, x: float) -> float:
    term = total = 1 / shape
    while term > total * _SMALL:
        shape += 1
        term *= x / shape
        total += term
    return total


def _gamma_fraction(shape: float, x: float) -> float:
    """Evaluate the fraction as Lentz does, for x > shape + 1."""
    b = x + 1 - shape
    c, d = inf, 1 / b
    value, step, k = d, 0.0, 0
    while abs(step - 1) > _SMALL * 4:
        k += 1
        b += 2
        a = -k * (k - shape)
        d = 1 / (a * d + b)
        c = b + a / c
        step = c * d
        value *= step
    return value


def fisher_p(found: int, n: int, expected: int, m: int) -> float:
    """Give the two-sided p-value of `found` of `n` beside `expected` of `m`, exactly.

    Twice the smaller tail of the hypergeometric distribution (Fisher, 1935); 1 where nothing, or
    everything, was found.
    """
    total = found + expected
    if total in (0, n + m):
        return 1.0
    mode = _chance(found, n, total, n + m)
    above = mode * (1 + _rest(found, n, total, n + m, 1))
    below = mode * (1 + _rest(found, n, total, n + m, -1))
    return min(1.0, 2 * min(above, below))


def _chance(found: int, n: int, total: int, both: int) -> float:
    logarithm = _choose(n, found) + _choose(both - n, total - found) - _choose(both, total)
    return exp(logarithm)


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _rest(found: int, n: int, total: int, both: int, step: int) -> float:
    """Add up the chances past `found`, in units of its own."""
    term, summed, k = 1.0, 0.0, found
    while term > summed * _SMALL:
        if step > 0:
            term *= (n - k) * (total - k) / ((k + 1) * (both - n - total + k + 1))
        else:
            term *= k * (both - n - total + k) / ((n - k + 1) * (total - k + 1))
        summed += term
        k += step
    return summed


def discoveries(p: FloatVector, rate: float) -> Flags:
    """Tell which p-values, [k], are small enough that among them at most a rate is by chance.

    Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    ordered = np.sort(p)
    passed = ordered <= rate * np.arange(1, len(p) + 1) / len(p)
    return p <= (ordered[passed][-1] if passed.any() else -1.0)


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


def quantile_of(tail: Callable[[float], float], chance: float) -> float:
    """Give where a falling tail has a chance, between 0 and 1; by halving."""
    low, high = 0.0, 1.0
    while tail(high) > chance:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > chance else (low, middle)
    return high
