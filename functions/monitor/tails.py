"""How likely chance alone is: the tails of distributions, with numpy and the standard library.

scipy has them all and takes 100 MB of a function; the tests compare with it.
"""

from collections.abc import Callable
from math import erfc, exp, floor, inf, lgamma, log, pi, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from sklambda.arrays import Flags, FloatVector

_SMALL: Final = 1e-16
_NORMAL: Final = NormalDist()


def normal_tail(z: float) -> float:
    """Give the chance of a standard normal value above `z`."""
    return erfc(z / sqrt(2)) / 2


def normal_quantile(chance: float) -> float:
    """Give the value that a standard normal one is not above with a chance."""
    return _NORMAL.inv_cdf(chance)


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


def exact_kolmogorov_smirnov_p(distance: float, n: int, m: int) -> float:
    """Give the p-value of the greatest distance of two samples without ties, exactly.

    Paths on a lattice that stay near its diagonal are counted, row by row (Schroeer and Trenkler,
    "Exact and randomization distributions of Kolmogorov-Smirnov tests", 1995).
    """
    n, m = sorted((n, m))
    reach = floor(distance * n * m + 0.5)
    columns = np.arange(m + 1) * n
    inside = (columns < reach).astype(np.float64)
    for row in range(1, n + 1):
        near = np.abs(columns - row * m) < reach
        inside = np.where(near, np.cumsum(np.where(near, inside * (row / (row + m)), 0.0)), 0.0)
    return float(min(1.0, max(0.0, 1.0 - inside[m])))


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


def discoveries(p: FloatVector, rate: float) -> Flags:
    """Tell which p-values, [k], are small enough that among them at most a rate is by chance.

    Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    ordered = np.sort(p)
    passed = ordered <= rate * np.arange(1, len(p) + 1) / len(p)
    return p <= (ordered[passed][-1] if passed.any() else -1.0)


def quantile_of(tail: Callable[[float], float], chance: float) -> float:
    """Give where a falling tail has a chance, between 0 and 1; by halving."""
    low, high = 0.0, 1.0
    while tail(high) > chance:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > chance else (low, middle)
    return high
