"""P-values are scipy's, and a detectable effect is found in about four of five windows."""

import numpy as np
import pytest
from scipy import stats

from functions.monitor.statistics.distances import chi_square_p, jensen_shannon
from functions.monitor.statistics.significance import (
    benjamini_hochberg,
    chi_square_tail,
    detectable_mix,
    detectable_points,
    detectable_shift,
    fisher_p,
    invert_tail,
    kolmogorov_smirnov_p,
    kolmogorov_tail,
    normal_tail,
)
from sklambda.arrays import FloatVector
from tests.support.evidently import exact_kolmogorov_smirnov_p


@pytest.mark.parametrize("x", [0.01, 0.3, 0.7, 0.999, 1.0, 1.36, 2.5, 5.0])
def test_kolmogorov(x: float) -> None:
    assert kolmogorov_tail(x) == pytest.approx(stats.kstwobign.sf(x), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 199, 2000])
@pytest.mark.parametrize("times", [0.01, 0.5, 1.0, 1.5, 4.0])
def test_chi_square(freedom: int, times: float) -> None:
    x = freedom * times

    expected = stats.chi2.sf(x, freedom)

    assert chi_square_tail(x, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize(("n", "m"), [(7, 11), (50, 50), (100, 73), (1000, 350), (640, 3000)])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.4, 2.0])
def test_kolmogorov_and_smirnov_exactly(n: int, m: int, scale: float) -> None:
    drawn = np.random.default_rng(n)
    one, other = drawn.normal(0, 1, n), drawn.normal(0.1 * scale, scale, m)
    expected = stats.ks_2samp(one, other, method="exact")

    found = exact_kolmogorov_smirnov_p(float(expected.statistic), n, m)

    assert found == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(60, 20_000), (1000, 11_000)])
@pytest.mark.parametrize("scale", [1.2, 1.36, 1.6])
def test_the_asymptotic_p_value_is_near_scipys(n: int, m: int, scale: float) -> None:
    effective = n * m / (n + m)
    distance = scale / np.sqrt(effective)

    found = kolmogorov_smirnov_p(distance, n, m)

    assert found == pytest.approx(stats.kstwo.sf(distance, round(effective)), abs=0.002)


@pytest.mark.parametrize(
    ("found", "n", "expected", "m"),
    [
        (0, 50, 400, 20_000),
        (5, 50, 400, 20_000),
        (13, 50, 400, 20_000),
        (25_000, 100_000, 245_000, 1_000_000),
        (30, 40, 3, 9),
        (7, 7, 1, 9),
        (0, 9, 0, 9),
        (9, 9, 9, 9),
    ],
)
def test_fisher_is_twice_the_smaller_tail(found: int, n: int, expected: int, m: int) -> None:
    counts = stats.hypergeom(n + m, found + expected, n)
    tails = counts.cdf(found), counts.sf(found - 1)

    assert fisher_p(found, n, expected, m) == pytest.approx(min(1, 2 * min(tails)), rel=1e-6)


def test_normal() -> None:
    assert normal_tail(2.326) == pytest.approx(stats.norm.sf(2.326), rel=1e-12)


def test_a_quantile_is_where_the_tail_is() -> None:
    assert invert_tail(kolmogorov_tail, 0.05) == pytest.approx(stats.kstwobign.isf(0.05))


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    drawn = np.random.default_rng(5)
    for _ in range(50):
        p = np.concatenate([drawn.random(20), drawn.random(6) ** 6])

        found = benjamini_hochberg(p, 0.05)

        assert (found == (stats.false_discovery_control(p) <= 0.05)).all()


def test_of_no_p_values_none_is_a_discovery() -> None:
    assert benjamini_hochberg(np.array([]), 0.05).shape == (0,)


LEVEL = 0.05 / 30
BEFORE = 20_000
RUNS = 300


@pytest.mark.parametrize("rows", [100, 1000])
def test_shifts(rows: int) -> None:
    drawn = np.random.default_rng(rows)
    shift = detectable_shift(LEVEL, rows, BEFORE)
    found = 0
    for _ in range(RUNS):
        then, now = np.sort(drawn.normal(0, 1, BEFORE)), np.sort(drawn.normal(shift, 1, rows))
        below = np.searchsorted(then, now) / BEFORE
        steps = np.arange(rows + 1) / rows
        apart = max((steps[1:] - below).max(), (below - steps[:-1]).max())
        found += kolmogorov_smirnov_p(apart, rows, BEFORE) <= LEVEL

    assert 0.7 <= found / RUNS <= 0.9


@pytest.mark.parametrize("categories", [2, 5, 20])
def test_mixes(categories: int) -> None:
    drawn = np.random.default_rng(categories)
    probabilities = 1 / np.arange(1, categories + 1)
    before = probabilities / probabilities.sum()
    detectable = detectable_mix(LEVEL, categories - 1, 1000, BEFORE)
    after = at_distance(before, detectable)
    found = 0
    for _ in range(RUNS):
        then, now = drawn.multinomial(BEFORE, before), drawn.multinomial(1000, after)
        found += chi_square_p(then.astype(np.float64), now.astype(np.float64)) <= LEVEL

    assert 0.7 <= found / RUNS <= 0.98


def at_distance(before: FloatVector, distance: float) -> FloatVector:
    """Give some of the first category to the last, until the distance is that."""
    moved = np.linspace(0, before[0], 2000)
    last = np.eye(len(before))[-1] - np.eye(len(before))[0]
    for one in moved:
        step: FloatVector = before + one * last
        if jensen_shannon(before, step) >= distance:
            return step
    raise AssertionError("there is no such mix")


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("rows", [200, 2000])
def test_rates(rate: float, rows: int) -> None:
    drawn = np.random.default_rng(rows)
    after = rate + detectable_points(LEVEL, rate, rows, BEFORE)
    found = 0
    for _ in range(RUNS):
        now, then = int(drawn.binomial(rows, after)), int(drawn.binomial(BEFORE, rate))
        found += fisher_p(now, rows, then, BEFORE) <= LEVEL

    assert found / RUNS >= 0.7


def test_one_category_cannot_change() -> None:
    assert detectable_mix(LEVEL, 0, 1000, BEFORE) == float("inf")
