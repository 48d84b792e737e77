"""Nearest neighbours equal scikit-learn also where distances tie, or are refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    NearestCentroid,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from sklambda.session import Session
from tests.support.proof import classes, mixed, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

NEIGHBORS: dict[str, dict[str, Any]] = {
    "default": {},
    "one": {"n_neighbors": 1},
    "many, small leaves": {"n_neighbors": 20, "leaf_size": 3},
    "one leaf": {"leaf_size": 400, "algorithm": "kd_tree"},
    "manhattan": {"p": 1},
    "chebyshev": {"metric": "chebyshev", "n_neighbors": 4},
    "by distance": {"weights": "distance"},
    "by distance, manhattan": {"weights": "distance", "metric": "manhattan"},
    "by distance, chebyshev": {"weights": "distance", "metric": "chebyshev", "n_neighbors": 3},
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", NEIGHBORS)
def test_a_classifier_equals_scikit_learn(name: str, count: int) -> None:
    frame = numbers(rows=200)
    pipeline = make_pipeline(StandardScaler(), KNeighborsClassifier(**NEIGHBORS[name]))

    prove(pipeline.fit(frame, classes(count, rows=200)), frame)


OTHER_SEARCHES: dict[str, dict[str, Any]] = {
    "minkowski": {"p": 3},
    "minkowski, by distance": {"p": 1.5, "weights": "distance"},
    "brute force": {"algorithm": "brute"},
    "brute force, manhattan": {"algorithm": "brute", "p": 1, "weights": "distance"},
}


@pytest.mark.parametrize("name", OTHER_SEARCHES)
def test_other_searches_equal_scikit_learn(name: str) -> None:
    frame = numbers(rows=100).drop(columns="constant")
    pipeline = make_pipeline(StandardScaler(), KNeighborsClassifier(**OTHER_SEARCHES[name]))

    prove(pipeline.fit(frame, classes(3, rows=100)), frame)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("name", NEIGHBORS)
def test_a_regressor_equals_scikit_learn(name: str, outputs: int) -> None:
    frame = numbers(rows=200)
    pipeline = make_pipeline(StandardScaler(), KNeighborsRegressor(**NEIGHBORS[name]))

    prove(pipeline.fit(frame, values(outputs, rows=200)), frame)


@pytest.mark.parametrize("shrink", [None, 0.5])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
def test_the_nearest_centroid_is_that_of_scikit_learn(
    scaled: bool, count: int, shrink: float | None
) -> None:
    frame = numbers(rows=200).drop(columns="constant")
    steps = [StandardScaler()] if scaled else []
    pipeline = make_pipeline(*steps, NearestCentroid(shrink_threshold=shrink))

    prove(pipeline.fit(frame, classes(count, rows=200)), frame)


@pytest.mark.parametrize("seed", range(4))
def test_brute_force_chooses_among_duplicates_as_scikit_learn_does(seed: int) -> None:
    generator = np.random.default_rng(seed)
    X = generator.integers(0, 4, (600, 2)).astype(float)  # more than one chunk of 256
    classifier = KNeighborsClassifier(7, algorithm="brute").fit(X, generator.integers(0, 3, 600))

    with threadpool_limits(limits=1):
        expected = classifier.predict_proba(X)
    found = Session(convert(classifier, [None] * 2).model).run(X)

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_duplicates_with_different_labels_are_chosen_as_scikit_learn_chooses() -> None:
    frame = numbers()[["whole"]]

    prove(KNeighborsClassifier(7, leaf_size=10).fit(frame, classes(3)), frame, full=True)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("seed", range(8))
def test_ties_on_a_grid_are_decided_as_scikit_learn_decides(
    metric: str, weights: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    rows, width, k = (int(generator.integers(*bounds)) for bounds in ((40, 300), (1, 5), (1, 12)))
    X = generator.integers(0, 6, (rows, width)).astype(float)
    regressor = KNeighborsRegressor(k, metric=metric, weights=weights, leaf_size=5 + seed)
    regressor.fit(X, generator.normal(size=rows))
    far = generator.normal(size=(80, width)) * 10.0 ** generator.integers(0, 20, (80, 1))
    queries = np.vstack([X, generator.integers(-2, 9, (80, width)), far])

    found = Session(convert(regressor, [None] * width).model).run(queries)[:, 0]

    np.testing.assert_allclose(found, regressor.predict(queries), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_ties_of_squares_that_float64_rounds_are_decided_as_scikit_learn_decides(seed: int) -> None:
    generator = np.random.default_rng(seed)
    X = generator.integers(0, 6, (200, 3)).astype(float)
    regressor = KNeighborsRegressor(5, leaf_size=10).fit(X, generator.normal(size=200))
    queries = X[:100].copy()
    queries[:, seed % 3] = generator.choice([-1e8, 1e8, 2.0**27 + 1, 94906267.0], 100)

    found = Session(convert(regressor, [None] * 3).model).run(queries)[:, 0]

    np.testing.assert_allclose(found, regressor.predict(queries), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("k", [3, 7, 8, 13, 15])
def test_classes_that_tie_but_for_the_rounding_are_decided_as_scikit_learn_decides(
    k: int, metric: str
) -> None:
    generator = np.random.default_rng(k)
    X = generator.integers(0, 6, (200, 3)).astype(float)
    fitted = KNeighborsClassifier(k, weights="distance", metric=metric, leaf_size=10)
    fitted.fit(X, generator.integers(0, 3, 200))
    lattice = np.stack(np.meshgrid(*[np.arange(-1.0, 7.0)] * 3), axis=-1).reshape(-1, 3)
    queries = np.concatenate([lattice, lattice + 0.5])

    found = Session(convert(fitted, [None] * 3).model).run(queries)

    np.testing.assert_array_equal(found.argmax(axis=1), fitted.predict(queries))
    np.testing.assert_allclose(found, fitted.predict_proba(queries), rtol=0, atol=1e-15)


def test_ties_of_more_neighbours_than_are_sorted_by_insertion_are_undecidable() -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.integers(0, 6, (250, 3)), columns=list("abc"))
    fitted = KNeighborsClassifier(16, weights="distance").fit(frame, generator.integers(0, 3, 250))

    report = prove(fitted, frame, rounds=True)

    assert report.undecidable > 0


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("p", [1, 2])
def test_neighbours_within_a_radius_equal_scikit_learn(p: int, count: int) -> None:
    frame = numbers(rows=80)[["grid", "whole"]].astype(float)
    near = RadiusNeighborsClassifier(1.0, p=p, outlier_label="most_frequent")

    prove(near.fit(frame, classes(count, rows=80)), frame)


def taxicab(one: Any, other: Any) -> Any:
    return np.abs(one - other).sum()


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "ball tree": (
        lambda: KNeighborsRegressor(algorithm="ball_tree"),
        "looks .* up by 'ball_tree'.*: fit it with algorithm='kd_tree'",
    ),
    "distances to itself": (
        lambda: KNeighborsClassifier(weights="distance", algorithm="brute"),
        "what rounding leaves of it: fit it with algorithm='kd_tree'",
    ),
    "cosine": (lambda: KNeighborsClassifier(metric="cosine"), r"'cosine'.*: set Normalizer\(\)"),
    "own metric": (lambda: KNeighborsClassifier(metric=taxicab), r"=taxicab\).*: use one of"),
    "own weights": (
        lambda: KNeighborsClassifier(weights=np.exp),
        r"\(weights=exp\).*: use weights=",
    ),
    "centroids, unlike priors": (lambda: NearestCentroid(priors=[0.3, 0.7]), "different priors"),
    "centroids, manhattan": (
        lambda: NearestCentroid("manhattan"),
        r"NearestCentroid\(metric='manhattan'\)",
    ),
    "radius": (
        lambda: RadiusNeighborsClassifier(9.0),
        r"outlier_label=None\).*: use outlier_label='most_frequent'",
    ),
    "radius, label of no class": (
        lambda: RadiusNeighborsClassifier(9.0, outlier_label=7),
        "none of its classes: use one of",
    ),
    "radius, by distance": (
        lambda: RadiusNeighborsClassifier(9.0, weights="distance"),
        r"weights='distance'\).*: use weights='uniform'",
    ),
    "radius, value": (
        lambda: RadiusNeighborsRegressor(9.0),
        "RadiusNeighborsRegressor has no exact .*: use KNeighborsRegressor",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    factory, reason = REFUSED[what]
    frame = numbers(rows=40)[["grid", "skewed"]]
    fitted = factory().fit(frame, classes(2, rows=40))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 2)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_several_labels_a_row_equal_scikit_learn(weights: str) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    labels = np.column_stack([classes(2, rows=80), classes(2, rows=80)[::-1]])

    prove(KNeighborsClassifier(weights=weights).fit(frame, labels), frame)


@pytest.mark.parametrize(
    "columns", [["plan", "colour"], ["whole"]], ids=["sparse", "whole numbers"]
)
def test_numpys_choice_among_equal_distances_is_refused(columns: list[str]) -> None:
    frame = mixed(missing=False, rows=40)[columns]
    encoder = OneHotEncoder() if "plan" in columns else "passthrough"
    pipeline = make_pipeline(encoder, KNeighborsClassifier(algorithm="brute"))
    fitted = pipeline.fit(frame, classes(2, rows=40))

    with pytest.raises(ConversionRefused, match=r"numpy's, another on each .*: fit it with"):
        Conversion(fitted, frame, kinds_of(frame)).convert()
