"""Texts are split and counted as scikit-learn does it."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from sklambda.codec.terms import TermCounter
from sklambda.errors import DocumentInvalid
from sklambda.signature import Analyzer, TermCounts
from training.proof.adversary import hard_texts

WORDS = r"(?u)\b\w\w+\b"
PATTERNS = (WORDS, r"(?u)\b\w+\b", r"\S+", r"\b(\w)\w*\b", r"(\w+)?-", r"[^\W\d_]+", "")
STOP_WORDS = (None, "english", ["the", "é", "ab", "不"])
RANGES = ((1, 1), (1, 2), (2, 2), (2, 4), (3, 3), (1, 5))

# Letters and blanks that are apt to meet, beside any text at all.
dense = st.text(
    st.sampled_from("ab AÉé\u0301ßİΣ\u0131_-'\u2019 \t\n\u00a0\u2003\u200d\x00\x1c日ﬁ1٣")
)
short = [text for _, text in hard_texts([]) if len(text) < 1000]
texts = st.one_of(dense, st.text(), st.sampled_from(short))
settings = st.fixed_dictionaries(
    {
        "analyzer": st.sampled_from(["word", "char", "char_wb"]),
        "ngram_range": st.sampled_from(RANGES),
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "stop_words": st.sampled_from(STOP_WORDS),
        "token_pattern": st.sampled_from(PATTERNS),
    }
)


def counts_of(vectorizer: CountVectorizer, terms: list[str]) -> TermCounts:
    of_words = vectorizer.analyzer == "word"
    analyzer = Analyzer(
        analyzer=vectorizer.analyzer,
        ngram_range=vectorizer.ngram_range,
        lowercase=vectorizer.lowercase,
        strip_accents=vectorizer.strip_accents,
        token_pattern=vectorizer.token_pattern if of_words else None,
        stop_words=tuple(sorted(vectorizer.get_stop_words() or ())) if of_words else (),
    )
    return TermCounts(feature="text", analyzer=analyzer, terms=tuple(terms))


@given(settings, st.lists(texts, min_size=1, max_size=4), texts)
def test_counts_equal_scikit_learns(
    settings: dict[str, Any], documents: list[str], unseen: str
) -> None:
    vectorizer = CountVectorizer(**settings)
    split = vectorizer.build_analyzer()
    terms = sorted({term for text in documents for term in split(text)}) or ["none"]
    fixed = CountVectorizer(**settings, vocabulary=terms)
    found = np.zeros((len(documents) + 1, len(terms)))

    TermCounter(counts_of(fixed, terms)).fill([*documents, unseen], found)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of stop words that are inconsistent on purpose
        expected = fixed.transform([*documents, unseen]).toarray()
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("ngram_range", RANGES)
def test_hard_texts_are_counted_as_scikit_learn_does(
    analyzer: str, ngram_range: tuple[int, int]
) -> None:
    documents = [text for _, text in hard_texts(["A plain text, with commas.", "Über-Maß é"])]
    vectorizer = CountVectorizer(analyzer=analyzer, ngram_range=ngram_range)
    short = [text for text in documents if len(text) < 1000]
    expected = vectorizer.fit(short).transform(documents).toarray()
    found = np.zeros(expected.shape)

    counts = counts_of(vectorizer, vectorizer.get_feature_names_out().tolist())
    TermCounter(counts).fill(documents, found)

    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ngram_range": (2, 1)}, "ngram_range must ascend from at least 1, got 2 to 1"),
        ({"ngram_range": (0, 1)}, "must ascend from at least 1, got 0 to 1"),
        ({"token_pattern": "("}, "token_pattern is not a regular expression"),
        ({"token_pattern": "(a)(b)"}, "at most one group, got 2"),
        ({"token_pattern": None}, "token_pattern is required for analyzer 'word', and only"),
        ({"analyzer": "char"}, "token_pattern is required for analyzer 'word', and only"),
        ({"analyzer": "sentence"}, "analyzer"),
        ({"tokenizer": "own"}, "tokenizer"),
    ],
)
def test_an_analyzer_at_odds_with_itself_is_refused(members: dict[str, Any], message: str) -> None:
    usual = {"analyzer": "word", "ngram_range": (1, 1), "lowercase": True, "token_pattern": WORDS}

    with pytest.raises(DocumentInvalid, match=message):
        Analyzer.of(usual | members)


def test_a_term_that_stands_twice_is_refused() -> None:
    analyzer = Analyzer(analyzer="char", ngram_range=(1, 1), lowercase=True)

    with pytest.raises(DocumentInvalid, match="duplicate term"):
        TermCounts(feature="text", analyzer=analyzer, terms=("a", "b", "a"))


def test_what_is_no_string_has_no_terms() -> None:
    analyzer = Analyzer(analyzer="char", ngram_range=(1, 1), lowercase=True)
    found = np.zeros((2, 1))

    TermCounter(TermCounts(feature="text", analyzer=analyzer, terms=("a",))).fill(
        [None, "Aa"], found
    )

    assert found.tolist() == [[0.0], [2.0]]
