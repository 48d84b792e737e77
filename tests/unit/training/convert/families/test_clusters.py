"""Clusters, and the distances to their centres, equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.cluster import (
    DBSCAN,
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.proof import classes, numbers, prove
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

CLUSTERS: dict[str, Callable[[], Any]] = {
    "k-means": lambda: KMeans(4, n_init=2, random_state=0),
    "elkan": lambda: KMeans(3, algorithm="elkan", n_init=1, random_state=0),
    "one cluster": lambda: KMeans(1, n_init=1, random_state=0),
    "mini-batch": lambda: MiniBatchKMeans(4, n_init=2, random_state=0),
    "bisecting": lambda: BisectingKMeans(4, random_state=0),
    "bisecting, by size": lambda: BisectingKMeans(
        5, bisecting_strategy="largest_cluster", copy_x=False, random_state=0
    ),
    "bisecting, one cluster": lambda: BisectingKMeans(1, random_state=0),
}
CENTRES: dict[str, Callable[[], Any]] = {
    "birch": lambda: Birch(),
    "birch, as many as there are": lambda: Birch(n_clusters=None, threshold=2),
    "mean shift": lambda: MeanShift(bandwidth=3),
    "affinity propagation": lambda: AffinityPropagation(damping=0.9, max_iter=1000, random_state=0),
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_distances_to_clusters_equal_scikit_learn(name: str) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLUSTERS[name](), LogisticRegression(max_iter=5000))

    prove(pipeline.fit(frame, classes(3)), frame, full=name == next(iter(CLUSTERS)))


@pytest.mark.parametrize("name", [*CLUSTERS, *CENTRES])
def test_clusters_equal_scikit_learn(name: str) -> None:
    frame = numbers()[["grid", "large", "constant"]]

    prove((CLUSTERS | CENTRES)[name]().fit(frame), frame)


@pytest.mark.parametrize("name", ["k-means", "bisecting", "birch", "affinity propagation"])
def test_clusters_of_scaled_numbers_equal_scikit_learn(name: str) -> None:
    frame = numbers(rows=150)
    pipeline = make_pipeline(StandardScaler(), (CLUSTERS | CENTRES)[name]())

    prove(pipeline.fit(frame), frame)


def test_the_classes_are_the_numbers_of_the_clusters() -> None:
    frame = numbers()
    conversion = Conversion(KMeans(3, n_init=1, random_state=0).fit(frame), frame, kinds_of(frame))

    target = conversion.convert()[1].target

    assert target.task == "clustering"
    assert target.scores == "label"
    assert target.classes == (0, 1, 2)


REFUSED: dict[str, tuple[Any, str]] = {
    "no predictor": (DBSCAN(), "DBSCAN has no exact"),
    "no clusters": (AffinityPropagation(max_iter=1), "not converged"),
    "no cluster for some": (Birch(n_clusters=DBSCAN(eps=1e-9)), "not numbered from 0"),
}


@pytest.mark.filterwarnings("ignore:Affinity propagation did not converge")
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    estimator, reason = REFUSED[what]
    fitted = estimator.fit(numbers(rows=60))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 6)
