from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.train.look import of_both_parts, of_leaks

ROWS = 400
RNG = np.random.default_rng(4)
NOISE = RNG.normal(size=ROWS)
TWO = pd.Series(np.where(RNG.random(ROWS) < 0.3, "yes", "no"), name="y")
THREE = pd.Series(RNG.choice(["a", "b", "c"], ROWS), name="y")
VALUE = pd.Series(NOISE * 3 + RNG.normal(size=ROWS), name="y")


def leaks(values: Any, target: Any, learning: str = "classification") -> list[str]:
    features = pd.DataFrame({"noise": NOISE, "x": values})
    return [str(one.column) for one in of_leaks(features, target, learning)]


@pytest.mark.parametrize(
    ("values", "target", "learning"),
    [
        (np.where(TWO == "yes", 1.0, -1.0) + NOISE / 100, TWO, "classification"),
        (np.where(TWO == "yes", "gone", "here"), TWO, "classification"),
        (np.where(TWO == "yes", True, False), TWO, "classification"),
        (np.where(TWO == "yes", NOISE, np.nan), TWO, "classification"),
        (THREE.map({"a": 3, "b": 1, "c": 2}), THREE, "classification"),
        (THREE.str.upper(), THREE, "classification"),
        (np.exp(VALUE), VALUE, "regression"),
    ],
    ids=["number", "category", "boolean", "missing", "code of three", "name of three", "value"],
)
def test_a_feature_that_tells_the_target_is_named(values: Any, target: Any, learning: str) -> None:
    assert leaks(values, target, learning) == ["x"]


@pytest.mark.parametrize(
    ("values", "target", "learning"),
    [
        (np.where(TWO == "yes", 1.0, 0.0) + NOISE, TWO, "classification"),
        ([f"id {row}" for row in range(ROWS)], TWO, "classification"),
        (np.arange(ROWS), THREE, "classification"),
        (NOISE + RNG.normal(size=ROWS) / 2, VALUE, "regression"),
        ([None] * ROWS, VALUE, "regression"),
        (["same"] * ROWS, THREE, "classification"),
    ],
    ids=["good", "id", "row", "good value", "empty", "constant"],
)
def test_a_feature_that_is_good_or_an_id_is_not(values: Any, target: Any, learning: str) -> None:
    assert "x" not in leaks(values, target, learning)


def test_rows_in_both_parts_are_counted() -> None:
    rows = pd.DataFrame({"a": NOISE, "b": NOISE**2})

    [finding] = of_both_parts(rows[:300], rows[200:])

    assert "100 of 200 held-out rows" in str(finding)


def test_equal_rows_are_no_surprise_where_few_are_possible() -> None:
    rows = pd.DataFrame({"a": NOISE > 0, "b": NOISE > 1})

    assert [*of_both_parts(rows[:300], rows[300:])] == []
