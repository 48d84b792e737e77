"""What is called detectable is found in about four of five windows."""

import numpy as np
import pytest

from functions.monitor.statistics.distances import chi_square_p, jensen_shannon
from functions.monitor.statistics.significance import (
    detectable_mix,
    detectable_points,
    detectable_shift,
    fisher_p,
    kolmogorov_smirnov_p,
)
from sklambda.arrays import FloatVector

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
    chances = 1 / np.arange(1, categories + 1)
    before = chances / chances.sum()
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
