"""Texts of which nearly each is new are read by the codec as the user's code reads them."""

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from tests.support.proof import prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

ROWS: Final = 160
_DRAWN = np.random.default_rng(7)
TITLES: Final = _DRAWN.choice(["Mr", "Mrs", "Miss", "Dr"], ROWS)
PEOPLE: Final = pd.DataFrame(
    {
        "name": [f"Braund{place}, {title}. Owen" for place, title in enumerate(TITLES)],
        "cabin": [
            None if place % 3 == 0 else f"{'ABC'[place % 2]}/{place}/P" for place in range(ROWS)
        ],
        "charges": [f"{place * 1.35:.2f}" if place % 9 else " " for place in range(ROWS)],
        "date": (pd.Timestamp("2013-01-01") + pd.to_timedelta(np.arange(ROWS) * 3, "D")).strftime(
            "%Y-%m-%d"
        ),
        "rank": _DRAWN.integers(1, 4, ROWS),
    }
)
SURVIVED: Final = (_DRAWN.normal(size=ROWS) + (TITLES == "Mrs") > 0.3).astype(int)


def titles(X: pd.DataFrame) -> pd.DataFrame:
    found = X["name"].str.extract(r" ([A-Za-z]+)\.", expand=False).replace({"Dr": "Rare"})
    return X[["rank"]].assign(title=found)


def split_titles(X: pd.DataFrame) -> pd.DataFrame:
    found = X["name"].str.split(", ", expand=True)[1].str.split(".").str[0].str.upper()
    return X[["rank"]].assign(title=found)


def searched_titles(X: pd.DataFrame) -> pd.DataFrame:
    def title(name: str) -> str:
        found = re.search(r" ([A-Za-z]+)\.", name)
        return found.group(1) if found else "none"

    return X[["rank"]].assign(title=X["name"].apply(title))


def lengths(X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "letters": X["name"].apply(len),
            "words": X["name"].str.split().str.len(),  # type: ignore[misc]
            "first": X["name"].apply(lambda name: name[0] == "B"),
            "dots": X["name"].str.count(r"\."),
            "is_doctor": X["name"].str.contains("Dr", regex=False).astype(int),
        }
    )


def cabins(X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "deck": X["cabin"].fillna("U").str[0],
            "has": X["cabin"].notna().astype(int),
            "parts": X["cabin"].apply(lambda one: 0 if pd.isna(one) else len(one.split("/"))),
        }
    )


def charged(X: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "coerced": pd.to_numeric(X["charges"], errors="coerce"),
            "replaced": X["charges"].replace(" ", np.nan).astype(float).fillna(-1),
        }
    )


def dated(X: pd.DataFrame) -> pd.DataFrame:
    date = pd.to_datetime(X["date"])
    return pd.DataFrame(
        {"month": date.dt.month, "days": (date - pd.Timestamp("2013-01-01")).dt.days}
    )


def ranks(X: pd.DataFrame) -> pd.DataFrame:
    text = X["rank"].astype(str)
    return pd.DataFrame({"rank": text, "both": "r" + text})


CODES: Final = (
    titles,
    split_titles,
    searched_titles,
    lengths,
    cabins,
    charged,
    dated,
    ranks,
)


def encoded() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("n", SimpleImputer(), make_column_selector(dtype_include=["number", bool])),
            (
                "c",
                OneHotEncoder(handle_unknown="ignore"),
                make_column_selector(dtype_exclude=["number", bool]),
            ),
        ]
    )


@pytest.mark.parametrize("code", CODES, ids=lambda each: each.__name__)
def test_code_on_texts_equals_scikit_learn(code: Callable[..., Any]) -> None:
    pipeline = make_pipeline(FunctionTransformer(code), encoded(), LogisticRegression())

    prove(pipeline.fit(PEOPLE, SURVIVED), PEOPLE)


def test_a_text_never_met_is_read_and_not_refused() -> None:
    pipeline = make_pipeline(FunctionTransformer(titles), encoded(), LogisticRegression())
    kinds = {"name": "category", "rank": "integer"}

    conversion = Conversion(pipeline.fit(PEOPLE, SURVIVED), PEOPLE[["name", "rank"]], kinds)  # type: ignore[arg-type]
    _, signature = conversion.convert()

    assert [feature.kind for feature in signature.features] == ["text", "integer"]
    assert signature.counts[-1].terms == ("Dr", "Miss", "Mr", "Mrs", "Rare")


def test_whole_numbers_that_become_texts_may_not_be_missing() -> None:
    pipeline = make_pipeline(FunctionTransformer(ranks), encoded(), LogisticRegression())
    conversion = Conversion(pipeline.fit(PEOPLE, SURVIVED), PEOPLE, kinds_of(PEOPLE))

    _, signature = conversion.convert()

    rank = signature.features[-1]
    assert (rank.nullable, rank.choices) == (False, (1.0, 2.0, 3.0))


WORDS: Final = pd.DataFrame(
    {
        "text": [
            f"<b>Good</b> film no. {place}!" if flag else f"BAD film, {place}"
            for place, flag in enumerate(SURVIVED)
        ]
    }
)


def cleaned(text: str) -> str:
    text = re.sub(r"<.*?>", " ", text.lower())
    return re.sub(r"[^a-z ]", "", text).strip()


VECTORISERS: Final = {
    "preprocessor": lambda: TfidfVectorizer(preprocessor=cleaned),
    "hashed": lambda: HashingVectorizer(n_features=64, preprocessor=cleaned),
    "function": lambda: make_pipeline(
        FunctionTransformer(lambda texts: texts.str.lower().str.replace("film", "movie")),
        CountVectorizer(),
    ),
}


@pytest.mark.parametrize("name", VECTORISERS)
def test_texts_are_cleaned_by_the_codec_before_they_are_counted(name: str) -> None:
    counted = ColumnTransformer([("words", VECTORISERS[name](), "text")])

    prove(make_pipeline(counted, LogisticRegression()).fit(WORDS, SURVIVED), WORDS)


class Lengths(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any = None) -> "Lengths":
        return self

    def transform(self, X: Any) -> Any:
        return np.array([len(text) for text in X]).reshape(-1, 1)


def test_a_loop_over_a_list_of_texts_is_followed() -> None:
    both = FeatureUnion([("words", CountVectorizer()), ("lengths", Lengths())])

    prove(make_pipeline(both, LogisticRegression()).fit(WORDS["text"], SURVIVED), WORDS)


def test_more_hashes_than_a_service_can_hold_are_refused() -> None:
    pipeline = make_pipeline(HashingVectorizer(n_features=2**20), LogisticRegression())
    pipeline.fit(WORDS["text"], SURVIVED)

    with pytest.raises(ConversionRefused, match=r"more than 16384 columns.*n_features=2\*\*12"):
        Conversion(pipeline, WORDS, kinds_of(WORDS)).convert()
