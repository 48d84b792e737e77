"""Data frames as clients see them: every dtype has one way to be written, or is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.support.proof import prove
from training.errors import DataError
from training.frames import client_rows, kind_of, kinds_of, reference_frame

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
