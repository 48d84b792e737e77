"""Data frames as clients see them: every dtype has one way to be written, or is refused."""

from datetime import date, datetime, timedelta
from decimal import Decimal
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
from training.errors import DataError, TrainingError
from training.frames import (
    FrameMaker,
    check_values,
    client_rows,
    feature_of,
    kind_of,
    kinds_of,
)
from training.tables import as_frame

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

    built = FrameMaker(frame, kinds)(client_rows(frame, kinds))

    pd.testing.assert_frame_equal(built, frame)


@pytest.mark.parametrize("ordered", [False, True])
def test_an_unseen_category_stands_behind_those_of_the_dtype(ordered: bool) -> None:
    frame = frame_of(WORDS.astype(pd.CategoricalDtype(list("zyxw"), ordered)))
    rows = [{"number": 0.0, "column": word} for word in ("b", "x", None, "a", "b")]

    column = FrameMaker(frame, kinds_of(frame))(rows)["column"]

    assert column.cat.categories.tolist() == ["z", "y", "x", "w", "b", "a"]
    assert column.cat.codes.tolist() == [4, 2, -1, 5, 4]
    assert column.cat.ordered is ordered


def test_an_unseen_integer_is_a_category_that_fits_no_narrow_dtype() -> None:
    frame = frame_of(DIGITS.astype("int8").astype("category"))
    rows = [{"number": 0.0, "column": integer} for integer in (4, 2**53, None)]

    column = FrameMaker(frame, kinds_of(frame))(rows)["column"]

    assert column.tolist()[:2] == [4, 2**53]
    assert column.isna().tolist() == [False, False, True]


def test_float32_that_scikit_learn_computes_in_is_refused() -> None:
    frame = frame_of(DIGITS).astype("float32")
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, LABELS)

    # Of scikit-learn 1.7 its scores give it away, not its coefficients.
    with pytest.raises(TrainingError, match=r"float32[:;] fit on float64"):
        prove(fitted, frame, full=True)


def test_float32_that_changes_no_answer_is_proven() -> None:
    frame = frame_of(DIGITS).astype("float32")

    prove(RandomForestClassifier(5, random_state=0).fit(frame, LABELS), frame)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1, "a"], "has mixed types: .* convert it by astype"),
        ([True, 1], "has mixed types"),
        ([b"a"], "has bytes: .* decode"),
        ([1 + 2j], "has complex numbers: .* two columns"),
        ([date(2026, 1, 1)], "has dates as objects: .* pd.to_datetime"),
        ([datetime(2026, 1, 1, 2)], "has times as objects: .* pd.to_datetime"),
        ([timedelta(1)], "has time spans: .* dt.total_seconds"),
        ([pd.Interval(0, 1)], "has intervals: .* astype"),
        ([pd.Period("2026-01")], "has periods: .* astype"),
    ],
)
def test_a_column_of_other_values_is_refused_with_a_remedy(values: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=f"'mixed' {sentence}"):
        kind_of(pd.Series(values, dtype=object, name="mixed"))


def test_all_columns_that_no_client_can_send_are_named_at_once() -> None:
    frame = pd.DataFrame({"a": [b"x"], "b": [1.5], "c": [date(2026, 1, 1)]})

    with pytest.raises(DataError, match=r"'a' has bytes.*; column 'c' has dates"):
        kinds_of(frame)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([1, 2], "number"),
        ([0, 1], "boolean"),
        ([True, False], "integer"),
        ([True, False], "number"),
        ([1.0, None], "integer"),
        (["x", "y"], "category"),
    ],
)
def test_a_kind_may_be_given(column: list[Any], kind: str) -> None:
    frame = pd.DataFrame({"x": column, "other": [1.5, 2.5]})

    assert kinds_of(frame, {"x": kind}) == {"x": kind, "other": "number"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"x": "integer"}, "'x' is of kind 'number', which cannot be written as 'integer'"),
        ({"s": "number"}, "'s' is of kind 'category'.*: expected 'category'"),
        ({"n": "boolean"}, "expected 'number' or 'integer'"),
        ({"xx": "number"}, "'xx' is not a column that the pipeline reads; did you mean `x`"),
    ],
)
def test_a_kind_that_cannot_write_the_values_is_refused(
    given: dict[str, str], sentence: str
) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.0], "s": ["a", "b"], "n": [1, 2]})

    with pytest.raises(DataError, match=f"kinds: .*{sentence}"):
        kinds_of(frame, given)


def test_missing_is_none_where_the_column_has_none() -> None:
    words = WORDS.astype(object)
    encode = OneHotEncoder(handle_unknown="ignore")
    for missing in (None, np.nan):
        frame = frame_of(words.where(~MISSING, missing))
        fitted = make_pipeline(
            make_column_transformer((encode, ["column"]), remainder="passthrough"),
            LogisticRegression(),
        ).fit(frame, LABELS)

        prove(fitted, frame)


def test_none_beside_nan_is_refused_with_a_remedy() -> None:
    words = WORDS.astype(object).where(~MISSING, None)
    words[[0, 1]] = [np.nan, None]
    frame = frame_of(words)
    encode = make_column_transformer((OneHotEncoder(), ["column"]), remainder="passthrough")
    fitted = make_pipeline(encode, LogisticRegression()).fit(frame, LABELS)

    with pytest.raises(DataError, match="'column' has None and NaN, and both are null in JSON"):
        prove(fitted, frame)


def test_decimals_are_numbers() -> None:
    frame = frame_of(pd.Series([Decimal(str(round(x, 2))) for x in NUMBERS]))
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, LABELS)

    assert kind_of(frame["column"]) == "number"
    prove(fitted, frame)


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


@pytest.mark.parametrize(("missing", "mostly"), [(0, False), (5, False), (6, True), (10, True)])
def test_a_feature_says_whether_more_than_half_is_missing(missing: int, mostly: bool) -> None:
    column = pd.Series([np.nan] * missing + [1.5] * (10 - missing), name="amount")

    feature = feature_of(column, "number", nullable=True, accepts_unseen=False)

    assert feature.mostly_missing is mostly
