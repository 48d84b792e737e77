"""Cells as values of one type."""

import numpy as np
import pytest

from sklambda.reading.rules import Reading
from training.data.columns import typed, typed_values
from training.errors import DataError


@pytest.mark.parametrize(
    ("cells", "kind", "dtype"),
    [
        (["1", "-2"], "integer", "int64"),
        (["1", None], "integer", "float64"),
        (["1", "2.0"], "number", "float64"),
        (["true", "False"], "boolean", "bool"),
        (["true", "NA"], "boolean", "object"),
        (["1", "true"], "category", "str"),
        (["0", "1"], "integer", "int64"),
        (["a", None], "category", "str"),
        ([None, ""], "number", "float64"),
    ],
)
def test_the_type_is_that_of_all_cells(cells: list[str | None], kind: str, dtype: str) -> None:
    found = typed("x", cells, Reading())

    assert (found.kind, str(found.values.dtype)) == (kind, dtype)


def test_a_stated_category_keeps_its_digits() -> None:
    found = typed("x", ["007", "42"], Reading(), "category")

    assert found.values.tolist() == ["007", "42"]


def test_stated_dates_are_moments() -> None:
    found = typed("x", ["30.11.2026", "01.12.2026"], Reading(dates={"x": "%d.%m.%Y"}), "datetime")

    assert found.values.tolist() == [*map(np.datetime64, ("2026-11-30", "2026-12-01"))]


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "datetime"])
def test_a_cell_of_another_type_is_named_by_its_record(kind: str) -> None:
    cells = {"datetime": "2026-11-30", "boolean": "true"}.get(kind, "5")

    with pytest.raises(DataError, match=r"column `x`: record 2, and 1 more, must have") as refused:
        typed("x", [cells, "s3cret", "s3cret"], Reading(), kind)  # type: ignore[arg-type]

    assert "s3cret" not in str(refused.value)


def test_values_of_json_keep_their_types() -> None:
    assert typed_values("x", [1, None, 2]).kind == "integer"
    assert typed_values("x", [1, 2.5]).kind == "number"
    assert typed_values("x", ["1", "2"]).kind == "category"
    assert typed_values("x", [True, None]).values.tolist() == [True, None]


@pytest.mark.parametrize("values", [[1, "a"], [{"a": 1}], [[1]], [True, 1]])
def test_values_of_several_types_are_refused(values: list[object]) -> None:
    with pytest.raises(DataError, match="column `x` has mixed types or nested values"):
        typed_values("x", values)


def test_a_stated_type_that_the_values_do_not_have_is_refused() -> None:
    with pytest.raises(DataError, match=r"values of type integer, and `data.read.types.x` is text"):
        typed_values("x", [1, 2], "text")
