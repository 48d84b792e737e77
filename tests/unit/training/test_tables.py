"""Every form of a table that scikit-learn accepts becomes a frame, or is refused by name."""

from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from training.errors import DataError
from training.frames import kinds_of
from training.tables import as_frame, digest


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (np.ones((2, 3)), ["x0", "x1", "x2"]),
        (sparse.csr_array(np.eye(2)), ["x0", "x1"]),
        (pd.DataFrame(np.ones((2, 2))), ["0", "1"]),
        (pd.DataFrame([[1, 2]], columns=["a", 7]), ["a", "7"]),
        (pd.Series([1.0], name=7), ["7"]),
        (["one text", "another"], ["text"]),
        (np.array(["one text"]), ["text"]),
        (np.array(["one text"], dtype=object), ["text"]),
        ([[1.0, 2], [3, 4]], ["x0", "x1"]),
        ([(1, "a"), (2, "b")], ["x0", "x1"]),
        ([{"a": 1, "b": "x"}, {"b": "y"}], ["a", "b"]),
        ({"a": [1], "b": ["x"]}, ["a", "b"]),
        (np.array([(1, 2.5)], dtype=[("a", int), ("b", float)]), ["a", "b"]),
        (pl.DataFrame({"a": [1], "b": ["x"]}), ["a", "b"]),
        (pl.Series("note", ["one text"]), ["note"]),
    ],
)
def test_each_form_has_named_columns(rows: Any, names: list[str]) -> None:
    assert [*as_frame(rows).columns] == names


@pytest.mark.parametrize("rows", [np.ones((2, 2)), [[1.0, 2.0]], sparse.csr_array(np.eye(2))])
def test_columns_without_names_have_those_of_the_fit(rows: Any) -> None:
    assert [*as_frame(rows, ["a", "b"]).columns] == ["a", "b"]
    assert [*as_frame(rows, ["a"]).columns] == ["x0", "x1"]


def test_lists_of_numbers_have_the_dtype_that_scikit_learn_gives_them() -> None:
    frame = as_frame([[1, 2.5], [3, 4]])

    assert kinds_of(frame) == {"x0": "number", "x1": "number"}


def test_lists_and_objects_keep_the_type_of_each_column() -> None:
    rows = [[1, "a", None], [2, "b", "c"]]
    for form in (rows, np.array(rows, dtype=object)):
        frame = as_frame(form)

        assert kinds_of(frame) == {"x0": "integer", "x1": "category", "x2": "category"}
        assert frame["x2"].tolist() == [None, "c"]  # encoders tell None from NaN


POLARS: Final = pl.DataFrame(
    {
        "whole": [1, 2],
        "missing": [1, None],
        "number": [1.5, None],
        "single": pl.Series([1.5, 2.5], dtype=pl.Float32),
        "flag": [True, False],
        "word": ["x", None],
        "level": pl.Series(["x", "y"], dtype=pl.Categorical),
        "fixed": pl.Series(["y", "x"], dtype=pl.Enum(["z", "y", "x"])),
        "moment": [datetime(2026, 1, 1, 5), datetime(2026, 1, 2)],
    }
)


def test_polars_columns_have_the_values_and_kinds_of_pandas_ones() -> None:
    frame = as_frame(POLARS)

    assert kinds_of(frame) == {
        "whole": "integer",
        "missing": "number",
        "number": "number",
        "single": "number",
        "flag": "boolean",
        "word": "category",
        "level": "category",
        "fixed": "category",
        "moment": "datetime",
    }
    assert frame["single"].dtype == np.float32
    assert frame["word"].tolist() == ["x", None]
    assert frame["fixed"].cat.categories.tolist() == ["z", "y", "x"]
    assert frame["moment"].tolist() == POLARS["moment"].to_list()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("one text", "must be a pandas DataFrame, .* got builtins.str"),
        (None, "must be a pandas DataFrame, .* got builtins.NoneType"),
        ([1.0, 2.0], "must be a pandas DataFrame"),
        (np.ones(3), r"1 dimensions; one column of numbers is rows.reshape\(-1, 1\)"),
        (np.ones((1, 2, 3)), "of 3 dimensions"),
        (3, "must be a pandas DataFrame"),
        ([b"x"], "must be a pandas DataFrame"),
        ([[1.0, 2.0], [1.0]], "differ in length"),
        ([[[1.0]]], "must have two dimensions"),
        ({"a": 1}, "must be a table: columns of the same length"),
        ({"a": [1, 2], "b": [1]}, "must be a table: columns of the same length"),
        (pl.LazyFrame({"a": [1]}), r"pass rows.collect\(\)"),
        ((row for row in [[1]]), "must be a pandas DataFrame"),
    ],
)
def test_rows_that_are_no_table_are_refused(rows: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=f"the rows .*{sentence}"):
        as_frame(rows)


def test_a_digest_changes_with_each_value_name_and_dtype() -> None:
    days = [date(2026, 1, 1)] * 2
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "d": days})
    frame["c"] = pd.Series([[1], [2]])
    others = [
        frame.assign(a=[1, 3]),
        frame.assign(a=[1.0, 2.0]),
        frame.assign(c=pd.Series([[1], [3]])),
        frame.rename(columns={"a": "e"}),
        frame[::-1],
    ]

    digests = {digest(each) for each in (frame, *others)}

    assert len(digests) == 6
    assert digest(frame.copy()) == digest(frame)
    assert len(digest(frame)) == 64
