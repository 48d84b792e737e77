"""Distances from counts are those of the values."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from functions.monitor.statistics.distances import (
    chi_square_p,
    decile_counts,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    pool_rare,
    stability_index,
    standard_deviation,
    wasserstein,
)
from sklambda.arrays import FloatVector
from sklambda.sketch.sketcher import count_numbers
from training.baseline.rulers import quantile_ruler

DRAWN = np.random.default_rng(2)
THEN = {
    "normal": DRAWN.normal(0, 1, 20_000),
    "lognormal": DRAWN.lognormal(0, 1, 20_000),
    "whole": DRAWN.poisson(3, 20_000).astype(float),
}
NOW = {
    "normal": DRAWN.normal(0.3, 1.2, 3000),
    "lognormal": DRAWN.lognormal(0.2, 1, 3000),
    "whole": DRAWN.poisson(4, 3000).astype(float),
}


def within(values: FloatVector, then: FloatVector) -> FloatVector:
    return np.clip(values, then.min(), then.max())


@pytest.mark.parametrize("name", THEN)
def test_wasserstein_is_that_of_the_values_within_the_edges(name: str) -> None:
    then, now = THEN[name], NOW[name]
    ruler = quantile_ruler(then)

    found = wasserstein(ruler, count_numbers(ruler, then), count_numbers(ruler, now))

    expected = stats.wasserstein_distance(then, within(now, then))
    assert abs(found - expected) / then.std() < 0.003  # a thirtieth of what counts


@pytest.mark.parametrize("name", THEN)
def test_kolmogorov_and_smirnovs_is_at_most_that_of_the_values(name: str) -> None:
    then, now = THEN[name], NOW[name]
    ruler = quantile_ruler(then)

    found = kolmogorov_smirnov(count_numbers(ruler, then), count_numbers(ruler, now))

    expected = float(stats.ks_2samp(then, now).statistic)
    assert expected - 1 / 64 < found <= expected + 1e-12


def test_the_mean_is_exact_and_the_spread_nearly() -> None:
    then = THEN["normal"]
    ruler = quantile_ruler(then)
    column = count_numbers(ruler, then)

    assert mean(ruler, column) == pytest.approx(then.mean(), abs=1e-12)
    assert standard_deviation(ruler, column) == pytest.approx(then.std(), rel=0.01)


def test_jensen_and_shannons_is_scipys() -> None:
    one, other = np.array([5.0, 0, 20, 3]), np.array([1.0, 4, 9, 0])

    assert jensen_shannon(one, other) == pytest.approx(distance.jensenshannon(one, other))


def test_chi_square_is_that_of_the_table() -> None:
    one, other = np.array([50.0, 30, 20, 7]), np.array([10.0, 14, 9, 5])

    expected = stats.chi2_contingency([one, other]).pvalue

    assert chi_square_p(one, other) == pytest.approx(expected, rel=1e-12)


def test_the_stability_index_of_an_empty_group_is_finite() -> None:
    assert stability_index(np.array([5.0, 5]), np.array([10.0, 0])) == pytest.approx(
        (0.5 - 1) * np.log(0.5) + (0.5 - 1e-4) * np.log(0.5 / 1e-4)
    )


def test_deciles_hold_a_tenth_each() -> None:
    column = count_numbers(quantile_ruler(THEN["normal"]), THEN["normal"])

    assert decile_counts(column, column) == pytest.approx(np.full(10, 2000), rel=0.16)


@pytest.mark.parametrize("rows", [50, 500])
def test_rare_categories_are_put_together(rows: int) -> None:
    drawn = np.random.default_rng(rows)
    probabilities = 1 / np.arange(1, 201)
    then = drawn.multinomial(20_000, probabilities / probabilities.sum()).astype(float)
    now = drawn.multinomial(rows, probabilities / probabilities.sum()).astype(float)

    one, other = pool_rare(then, now)

    assert one.sum() == 20_000
    assert other.sum() == rows
    assert (one * rows / 20_000).min() >= 5
    assert 1 < len(one) < 200


def test_a_category_that_was_never_there_is_put_to_others() -> None:
    one, other = pool_rare(np.array([90.0, 10, 0]), np.array([85.0, 13, 2]))

    assert (one.tolist(), other.tolist()) == ([90, 10], [85, 15])


def test_too_few_rows_are_one_group() -> None:
    one, _ = pool_rare(np.array([5.0, 3, 2]), np.array([1.0, 1, 0]))

    assert one.tolist() == [10]
    assert chi_square_p(np.array([10.0]), np.array([2.0])) == 1
