"""Projected columns equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import FeatureAgglomeration
from sklearn.decomposition import (
    PCA,
    DictionaryLearning,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchDictionaryLearning,
    SparseCoder,
    TruncatedSVD,
)
from sklearn.ensemble import HistGradientBoostingClassifier, RandomTreesEmbedding
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from tests.support.proof import classes, numbers, prove
from training.convert import convert
from training.errors import ConversionRefused

PROJECTIONS: dict[str, Callable[[], Any]] = {
    "principal components": lambda: PCA(),
    "principal components, white": lambda: PCA(2, whiten=True),
    "principal components, share": lambda: PCA(0.9, svd_solver="full"),
    "incremental": lambda: IncrementalPCA(2, batch_size=50),
    "incremental, white": lambda: IncrementalPCA(2, whiten=True),
    "singular values": lambda: TruncatedSVD(2, random_state=0),
    "singular values, arpack": lambda: TruncatedSVD(2, algorithm="arpack", random_state=0),
    "factors": lambda: FactorAnalysis(2, tol=0.1),
    "factors, rotated": lambda: FactorAnalysis(2, tol=0.1, rotation="varimax"),
    "independent components": lambda: FastICA(2, random_state=0, max_iter=2000),
    "independent, not white": lambda: FastICA(whiten=False, random_state=0, tol=0.5, max_iter=3000),
    "random projection": lambda: GaussianRandomProjection(3, random_state=0),
    "sparse random projection": lambda: SparseRandomProjection(3, random_state=0),
    "sparse random projection, dense": lambda: SparseRandomProjection(
        3, density=0.5, dense_output=True, random_state=0
    ),
    "means of like columns": lambda: FeatureAgglomeration(2),
}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_a_projection_equals_scikit_learn(name: str) -> None:
    frame = numbers().drop(columns=["constant"])
    model = LogisticRegression(solver="newton-cholesky")
    pipeline = make_pipeline(StandardScaler(), PROJECTIONS[name](), model)

    prove(pipeline.fit(frame, classes(3)), frame, full=name == next(iter(PROJECTIONS)))


@pytest.mark.parametrize("groups", [2, 4])
def test_means_of_like_columns_are_those_that_trees_compare(groups: int) -> None:
    frame = numbers()
    trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)

    prove(make_pipeline(FeatureAgglomeration(groups), trees).fit(frame, classes(2)), frame)


def test_another_summary_of_like_columns_is_refused() -> None:
    fitted = FeatureAgglomeration(2, pooling_func=np.median).fit(numbers())

    with pytest.raises(ConversionRefused, match=r"FeatureAgglomeration\(pooling_func=median\)"):
        convert(fitted, [None] * 6)


CODES: dict[str, Callable[[], Any]] = {
    "hidden units": lambda: BernoulliRBM(4, random_state=0),
    "a dictionary": lambda: SparseCoder(
        np.array([[1.0, 0.2], [0.3, 1.0]]), transform_algorithm="threshold", split_sign=True
    ),
    "a learnt dictionary": lambda: MiniBatchDictionaryLearning(
        2, transform_algorithm="threshold", random_state=0, max_iter=20
    ),
    "leaves of random trees": lambda: RandomTreesEmbedding(4, max_depth=3, random_state=0),
}


@pytest.mark.parametrize("name", CODES)
def test_a_code_equals_scikit_learn(name: str) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    pipeline = make_pipeline(MinMaxScaler(), CODES[name](), LogisticRegression())

    prove(pipeline.fit(frame, classes(2, rows=80)), frame)


def test_a_code_by_pursuit_is_refused_with_a_remedy() -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    fitted = DictionaryLearning(2, max_iter=5, random_state=0).fit(frame)

    with pytest.raises(ConversionRefused, match=r"'omp'.*: use transform_algorithm='threshold'"):
        convert(fitted, [None] * 2)


def test_steps_that_do_not_fit_each_other_are_refused() -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    coded = DictionaryLearning(
        2, transform_algorithm="threshold", split_sign=True, max_iter=5, random_state=0
    )
    fitted = make_pipeline(coded, LogisticRegression()).fit(frame, classes(2, rows=80))

    with pytest.raises(ConversionRefused, match=r"fitted on 2 columns and .* make 4: use steps"):
        convert(fitted, [None] * 2)
