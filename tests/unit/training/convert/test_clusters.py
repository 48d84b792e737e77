"""Distances to the centres of clusters equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.cluster import DBSCAN, Birch, BisectingKMeans, KMeans, MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.proof import classes, numbers, prove
from training.convert import convert
from training.draft import Draft
from training.errors import ConversionRefused
from training.frames import kinds_of

CLUSTERS: dict[str, Callable[[], Any]] = {
    "k-means": lambda: KMeans(4, n_init=2, random_state=0),
    "elkan": lambda: KMeans(3, algorithm="elkan", n_init=1, random_state=0),
    "one cluster": lambda: KMeans(1, n_init=1, random_state=0),
    "mini-batch": lambda: MiniBatchKMeans(4, n_init=2, random_state=0),
    "bisecting": lambda: BisectingKMeans(4, random_state=0),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", CLUSTERS)
def test_distances_to_clusters_equal_scikit_learn(name: str, count: int) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLUSTERS[name](), LogisticRegression(max_iter=5000))

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("name", CLUSTERS)
def test_clusters_alone_predict_nothing(name: str) -> None:
    frame = numbers()
    fitted = CLUSTERS[name]().fit(StandardScaler().fit_transform(frame))

    with pytest.raises(ConversionRefused, match="predicts nothing"):
        Draft(fitted, frame, kinds_of(frame)).convert(None, None)


@pytest.mark.parametrize("estimator", [Birch(), DBSCAN(), GaussianMixture()])
def test_what_is_no_step_of_a_pipeline_is_refused_by_name(estimator: Any) -> None:
    fitted = estimator.fit(numbers())

    with pytest.raises(ConversionRefused, match=f"{type(estimator).__name__} has no exact"):
        convert(fitted, [None] * 6)
