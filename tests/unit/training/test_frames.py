"""Data frames as clients see them: every dtype has one way to be written, or is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support.proof import prove
from training.errors import DataError
from training.frames import as_frame, check_values, client_rows, kind_of, kinds_of, reference_frame

ROWS = 120
GENERATOR = np.random.default_rng(3)
NUMBERS = GENERATOR.normal(size=ROWS)
LABELS = NUMBERS + GENERATOR.normal(size=ROWS) > 0
WORDS = pd.Series(GENERATOR.choice(["x", "y", "z"], ROWS))
DIGITS = pd.Series(GENERATOR.integers(3, 6, ROWS))
YES = pd.Series(GENERATOR.random(ROWS) > 0.5)
MISSING = GENERATOR.random(ROWS) < 0.1

COLUMNS: dict[str, tuple[str, "pd.Series[Any]"]] = {
    "words": ("category", WORDS),
    "words as objects": ("category", WORDS.astype(object)),
    "words of pandas' own": ("category", WORDS.astype("string")),
    "categories": ("category", WORDS.astype("category")),
    "categories in an order": ("category", WORDS.astype(pd.CategoricalDtype(list("zyxw"), True))),
    "categories of digits": ("integer", DIGITS.astype("category")),
    "digits as objects": ("integer", DIGITS.astype(object)),
    "small digits": ("integer", DIGITS.astype("uint8")),
    "pandas' own integers": ("integer", DIGITS.astype("Int64")),
    "pandas' own numbers": ("number", pd.Series(NUMBERS).astype("Float64")),
    "truths": ("boolean", YES),
    "truths as objects": ("boolean", YES.astype(object)),
    "pandas' own truths": ("boolean", YES.astype("boolean")),
}


def frame_of(column: "pd.Series[Any]") -> pd.DataFrame:
    return pd.DataFrame({"number": NUMBERS, "column": column})


@pytest.mark.parametrize("what", COLUMNS)
def test_a_dtype_has_a_kind_and_is_proven(what: str) -> None:
    kind, column = COLUMNS[what]
    frame = frame_of(column)
    encode = OneHotEncoder(handle_unknown="ignore")
    prepare = make_column_transformer((encode, ["column"]), remainder="passthrough")

    fitted = make_pipeline(prepare, LogisticRegression()).fit(frame, LABELS)

    assert kind_of(frame["column"]) == kind
    prove(fitted, frame)


@pytest.mark.parametrize(
    "dtype",
    [
        "category",
        pd.CategoricalDtype(list("zyxw")),
        pd.CategoricalDtype(list("zyxw"), ordered=True),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_boosting_takes_categories_from_the_dtype(dtype: Any, missing: bool) -> None:
    words = WORDS.where(~MISSING) if missing else WORDS
    frame = frame_of(words.astype(dtype))

    prove(HistGradientBoostingClassifier(max_iter=10).fit(frame, LABELS), frame)


def test_boosting_takes_categories_that_are_integers_from_the_dtype() -> None:
    frame = frame_of(DIGITS.where(~MISSING).astype("Int64").astype("category"))

    prove(HistGradientBoostingClassifier(max_iter=10).fit(frame, LABELS), frame, full=True)


@pytest.mark.parametrize(
    "column",
    [
        WORDS.where(~MISSING).astype(pd.CategoricalDtype(list("zyxw"))),
        WORDS.astype(pd.CategoricalDtype(list("zyxw"), ordered=True)),
        DIGITS.where(~MISSING).astype("Int64").astype("category"),
        DIGITS.astype("int8").astype("category"),
        YES.where(~MISSING).astype("category"),
    ],
    ids=["words", "words in an order", "digits", "small digits", "truths"],
)
def test_rows_of_the_category_dtype_have_it_once_more(column: "pd.Series[Any]") -> None:
    frame = frame_of(column)
    kinds = kinds_of(frame)

    built = reference_frame(client_rows(frame, kinds), frame, kinds)

    pd.testing.assert_frame_equal(built, frame)


@pytest.mark.parametrize("ordered", [False, True])
def test_an_unseen_category_stands_behind_those_of_the_dtype(ordered: bool) -> None:
    frame = frame_of(WORDS.astype(pd.CategoricalDtype(list("zyxw"), ordered)))
    rows = [{"number": 0.0, "column": word} for word in ("b", "x", None, "a", "b")]

    column = reference_frame(rows, frame, kinds_of(frame))["column"]

    assert column.cat.categories.tolist() == ["z", "y", "x", "w", "b", "a"]
    assert column.cat.codes.tolist() == [4, 2, -1, 5, 4]
    assert column.cat.ordered is ordered


def test_an_unseen_integer_is_a_category_that_fits_no_narrow_dtype() -> None:
    frame = frame_of(DIGITS.astype("int8").astype("category"))
    rows = [{"number": 0.0, "column": integer} for integer in (4, 2**53, None)]

    column = reference_frame(rows, frame, kinds_of(frame))["column"]

    assert column.tolist()[:2] == [4, 2**53]
    assert column.isna().tolist() == [False, False, True]


def test_float32_that_scikit_learn_computes_in_is_refused() -> None:
    frame = frame_of(DIGITS).astype("float32")
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, LABELS)

    with pytest.raises(DataError, match="'number' is float32; fit on float64"):
        prove(fitted, frame, full=True)


def test_float32_that_changes_no_answer_is_proven() -> None:
    frame = frame_of(DIGITS).astype("float32")

    prove(RandomForestClassifier(5, random_state=0).fit(frame, LABELS), frame)


@pytest.mark.parametrize(
    "values", [[1, "a"], [True, 1], [b"a"], [1 + 2j]], ids=["word", "truth", "bytes", "complex"]
)
def test_a_column_of_other_values_is_refused(values: list[Any]) -> None:
    with pytest.raises(DataError, match="'mixed' has mixed types"):
        kind_of(pd.Series(values, dtype=object, name="mixed"))


HALF = "x\ud800"
"""Half of a surrogate pair, as a file read with the wrong encoding leaves it."""


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ([1.0, np.inf], "column 'odd' has infinite values"),
        ([1, 2**53 + 1], "column 'odd' has whole numbers beyond 2"),
        ([1, 2**64], "column 'odd' has whole numbers beyond 2"),
        (np.array([1, 2**63 + 1], "uint64"), "column 'odd' has whole numbers beyond 2"),
        (["x", HALF], "column 'odd' has a text that JSON cannot hold"),
    ],
)
def test_values_that_no_client_can_send_are_refused(column: Any, sentence: str) -> None:
    frame = pd.DataFrame({"odd": column, "x": [0.5, 1.5]})

    with pytest.raises(DataError, match=sentence):
        check_values(frame, kinds_of(frame))


def test_integers_up_to_2_53_are_accepted() -> None:
    frame = pd.DataFrame({"key": [2**53, -(2**53)]})

    check_values(frame, kinds_of(frame))


@pytest.mark.parametrize("name", [HALF, "", ("a", 1), 1.5, None])
def test_a_name_that_no_client_can_send_is_refused(name: Any) -> None:
    with pytest.raises(DataError, match="column name"):
        kinds_of(as_frame(pd.DataFrame([[1.0]], columns=pd.Index([name], dtype=object))))


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (np.ones((2, 3)), ["x0", "x1", "x2"]),
        (sparse.csr_array(np.eye(2)), ["x0", "x1"]),
        (pd.DataFrame(np.ones((2, 2))), ["0", "1"]),
        (pd.Series([1.0], name=7), ["7"]),
        (["one text", "another"], ["text"]),
        (np.array(["one text"]), ["text"]),
    ],
)
def test_columns_without_names_get_some(rows: Any, names: list[str]) -> None:
    assert [*as_frame(rows).columns] == names


@pytest.mark.parametrize("rows", ["one text", None, [1.0, 2.0], [[1.0]], np.ones(3), {"a": 1}, 3])
def test_rows_that_are_no_table_are_refused(rows: Any) -> None:
    with pytest.raises(DataError, match="the rows must be a pandas DataFrame"):
        as_frame(rows)
