"""Significance: p-values, the correction for many tests, and the smallest detectable effects.

With numpy and the standard library: scipy would take 100 MB of the function; the tests compare
with it.
"""

from collections.abc import Callable
from math import erfc, exp, inf, lgamma, log, pi, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector

POWER: Final = 0.8
"""The share of windows in which a detectable effect is found."""

_PRECISION: Final = 1e-16
_ROUNDS: Final = 20
_NORMAL: Final = NormalDist()
_POWER_QUANTILE: Final = _NORMAL.inv_cdf(POWER)


def normal_tail(z: float) -> float:
    """Return the probability that a standard normal value is above `z`."""
    return erfc(z / sqrt(2)) / 2


def normal_quantile(probability: float) -> float:
    """Return the value that a standard normal one does not exceed with a probability."""
    return _NORMAL.inv_cdf(probability)


def kolmogorov_tail(x: float) -> float:
    """Return the probability that the Kolmogorov distribution is above `x`.

    For large `x` the alternating series, else its theta transform (Marsaglia, Tsang and Wang,
    "Evaluating Kolmogorov's distribution", 2003).
    """
    if x <= 0:
        return 1.0
    if x < 1:
        terms = (exp(-(((2 * k - 1) * pi / x) ** 2) / 8) for k in range(1, 20))
        return 1 - sqrt(2 * pi) / x * sum(terms)
    return 2 * sum((-1.0) ** (k - 1) * exp(-2 * (k * x) ** 2) for k in range(1, 20))


def kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Return the asymptotic p-value of the greatest distance of two distribution functions.

    With the correction for few rows of Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises
    and related statistics", 1970. For tied or binned values it is too large, not too small.
    """
    root = sqrt(n * m / (n + m))
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)


def chi_square_tail(x: float, freedom: int) -> float:
    """Return the probability that a chi-square value is above `x`.

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
    while term > total * _PRECISION:
        shape += 1
        term *= x / shape
        total += term
    return total


def _gamma_fraction(shape: float, x: float) -> float:
    """Evaluate the fraction by Lentz's method, for x > shape + 1."""
    b = x + 1 - shape
    c, d = inf, 1 / b
    value, step, k = d, 0.0, 0
    while abs(step - 1) > _PRECISION * 4:
        k += 1
        b += 2
        a = -k * (k - shape)
        d = 1 / (a * d + b)
        c = b + a / c
        step = c * d
        value *= step
    return value


def fisher_p(count: int, n: int, other: int, m: int) -> float:
    """Return the exact two-sided p-value of `count` of `n` against `other` of `m`.

    Twice the smaller tail of the hypergeometric distribution (Fisher, 1935); 1 if all counts are
    zero, or all are full.
    """
    total, both = count + other, n + m
    if total in (0, both):
        return 1.0
    probability = _hypergeometric(count, n, total, both)
    above = probability * (1 + _tail_sum(count, n, total, both, 1))
    below = probability * (1 + _tail_sum(count, n, total, both, -1))
    return min(1.0, 2 * min(above, below))


def _hypergeometric(count: int, n: int, total: int, both: int) -> float:
    choices = _log_binomial(n, count) + _log_binomial(both - n, total - count)
    return exp(choices - _log_binomial(both, total))


def _log_binomial(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _tail_sum(count: int, n: int, total: int, both: int, step: int) -> float:
    """Sum the probabilities beyond `count`, relative to its own."""
    term, tail, k = 1.0, 0.0, count
    while term > tail * _PRECISION:
        if step > 0:
            term *= (n - k) * (total - k) / ((k + 1) * (both - n - total + k + 1))
        else:
            term *= k * (both - n - total + k) / ((n - k + 1) * (total - k + 1))
        tail += term
        k += step
    return tail


def benjamini_hochberg(p: FloatVector, rate: float) -> Flags:
    """Return which p-values, [k], are significant at a false discovery rate.

    Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    ordered = np.sort(p)
    passed = ordered <= rate * np.arange(1, len(p) + 1) / len(p)
    return p <= (ordered[passed][-1] if passed.any() else -1.0)


def detectable_shift(level: float, n: int, m: int) -> float:
    """Return the shift, in standard deviations, that the Kolmogorov-Smirnov test detects.

    A shift d of a normal distribution separates the distribution functions by d / sqrt(2 pi) in
    the middle. A shift whose separation is the critical one is found in 76 to 85 % of simulated
    windows of 100 to 5,000 rows: the greatest of many differences is rarely the one in the middle.
    """
    return sqrt(2 * pi) * invert_tail(kolmogorov_tail, level) * sqrt(1 / n + 1 / m)


def detectable_mix(level: float, freedom: int, n: int, m: int) -> float:
    """Return the Jensen-Shannon distance that the chi-square test of two samples detects.

    For small differences the divergence is an eighth of chi-square by the effective number of
    rows; a noncentral chi-square is approximated by its mean and variance.
    """
    if freedom < 1:
        return float("inf")
    critical = invert_tail(lambda x: chi_square_tail(x, freedom), level)

    def excess(noncentrality: float) -> float:
        deviation = sqrt(2 * (freedom + 2 * noncentrality))
        return freedom + noncentrality - _POWER_QUANTILE * deviation - critical

    noncentrality = invert_tail(lambda x: -excess(x), 0.0)
    return sqrt(noncentrality * (1 / n + 1 / m) / 8)


def detectable_points(level: float, rate: float, n: int, m: int) -> float:
    """Return the rise of a rate that a test of two rates detects.

    The variances of both rates count (Fleiss, *Statistical methods for rates and proportions*,
    1981), and one row more, as Fisher's test has steps of one.
    """
    quantile, rise = normal_quantile(1 - level / 2), 0.0
    for _ in range(_ROUNDS):
        raised = min(1.0, rate + rise)
        pooled = (rate * m + raised * n) / (n + m)
        null = sqrt(max(pooled * (1 - pooled), 1 / n) * (1 / n + 1 / m))
        alternative = sqrt(rate * (1 - rate) / m + raised * (1 - raised) / n)
        rise = quantile * null + _POWER_QUANTILE * alternative
    return rise + 1 / n


def invert_tail(tail: Callable[[float], float], probability: float) -> float:
    """Return where a falling tail has a probability, by bisection."""
    low, high = 0.0, 1.0
    while tail(high) > probability:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > probability else (low, middle)
    return high
