from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from sklambda.signature import Kind
from training.init import roles

ROWS = 100
RNG = np.random.default_rng(2)
BEYOND = "it has whole numbers beyond 2^53, which are not exact"
RARE = "most of its texts stand in one row alone"
SENTENCES = [" ".join(RNG.choice(["late", "box", "was", "fine", "again"], 6)) for _ in range(ROWS)]


def role(values: object, kind: Kind, name: str = "x") -> str:
    frame = pd.DataFrame({name: values, "y": 0})
    found = roles.of(frame, {name: kind, "y": "integer"}, "y")
    if found.row_id is not None:
        return "row id"
    if found.dropped:
        return found.dropped[name]
    [(key, _)] = [(key, value) for key, value in vars(found).items() if value == [name]]
    return key


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (RNG.normal(size=ROWS), "number", "numbers"),
        (RNG.integers(0, 10**6, ROWS), "integer", "numbers"),
        (np.resize([1.0, np.nan], ROWS), "integer", "numbers"),
        (np.resize([True, False, None], ROWS), "boolean", "booleans"),
        (np.resize(["a", "b", None], ROWS), "category", "categories"),
        (SENTENCES, "category", "texts"),
        (pd.date_range("2024-01-01", periods=ROWS), "datetime", "dates"),
        (range(500, 500 + ROWS), "integer", "row id"),
        ([str(UUID(int=row)) for row in range(ROWS)], "category", "row id"),
        (np.resize(["only"], ROWS), "category", "it has the same value in every row"),
        ([None] * ROWS, "number", "it is empty"),
        (np.resize([1.0, np.inf, 2.0], ROWS), "number", "it has infinite values"),
        (np.resize([2**60, 2**60 + 1], ROWS), "integer", BEYOND),
        ([f"p{row % 70}" for row in range(ROWS)], "category", RARE),
        (
            pd.Series(pd.date_range("2024-01-01", periods=ROWS)).where(np.arange(ROWS) > 3),
            "datetime",
            "it has missing dates, which scikit-learn does not take",
        ),
    ],
)  # fmt: skip
def test_a_column_has_the_role_of_its_values(values: object, kind: Kind, expected: str) -> None:
    assert role(values, kind) == expected


@pytest.mark.parametrize("name", ["customerID", "order_id", "Row Number", "ID"])
def test_different_whole_numbers_of_a_telling_name_are_ids(name: str) -> None:
    assert role(RNG.permutation(ROWS) * 977, "integer", name) == "row id"


@pytest.mark.parametrize("name", ["paid", "humid", "income"])
def test_different_whole_numbers_of_another_name_are_quantities(name: str) -> None:
    assert role(RNG.permutation(ROWS) * 977, "integer", name) == "numbers"


def test_a_second_id_is_left_out() -> None:
    frame = pd.DataFrame({"a": range(ROWS), "b": range(ROWS), "y": 0})

    found = roles.of(frame, {"a": "integer", "b": "integer", "y": "integer"}, "y")

    assert (found.row_id, [*found.dropped]) == ("a", ["b"])
