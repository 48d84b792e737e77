from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.data.findings import Finding, of_classes, of_column, of_counts, without

ROWS = 200


def column(values: Any, name: str = "x") -> "pd.Series[Any]":
    return pd.Series(values, name=name)


@pytest.mark.parametrize(
    "values",
    [
        np.resize([1.5, 2.5, 9.0], ROWS),
        np.resize([True, False], ROWS),
        np.resize(["a", "b c", "unknown street"], ROWS),
        np.resize([-1, 0, 1], ROWS),
        np.resize([97, 98, 99], ROWS),
        np.resize(["Main St.", "No"], ROWS),
        [None] * ROWS,
        np.random.default_rng(0).normal(size=ROWS),
    ],
)
def test_usual_columns_are_not_remarked_on(values: object) -> None:
    assert [*of_column(column(values))] == []


def test_a_stated_type_says_that_whole_numbers_are_no_ids() -> None:
    assert [*of_column(column(range(ROWS)), stated=True)] == []
    assert len([*of_column(column(range(ROWS)))]) == 1


def test_a_key_stands_in_the_sentence() -> None:
    finding = Finding("x", "is odd", "state %s, or not", "data.read.trim = true")

    assert str(finding) == "column `x` is odd: state `data.read.trim = true`, or not"


def test_of_many_rare_classes_some_are_named() -> None:
    target = column(["usual"] * 100 + [f"rare{place}" for place in range(9)])

    [finding] = of_classes(target)

    assert "'rare0' in 1, 'rare1' in 1, 'rare2' in 1 and 6 other classes of 109 rows" in str(
        finding
    )


def test_classes_that_are_large_enough_are_not_remarked_on() -> None:
    assert [*of_classes(column(["a"] * 50 + ["b"] * 10))] == []


def test_few_whole_numbers_are_no_counts() -> None:
    assert [*of_counts(column([0, 1, 2]), "classification")] == []
    assert len([*of_counts(column(range(6)), "classification")]) == 1


def test_columns_that_somebody_has_looked_at_are_left_out() -> None:
    findings = [Finding("a", "is", "do"), Finding(None, "are", "do")]

    assert without(findings, ["a"]) == (findings[1],)
