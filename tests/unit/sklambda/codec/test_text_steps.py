"""The steps that the codec takes on texts, what it reads, and scikit-learn's hash of terms."""

from math import inf, isinf, isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

from sklambda.codec.terms import TermCounter
from sklambda.codec.text_steps import STEPS, hash_of, pattern_of, reader, stepper
from sklambda.signature import Analyzer, TermCounts, TextReading, TextStep


def read(text: str | None, reading: TextReading, *steps: TextStep, terms: Any = ()) -> float:
    counts = TermCounts(feature="text", analyzer=None, steps=steps, reading=reading, terms=terms)
    return reader(counts)(stepper(steps)(text))


def step(name: str, *arguments: Any) -> TextStep:
    return TextStep(name=name, arguments=arguments)


@given(st.text())
def test_the_hash_of_a_term_is_that_of_scikit_learn(term: str) -> None:
    data = term.encode("utf-8", "surrogatepass")

    assert hash_of(term) == murmurhash3_32(data, seed=0)


@pytest.mark.parametrize("signed", [True, False])
def test_terms_are_counted_in_the_columns_of_their_hashes(signed: bool) -> None:
    texts = ["free cash now", "now now lunch", "", "caf\u00e9 free free"]
    analyzer = Analyzer(
        analyzer="word", ngram_range=(1, 2), lowercase=True, token_pattern=r"(?u)\b\w\w+\b"
    )
    counts = TermCounts(feature="text", analyzer=analyzer, hashed=8, signed=signed)
    found = np.zeros((len(texts), counts.width))

    TermCounter(counts).fill(texts, found)

    own = HashingVectorizer(
        n_features=8, ngram_range=(1, 2), norm=None, alternate_sign=signed
    ).transform(texts)
    np.testing.assert_array_equal(found, own.toarray())


@given(st.text(alphabet="0123456789.+-eE_ ,naif\t\u0661", max_size=17))
def test_a_number_is_that_of_pandas_or_refused(text: str) -> None:
    found = read(text, "number", step("coerce"))

    expected = pd.to_numeric(pd.Series([text]), errors="coerce").iloc[0]
    assert isinf(found) or found == expected or (isnan(found) and isnan(expected))


@pytest.mark.parametrize("text", ["", "12 EUR", "1_000", "inf", "12345678901234567"])
def test_a_text_that_may_be_another_number_is_no_number(text: str) -> None:
    assert read(text, "number") == inf


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (None, "2011-01-20 05:30:00", 1295501400.0),
        (None, "2011-01-20", 1295481600.0),
        ("%d/%m/%Y", "20/1/2011", 1295481600.0),
        ("%d/%m/%Y", "2011-01-20", inf),
        (None, "20.01.2011", inf),
        (None, "2011-13-01", inf),
    ],
)
def test_a_date_has_its_seconds(form: str | None, text: str, expected: float) -> None:
    assert read(text, "moment", step("date", form)) == expected


@pytest.mark.parametrize("form", ["%Y", "%Y-%m-%d %Z", "%y%m%d", "%Y-%m-%d %Y"])
def test_a_format_without_a_whole_day_is_not_known(form: str) -> None:
    assert pattern_of(form) is None


@pytest.mark.parametrize(
    ("steps", "text", "expected"),
    [
        ((step("part", ", ", -1, 1), step("part", ".", -1, 0)), "Braund, Mr. Owen", "Mr"),
        ((step("part", ",", -1, 3),), "Braund, Mr. Owen", None),
        ((step("last_part", None, -1, -1),), "Mr. Owen", "Owen"),
        ((step("search", r" ([A-Za-z]+)\.", 1), step("lower")), "Braund, Mr. Owen", "mr"),
        ((step("search", r"(\d+)", 1),), "none", None),
        ((step("character", 0),), "", None),
        ((step("slice", 1, None, 2),), "abcde", "bd"),
        ((step("sub", r"\s+", " "), step("strip")), " a \n b ", "a b"),
        ((step("squeeze", " "),), " a \n b ", "a b"),
        ((step("exchange", "?", None), step("fill", "none")), "?", "none"),
        ((step("marks", "o"),), "foo", "xx"),
        ((step("parts", " ", -1),), "a b c", "xxx"),
    ],
)
def test_steps_are_taken_in_order(
    steps: tuple[TextStep, ...], text: str, expected: str | None
) -> None:
    assert stepper(steps)(text) == expected


def test_no_text_stays_none_through_each_step() -> None:
    assert [name for name in STEPS if stepper((step(name),))(None) is not None] == []


def test_a_category_has_its_code_and_an_unseen_one_that_of_all() -> None:
    assert [read(text, "category", terms=("Mr", "Mrs")) for text in ("Mrs", "Dr")] == [1.0, -1.0]
    assert isnan(read(None, "category", terms=("Mr",)))
    assert read("four", "length") == 4.0
