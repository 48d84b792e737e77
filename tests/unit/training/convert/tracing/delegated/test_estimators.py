"""Fitted estimators that the user's own transformer calls are converted with it."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from tests.support.proof import classes, mixed, prove
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

NUMBERS: Final = ["grid", "skewed", "whole"]


class Own(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    def fit(self, X: pd.DataFrame, y: Any = None) -> "Own":
        self.medians_ = X[NUMBERS].median()
        self.inner_ = self.inner().fit(self.filled(X))
        return self

    def filled(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[NUMBERS].fillna(self.medians_)

    def inner(self) -> Any:
        return StandardScaler()

    def transform(self, X: pd.DataFrame) -> Any:
        return self.inner_.transform(self.filled(X))


class Joined(Own):
    def fit(self, X: pd.DataFrame, y: Any = None) -> "Joined":
        super().fit(X)
        self.encoder_ = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        self.encoder_.fit(X[["colour", "plan"]])
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        coded = self.encoder_.transform(X[["colour", "plan"]])
        return np.hstack([self.inner_.transform(self.filled(X)), coded])


class Assigned(Own):
    def fit(self, X: pd.DataFrame, y: Any = None) -> "Assigned":
        super().fit(X)
        self.imputers_ = {"colour": SimpleImputer(strategy="most_frequent").fit(X[["colour"]])}
        self.codes_ = LabelEncoder().fit(["b", "a"])
        return self

    def inner(self) -> Any:
        return make_pipeline(StandardScaler(), PCA(2))

    def transform(self, X: pd.DataFrame) -> Any:
        made = self.filled(X)
        made[["first", "second"]] = self.inner_.transform(made)
        colour = self.imputers_["colour"].transform(X[["colour"]])
        return made.assign(red=colour[:, 0] == "red", plan=self.codes_.transform(X["plan"]))


class Clustered(Own):
    def inner(self) -> Any:
        return KMeans(3, n_init=1, random_state=0)

    def transform(self, X: pd.DataFrame) -> Any:
        made = self.filled(X)
        apart = pd.DataFrame(self.inner_.transform(made), index=X.index).add_prefix("to")
        return made.assign(cluster=self.inner_.predict(made)).join(apart)


class Near(Clustered):
    def transform(self, X: pd.DataFrame) -> Any:
        return rbf_kernel(self.filled(X), self.inner_.cluster_centers_, gamma=0.1)


@pytest.mark.parametrize("own", [Own, Joined, Assigned, Clustered, Near])
def test_the_answers_of_an_estimator_inside_equal_scikit_learn(own: type) -> None:
    frame = mixed()
    last = RandomForestClassifier(5, random_state=0) if own is Own else LogisticRegression()

    prove(make_pipeline(own(), last).fit(frame, classes(2)), frame)


class Unconverted(Own):
    def inner(self) -> Any:
        return NearestNeighbors()

    def transform(self, X: pd.DataFrame) -> Any:
        return self.inner_.kneighbors(self.filled(X))[0]


def test_an_estimator_inside_without_a_conversion_is_refused_at_its_line() -> None:
    frame = mixed()
    pipeline = make_pipeline(Unconverted(), LogisticRegression()).fit(frame, classes(2))

    with pytest.raises(ConversionRefused, match=r"test_estimators.py:\d+ `return self.inner_.kne"):
        Conversion(pipeline, frame, kinds_of(frame)).convert()
