"""Set-ups of texts, of several classes, without a target, and of other libraries' boosting."""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC, OneClassSVM

from tests.benchmark.setups.setup import Fitted, fitted, fitted_on_texts, prepared, setup
from tests.benchmark.setups.tables import customers, flowers, houses, loans, reviews, sensors


@setup("reviews: tf-idf of words and pairs; logistic regression")
def _() -> Fitted:
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    return fitted_on_texts(make_pipeline(words, LogisticRegression(max_iter=1000)), reviews())


@setup("reviews: counts without stop words; naive Bayes")
def _() -> Fitted:
    words = CountVectorizer(stop_words="english")
    return fitted_on_texts(make_pipeline(words, MultinomialNB()), reviews())


@setup("reviews: tf-idf of letters within words; linear support vectors")
def _() -> Fitted:
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=500)
    return fitted_on_texts(make_pipeline(letters, LinearSVC(random_state=0)), reviews())


@setup("reviews: tf-idf, components; logistic regression")
def _() -> Fitted:
    steps = make_pipeline(TfidfVectorizer(sublinear_tf=True), TruncatedSVD(20, random_state=0))
    return fitted_on_texts(make_pipeline(steps, LogisticRegression()), reviews())


@setup("reviews: hashed words; stochastic gradient descent")
def _() -> Fitted:
    words = HashingVectorizer(n_features=2**10)
    model = SGDClassifier(loss="log_loss", random_state=0)
    return fitted_on_texts(make_pipeline(words, model), reviews())


@setup("reviews: a text beside a category and numbers; logistic regression")
def _() -> Fitted:
    steps = make_column_transformer(
        (TfidfVectorizer(max_features=200), "text"),
        (OneHotEncoder(handle_unknown="ignore"), ["category"]),
        (StandardScaler(), ["price", "helpful"]),
    )
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=1000)), reviews())


@setup("reviews: a text beside the logarithm of a price; random forest")
def _() -> Fitted:
    steps = make_column_transformer(
        (CountVectorizer(max_features=100), "text"), (FunctionTransformer(np.log), ["price"])
    )
    return fitted(make_pipeline(steps, RandomForestClassifier(50, random_state=0)), reviews())


@setup("reviews: binary counts; complement naive Bayes")
def _() -> Fitted:
    words = CountVectorizer(binary=True, lowercase=False)
    return fitted_on_texts(make_pipeline(words, ComplementNB()), reviews())


@setup("flowers: scaled; support vectors of three classes")
def _() -> Fitted:
    return fitted(make_pipeline(StandardScaler(), SVC()), flowers())


@setup("flowers: nearest neighbours")
def _() -> Fitted:
    return fitted(KNeighborsClassifier(5), flowers())


@setup("flowers: scaled; nearest neighbours by distance")
def _() -> Fitted:
    neighbours = KNeighborsClassifier(7, weights="distance")
    return fitted(make_pipeline(StandardScaler(), neighbours), flowers())


@setup("flowers: Gaussian naive Bayes")
def _() -> Fitted:
    return fitted(GaussianNB(), flowers())


@setup("flowers: quadratic discriminant")
def _() -> Fitted:
    return fitted(QuadraticDiscriminantAnalysis(), flowers())


@setup("flowers: scaled; extra trees")
def _() -> Fitted:
    trees = ExtraTreesClassifier(100, random_state=0)
    return fitted(make_pipeline(StandardScaler(), trees), flowers())


@setup("flowers: one class against the rest; linear support vectors")
def _() -> Fitted:
    model = OneVsRestClassifier(LinearSVC(random_state=0))
    return fitted(make_pipeline(StandardScaler(), model), flowers())


@setup("sensors: isolation forest")
def _() -> Fitted:
    return fitted(IsolationForest(random_state=0), sensors())


@setup("sensors: scaled; support vectors of one class")
def _() -> Fitted:
    return fitted(make_pipeline(StandardScaler(), OneClassSVM(nu=0.05)), sensors())


@setup("sensors: scaled; k-means")
def _() -> Fitted:
    return fitted(make_pipeline(StandardScaler(), KMeans(5, n_init=3, random_state=0)), sensors())


@setup("flowers: Gaussian mixture")
def _() -> Fitted:
    return fitted(GaussianMixture(3, random_state=0), flowers())


@setup("customers: one-hot; XGBoost")
def _() -> Fitted:
    from xgboost import XGBClassifier

    table = customers()
    model = XGBClassifier(n_estimators=100, n_jobs=1)
    return fitted(
        make_pipeline(prepared(), model), table.where((table.target == "Yes").astype(int))
    )


@setup("customers: ordinal categories; LightGBM")
def _() -> Fitted:
    from lightgbm import LGBMClassifier

    return fitted(make_pipeline(_numbered(), LGBMClassifier(**_LIGHT)), customers())


@setup("loans: missing numbers left to LightGBM")
def _() -> Fitted:
    from lightgbm import LGBMClassifier

    table = loans().of("income amount term years_employed dti late_payments")
    return fitted(LGBMClassifier(**_LIGHT), table)


@setup("houses: ordinal categories; LightGBM regression")
def _() -> Fitted:
    from lightgbm import LGBMRegressor

    return fitted(make_pipeline(_numbered(), LGBMRegressor(**_LIGHT)), houses())


@setup("houses: missing numbers left to XGBoost regression")
def _() -> Fitted:
    from xgboost import XGBRegressor

    table = houses().of("area lot rooms built garage latitude longitude")
    return fitted(XGBRegressor(n_estimators=100, n_jobs=1), table)


_LIGHT: dict[str, Any] = {"n_estimators": 100, "verbose": -1, "n_jobs": 1}


def _numbered() -> Any:
    return prepared(
        "passthrough", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    ).set_output(transform="pandas")
