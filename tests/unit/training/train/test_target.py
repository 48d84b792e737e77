from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.errors import DataError
from training.train.config import Learning
from training.train.target import checked, learning_of


def column(values: Any) -> "pd.Series[Any]":
    return pd.Series(np.resize(np.array(values), 200), name="y")


@pytest.mark.parametrize(
    ("values", "learning"),
    [
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 2], "classification"),
        ([0.0, 1.0], "classification"),
        ([0.5, 1.5], "regression"),
        (range(20), "classification"),
        (range(21), "regression"),
    ],
)
def test_few_values_are_classes_and_many_or_broken_numbers_are_not(
    values: Any, learning: Learning
) -> None:
    assert learning_of(column([*values])) == learning


def test_a_stated_task_holds_whatever_the_values_are() -> None:
    assert learning_of(column([0, 1]), "regression") == "regression"


def test_values_of_a_regression_are_float64() -> None:
    assert checked(column([1, 2, 3]), "regression").dtype == "float64"


@pytest.mark.parametrize(
    ("values", "learning", "sentence"),
    [
        (["a", "b"], "regression", 'must have numbers for a regression: state `data.task = "class'),
        ([1.0, np.inf], "regression", "has infinite values in 100 rows"),
        ([1.0, np.nan], "regression", "is missing in 100 of 200 rows"),
        (
            [0.5, 1.5],
            "classification",
            'no classes; if it counts or measures, state `data.task = "r',
        ),
        ([1, 1], "regression", "has the same value in every row"),
    ],
)
def test_what_a_task_does_not_take_is_refused_with_the_key(
    values: Any, learning: Learning, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        checked(column(values), learning)


def test_a_count_with_rare_values_asks_for_a_regression() -> None:
    counts = pd.Series([0, 1, 2] * 60 + [11], name="visits")

    with pytest.raises(DataError, match=r"'11' has 1.*state `data.task = \"regression\"`"):
        checked(counts, "classification")
