"""Whether two rates differ, exactly: counts of what is rare are small."""

from math import exp, lgamma
from typing import Final

_SMALL: Final = 1e-16


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
