"""Vectorisers of texts equal scikit-learn's, and what they cannot convert is refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from sklambda.predictor import Predictor
from tests.support.proof import ROWS, prove
from training import export
from training.convert import CONVERTERS
from training.convert.families.text import separator_of
from training.errors import ConversionRefused, ParityFailed
from training.frames import kinds_of
from training.proof.conversion import Conversion
from training.proof.prove import golden_rows
from training.tables import as_frame

TELLING = (
    "the cat sat on a mat and THE dog ran far away über café naïve don't e-mail 2024 yes no good "
    "bad Straße 東京都 İstanbul x 👍 very the of not"
)
WORDS = TELLING.split()


@pytest.fixture(scope="module")
def texts() -> "pd.Series[str]":
    generator = np.random.default_rng(23)
    lengths = generator.integers(1, 15, ROWS)
    return pd.Series([" ".join(generator.choice(WORDS, n)) for n in lengths], name="review")


@pytest.fixture(scope="module")
def frame(texts: "pd.Series[str]") -> pd.DataFrame:
    generator = np.random.default_rng(24)
    return pd.DataFrame(
        {
            "stars": generator.integers(1, 6, ROWS),
            "review": texts,
            "price": np.where(generator.random(ROWS) < 0.1, np.nan, generator.normal(20, 5, ROWS)),
            "shop": generator.choice(["north", "south", ""], ROWS),
            "title": texts.str.slice(0, 20),
        }
    )


def moods(texts: "pd.Series[str]", count: int = 2) -> NDArray[Any]:
    """Make labels that depend on the words, with some noise; more than two are strings."""
    noise = np.random.default_rng(25).normal(size=len(texts))
    mood = texts.str.count("good") - texts.str.count("bad") + noise
    codes = pd.qcut(mood, count, labels=False).to_numpy()
    return codes if count == 2 else np.array(["no", "perhaps", "yes"], dtype=object)[codes]


VECTORIZERS: dict[str, Callable[[], Any]] = {
    "counts": CountVectorizer,
    "binary counts of floats": lambda: CountVectorizer(binary=True, dtype=np.float64),
    "tf-idf": TfidfVectorizer,
    "two words": lambda: TfidfVectorizer(ngram_range=(1, 2), stop_words="english", min_df=2),
    "own stop words": lambda: TfidfVectorizer(stop_words=["good", "über"], max_features=9),
    "characters": lambda: TfidfVectorizer(analyzer="char", ngram_range=(2, 3), max_df=0.5),
    "characters of words": lambda: TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4)),
    "case and accents": lambda: TfidfVectorizer(lowercase=False, strip_accents="unicode"),
    "without what is not ASCII": lambda: CountVectorizer(strip_accents="ascii"),
    "words of one letter": lambda: TfidfVectorizer(token_pattern=r"(?u)\b\w+\b"),
    "a group": lambda: CountVectorizer(token_pattern=r"\b(\w)\w+\b"),
    "fixed terms": lambda: TfidfVectorizer(vocabulary={"good": 1, "bad": 0, "never": 2}),
    "logarithms": lambda: TfidfVectorizer(sublinear_tf=True, norm="l1"),
    "no weights": lambda: TfidfVectorizer(use_idf=False, norm=None, binary=True),
    "rough idf": lambda: TfidfVectorizer(smooth_idf=False),
    "two steps": lambda: make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
    "words and characters": lambda: FeatureUnion(
        [
            ("words", TfidfVectorizer()),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3))),
            ("again", TfidfVectorizer(norm="l1")),
        ],
        transformer_weights={"characters": 0.5},
    ),
    "after nothing": lambda: make_pipeline("passthrough", FunctionTransformer(), CountVectorizer()),
}
MODELS: dict[str, Callable[[], Any]] = {
    "logistic": LogisticRegression,
    "multinomial": MultinomialNB,
    "complement": ComplementNB,
    "bernoulli": BernoulliNB,
    "support vectors": LinearSVC,
    "descent": lambda: SGDClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "scaled": lambda: make_pipeline(StandardScaler(with_mean=False), LogisticRegression()),
    "greatest": lambda: make_pipeline(MaxAbsScaler(), LinearSVC()),
    "chosen": lambda: make_pipeline(SelectKBest(chi2, k=5), LogisticRegression()),
    "topics": lambda: make_pipeline(TruncatedSVD(3, random_state=0), LogisticRegression()),
}


@pytest.mark.parametrize("name", VECTORIZERS)
@pytest.mark.parametrize("count", [2, 3])
def test_a_vectorizer_equals_scikit_learn(name: str, count: int, texts: "pd.Series[str]") -> None:
    fitted = make_pipeline(VECTORIZERS[name](), LogisticRegression()).fit(
        texts, moods(texts, count)
    )

    report = prove(fitted, texts.to_frame())

    assert report.rows["texts"] > 50


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", [2, 3])
def test_a_model_of_texts_equals_scikit_learn(
    name: str, count: int, texts: "pd.Series[str]"
) -> None:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2))
    fitted = make_pipeline(vectorizer, MODELS[name]()).fit(texts, moods(texts, count))

    prove(fitted, texts.to_frame())


def columns(**more: Any) -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", "passthrough", ["price", "stars"]),
            ("review", TfidfVectorizer(), "review"),
            ("letters", CountVectorizer(analyzer="char"), 1),
            ("shop", OneHotEncoder(handle_unknown="ignore"), ["shop"]),
            ("title", make_pipeline(CountVectorizer(), TfidfTransformer()), "title"),
        ],
        **more,
    )


@pytest.mark.parametrize("count", [2, 3])
def test_texts_beside_numbers_and_categories_equal_scikit_learn(
    frame: pd.DataFrame, count: int
) -> None:
    trees = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    pipeline = make_pipeline(columns(sparse_threshold=0), trees)

    prove(pipeline.fit(frame, moods(frame["review"], count)), frame)


def test_a_signature_tells_texts_from_categories(frame: pd.DataFrame) -> None:
    trees = HistGradientBoostingClassifier(max_iter=3, random_state=0)
    fitted = make_pipeline(columns(sparse_threshold=0), trees)
    fitted.fit(frame, moods(frame["review"]))

    _, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    kinds = {"stars": "integer", "review": "text", "price": "number", "shop": "category"}
    assert signature.kinds == kinds | {"title": "text"}
    assert [counts.feature for counts in signature.counts] == ["review", "review", "title"]
    assert {f.vocabulary for f in signature.features if f.kind == "text"} == {()}
    assert not any(f.nullable for f in signature.features if f.kind == "text")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda p: GridSearchCV(p, {"tfidf__norm": ["l1", "l2"]}, cv=2),
        lambda p: CalibratedClassifierCV(p, cv=2),
        lambda p: VotingClassifier([("one", p), ("two", p)], voting="soft"),
    ],
    ids=["searched", "calibrated", "voted"],
)
def test_a_pipeline_of_texts_inside_others_equals_scikit_learn(
    wrap: Callable[[Any], Any], texts: "pd.Series[str]"
) -> None:
    pipeline = Pipeline([("tfidf", TfidfVectorizer()), ("model", LogisticRegression())])

    prove(wrap(pipeline).fit(texts, moods(texts)), texts.to_frame())


def test_a_regressor_of_texts_equals_scikit_learn(texts: "pd.Series[str]") -> None:
    lengths = texts.str.len().to_numpy(dtype=np.float64)

    fitted = make_pipeline(TfidfVectorizer(norm=None), Ridge()).fit(texts, lengths)
    prove(fitted, texts.to_frame(), full=True)


def test_the_same_counts_are_sent_once(texts: "pd.Series[str]") -> None:
    union = FeatureUnion([("one", TfidfVectorizer()), ("two", CountVectorizer(binary=True))])
    fitted = make_pipeline(union, LogisticRegression()).fit(texts, moods(texts))
    given = texts.to_frame()

    _, signature = Conversion(fitted, given, kinds_of(given)).convert()

    assert signature.width == 1 + len(fitted[0]["one"].vocabulary_)


@pytest.mark.parametrize("named", [True, False])
def test_a_pipeline_fitted_on_texts_alone_is_exported(
    texts: "pd.Series[str]", named: bool, tmp_path: Path
) -> None:
    given = texts if named else texts.tolist()
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(given, moods(texts))

    export(fitted, given, out=tmp_path / "package", name="moods", time_limit=None)

    row = {"review" if named else "text": "a good dog, not bad"}
    found = Predictor.open(tmp_path / "package").score([row])
    assert found == pytest.approx(fitted.predict_proba([*row.values()]), abs=1e-12)


def at_blanks(text: str) -> list[str]:
    return text.split()


SPLITS: dict[str, dict[str, Any]] = {
    "str.split": {"tokenizer": str.split},
    "a function that splits": {"tokenizer": at_blanks, "stop_words": ["a"], "ngram_range": (1, 2)},
    "at commas": {"tokenizer": lambda text: text.split(","), "lowercase": False},
    "at a comma and a blank": {"tokenizer": lambda row: row.split(", "), "preprocessor": str.lower},
    "alone": {"analyzer": str.split},
    "as it is": {"analyzer": lambda text: text.split(" "), "preprocessor": lambda text: text},
}


@pytest.mark.filterwarnings("ignore:The parameter")  # scikit-learn's, of what it ignores
@pytest.mark.parametrize("name", SPLITS)
def test_functions_that_only_split_are_counted_as_scikit_learn_counts(
    name: str, texts: "pd.Series[str]"
) -> None:
    given = texts.head(60).to_frame()
    vectorizer = CountVectorizer(**{"token_pattern": None, **SPLITS[name]})
    columns = ColumnTransformer([("words", vectorizer, "review")])
    pipeline = make_pipeline(columns, LogisticRegression()).fit(given, moods(texts.head(60)))

    prove(pipeline, given)


def other(text: str, by: str = ",") -> list[str]:
    return text.split(by)


@pytest.mark.parametrize(
    "function",
    [
        other,
        lambda text: text.split(",", 1),
        lambda text: text.lower().split(","),
        lambda text: text.rsplit(","),
        lambda text: text.split(".."),
        len,
        None,
    ],
)
def test_functions_that_do_more_than_split_have_no_separator(function: Any) -> None:
    assert separator_of(function) is None


@pytest.mark.parametrize(
    ("vectorizer", "reason"),
    [
        (
            CountVectorizer(tokenizer=str.splitlines, token_pattern=None),
            r"text\.CountVectorizer\(tokenizer=str.splitlines\) runs code .*: use token_pattern",
        ),
        (TfidfVectorizer(preprocessor=str.upper), "does not run this step to predict"),
        (TfidfVectorizer(analyzer=str.splitlines), r"\(analyzer=str.splitlines\).*: use token_"),
        (CountVectorizer(strip_accents=str.upper), r"\(strip_accents=str.upper\).*: use strip"),
        (CountVectorizer(dtype=np.float32), r"\(dtype=float32\)"),
        (CountVectorizer(vocabulary=["good", 3], lowercase=False), "a term that is not a string"),
        (CountVectorizer(ngram_range=(0, 1)), "must ascend from at least 1, got 0 to 1"),
        (TfidfVectorizer(vocabulary=["good", "never"], smooth_idf=False), "idf is infinite"),
        (HashingVectorizer(), r"more than 16384 columns.*n_features=2\*\*12"),
        (HashingVectorizer(n_features=8, binary=True), "use alternate_sign=False"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_cannot_be_counted_is_refused(
    vectorizer: Any, reason: str, texts: "pd.Series[str]"
) -> None:
    given = texts.to_frame()
    columns = ColumnTransformer([("words", vectorizer, "review")]).fit(given)

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(columns, given, kinds_of(given)).convert()


def test_a_list_of_one_text_column_is_refused(texts: "pd.Series[str]") -> None:
    given = texts.to_frame()
    read_the_name = ColumnTransformer([("words", CountVectorizer(), ["review"])]).fit(given)

    with pytest.raises(ConversionRefused, match="name its column by a string, not by a list"):
        Conversion(read_the_name, given, kinds_of(given)).convert()


def test_a_column_that_is_both_a_category_and_a_text_is_refused(frame: pd.DataFrame) -> None:
    both = ColumnTransformer(
        [
            ("words", CountVectorizer(), "shop"),
            ("hot", OneHotEncoder(handle_unknown="ignore"), ["shop"]),
        ]
    )
    fitted = make_pipeline(both, LogisticRegression()).fit(frame, moods(frame["review"]))

    with pytest.raises(ConversionRefused, match="'shop' is used both as a category and as a text"):
        Conversion(fitted, frame, kinds_of(frame)).convert()


def test_several_columns_for_a_pipeline_of_texts_are_refused(frame: pd.DataFrame) -> None:
    fitted = make_pipeline(CountVectorizer(), LogisticRegression())
    fitted.fit(frame["review"], moods(frame["review"]))
    given = frame[["review", "title"]]

    with pytest.raises(ConversionRefused, match="takes one column of texts"):
        Conversion(fitted, given, kinds_of(given)).convert()


def test_a_wrong_weight_is_blamed_on_its_step(texts: "pd.Series[str]") -> None:
    steps = (FunctionTransformer(), TfidfVectorizer(), MaxAbsScaler(), LogisticRegression())
    fitted = make_pipeline(*steps).fit(texts, moods(texts))
    given = texts.to_frame()
    wrong = {**CONVERTERS, TfidfTransformer: lambda estimator, matrix, scope: matrix}
    conversion = Conversion(fitted, given, kinds_of(given), wrong)
    model, signature = conversion.convert()

    with pytest.raises(ParityFailed, match=r"^tfidfvectorizer: "):
        conversion.prove(model, signature, conversion.cases(model, signature))


def test_golden_rows_hold_no_very_long_text(texts: "pd.Series[str]") -> None:
    given = texts.to_frame()
    fitted = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, moods(texts))
    conversion = Conversion(fitted, given, kinds_of(given))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature)

    golden = golden_rows(conversion, signature, cases, conversion.equality(model, signature))

    assert max(len(str(case.row["review"])) for case in cases) > 100_000
    assert max(len(str(row.row["review"])) for row in golden) <= 10_000


def test_texts_without_a_name_are_the_feature_text() -> None:
    assert as_frame(["one", "two"]).columns.tolist() == ["text"]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([HashingVectorizer()], r"use TfidfVectorizer\(max_features=...\)"),
        (
            [
                FunctionTransformer(lambda texts: [text.encode().hex() for text in texts]),
                CountVectorizer(),
            ],
            "compute what the code makes of it before training",
        ),
    ],
    ids=["hashing", "cleaning"],
)
def test_texts_alone_that_cannot_be_counted_are_refused_with_a_remedy(
    texts: "pd.Series[str]", steps: list[Any], sentence: str, tmp_path: Path
) -> None:
    given = [f"{text} {place}" for place, text in enumerate(texts)]
    fitted = make_pipeline(*steps, LogisticRegression()).fit(given, moods(texts))

    with pytest.raises(ConversionRefused, match=sentence):
        export(fitted, given, out=tmp_path / "package", name="moods", time_limit=None)
