"""KernelSHAP is exact where all coalitions are scored, close where some are, and adds up."""

from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklambda.arrays import FloatMatrix
from sklambda.explain.kernel import coalitions, contributions
from tests.support.explaining import by_definition

FEATURES = 12


def curved(X: FloatMatrix) -> FloatMatrix:
    """Score rows by something with interactions, [N, 2]."""
    first = np.sin(X[:, 0]) * X[:, 1] + X[:, 2] ** 2 - X.sum(axis=1)
    return np.stack([first, np.tanh(X).prod(axis=1)], axis=1)


def rows(features: int) -> tuple[FloatMatrix, FloatMatrix]:
    generator = np.random.default_rng(5)
    return generator.normal(size=(1, features)), generator.normal(size=(20, features))


@pytest.mark.parametrize("features", [3, 4, 7])
def test_all_coalitions_give_the_values_of_the_definition(features: int) -> None:
    row, background = rows(features)
    owned = np.arange(features)

    base, values, scored = contributions(curved, row[0], background, owned, 2**features)

    assert_allclose(values, by_definition(curved, row[0], background, owned), atol=1e-12)
    assert_allclose(base, curved(background).mean(axis=0), rtol=0, atol=0)
    assert scored == (2**features - 2) * 20 + 21


def test_drawn_coalitions_come_close_and_add_up() -> None:
    row, background = rows(FEATURES)
    owned = np.arange(FEATURES)

    base, values, _ = contributions(curved, row[0], background, owned, 400)
    expected = by_definition(curved, row[0], background, owned)

    assert_allclose(base + values.sum(axis=0), curved(row)[0], rtol=0, atol=1e-12)
    assert np.abs(values - expected)[:, 0].max() < 0.05 * np.abs(expected[:, 0]).max()


def test_the_same_coalitions_are_drawn_each_time() -> None:
    first, second = coalitions(FEATURES, 300), coalitions.__wrapped__(FEATURES, 300)

    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


@pytest.mark.parametrize("features", [2, 3, 6, 9, 20, 64])
def test_coalitions_come_with_their_complements_and_weigh_what_their_size_does(
    features: int,
) -> None:
    chosen, weights = coalitions(features, 256)
    sizes = chosen.sum(axis=1)
    known = {row.tobytes(): weight for row, weight in zip(chosen, weights, strict=True)}

    assert sizes.min() == 1
    assert sizes.max() == features - 1
    assert all(known[(~row).tobytes()] == known[row.tobytes()] for row in chosen)
    assert_allclose(weights[sizes == 1], 1 / (features - 1) / comb(features, 1))


def test_columns_of_one_feature_play_together() -> None:
    row, background = rows(5)
    owned = np.array([0, 1, 2, 1, 0])

    _, values, _ = contributions(curved, row[0], background, owned, 64)

    assert_allclose(values, by_definition(curved, row[0], background, owned), atol=1e-12)


def test_a_feature_that_is_as_in_all_of_the_background_gets_nothing_and_costs_nothing() -> None:
    row, background = rows(5)
    background[:, [0, 3]] = np.nan
    row[:, [0, 3]] = np.nan

    def total(X: FloatMatrix) -> FloatMatrix:
        return np.nansum(X, axis=1, keepdims=True)

    _, values, scored = contributions(total, row[0], background, np.arange(5), 64)

    assert values[[0, 3]].tolist() == [[0.0], [0.0]]
    assert scored == (2**3 - 2) * 20 + 21


def test_a_row_of_the_background_alone_has_nothing_to_explain() -> None:
    row, _ = rows(4)

    _, values, scored = contributions(curved, row[0], row, np.arange(4), 64)

    assert not values.any()
    assert scored == 2
