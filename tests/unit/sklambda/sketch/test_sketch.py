"""A sketch of the whole is the sum of the sketches of its parts."""

from functools import reduce
from operator import add

import numpy as np
import pytest

from sklambda.errors import DocumentInvalid
from sklambda.sketch.sketch import Histogram, Sketch
from sklambda.sketch.sketcher import Sketcher
from tests.support.drifting import SIGNATURE, answers, matrix, reference, sketch, with_unseen

BASE = reference(rows=5000)


@pytest.mark.parametrize("order", [1, -1])
def test_a_hundred_parts_are_one_pass(order: int) -> None:
    X = matrix(50_000, seed=4)
    parts = [sketch(BASE, part) for part in np.array_split(X, 100)[::order]]

    merged, whole = reduce(add, parts), sketch(BASE, X)

    assert merged.labels == whole.labels
    for found, expected in zip(columns(merged), columns(whole), strict=True):
        assert found.replace(gaps=()) == expected.replace(gaps=())
        assert found.gaps == pytest.approx(expected.gaps, rel=1e-12)


def columns(one: Sketch) -> list[Histogram]:
    return [*one.features.values(), *one.scores.values()]


def test_json_says_all() -> None:
    one = sketch(BASE, matrix(100, seed=1))

    assert Sketch.parse(one.json()) == one


def test_no_rows_are_a_sketch_too() -> None:
    nothing, one = sketch(BASE, matrix(0, seed=1)), sketch(BASE, matrix(100, seed=1))

    assert nothing.rows == 0
    assert nothing + one == one


def test_what_is_missing_unseen_and_outside_is_counted() -> None:
    X = with_unseen(matrix(100, seed=1), "c9", rows=7)
    X[:3, 0], X[3:5, 0], X[5:9, 0] = np.nan, 1e300, -1e300

    one = sketch(BASE, X)

    number, category = one.features["n00"], one.features["c9"]
    assert (number.missing, number.above, number.below) == (3, 2, 4)
    assert (number.least, number.greatest) == (-1e300, 1e300)
    assert sum(number.counts) == number.present == 97
    assert (category.unseen, sum(category.counts)) == (7, 93)


def test_an_outlier_adds_no_more_than_the_edge() -> None:
    X = matrix(100, seed=1)
    X[0, 0] = BASE.features["n00"].ruler.edges[-1]
    plain = sketch(BASE, X).features["n00"]

    X[0, 0] = 1e300

    assert sketch(BASE, X).features["n00"].gaps == plain.gaps


def test_duplicates_are_rows_that_stand_again() -> None:
    X = matrix(100, seed=1)
    twice = np.concatenate([X, X[:30], X[:10]])
    twice[15, MISSING] = twice[115, MISSING] = np.nan

    assert sketch(BASE, twice).duplicates == 40


MISSING = SIGNATURE.names.index("n19")


def test_rows_of_whole_numbers_are_told_apart() -> None:
    X = np.stack([np.repeat(np.arange(300.0), 300), np.tile(np.arange(300.0), 300)], axis=1)
    X = np.concatenate([X, matrix(len(X), seed=1)[:, 2:] * 0], axis=1)

    assert sketch(BASE, X).duplicates == 0


def test_coerced_values_are_counted() -> None:
    X = matrix(100, seed=1)

    one = Sketcher(SIGNATURE, BASE).sketch(X, *answers(X), coerced={"n01": 4})

    assert one.features["n01"].coerced == 4


def test_what_is_not_recorded_is_not_there() -> None:
    X = matrix(100, seed=1)

    one = Sketcher(SIGNATURE, BASE, without=["c3"]).sketch(X, *answers(X))

    assert list(one.features) == [name for name in SIGNATURE.names if name != "c3"]


def test_raw_and_binned_have_no_sum() -> None:
    one = sketch(BASE, matrix(100, seed=1))

    with pytest.raises(ValueError, match="a raw and a binned sketch cannot be added"):
        one + one.replace(mode="binned")


def test_sketches_of_different_columns_have_no_sum() -> None:
    one = sketch(BASE, matrix(100, seed=1))

    with pytest.raises(ValueError, match="different columns cannot be added"):
        one + one.replace(features={})


def test_a_sketch_that_is_none_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="mode"):
        Sketch.parse(b'{"mode": "other"}')
