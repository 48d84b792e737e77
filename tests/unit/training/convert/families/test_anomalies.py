"""Decisions about anomalies equal scikit-learn, or are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from tests.support.proof import numbers, prove
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion


def forest(**parameters: Any) -> IsolationForest:
    return IsolationForest(n_estimators=10, random_state=0, **parameters)


def local(k: int = 20, **parameters: Any) -> LocalOutlierFactor:
    return LocalOutlierFactor(k, novelty=True, **parameters)


def stochastic(**parameters: Any) -> SGDOneClassSVM:
    return SGDOneClassSVM(random_state=0, **parameters)


DETECTORS: dict[str, Callable[[], Any]] = {
    "forest": forest,
    "forest, share given": lambda: forest(contamination=0.1),
    "forest, some columns": lambda: forest(max_features=0.5),
    "forest, rows drawn twice": lambda: forest(bootstrap=True, max_samples=0.5, max_features=3),
    "forest, pairs": lambda: forest(max_samples=2),
    "kernels": lambda: OneClassSVM(nu=0.2),
    "kernels, linear": lambda: OneClassSVM(kernel="linear"),
    "kernels, polynomial": lambda: OneClassSVM(kernel="poly", degree=2, coef0=1, gamma="auto"),
    "kernels, sigmoid": lambda: OneClassSVM(kernel="sigmoid", nu=0.1),
    "stochastic": stochastic,
    "stochastic, averaged": lambda: stochastic(average=True, fit_intercept=False, nu=0.2),
    "envelope": lambda: EllipticEnvelope(random_state=0),
    "envelope, precision not kept": lambda: EllipticEnvelope(
        store_precision=False, assume_centered=True, support_fraction=0.8, random_state=0
    ),
    "local": local,
    "local, manhattan": lambda: local(5, p=1),
    "local, chebyshev": lambda: local(3, metric="chebyshev", leaf_size=5),
    "local, share given": lambda: local(5, contamination=0.1),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_a_decision_equals_scikit_learn(name: str) -> None:
    frame = numbers(rows=120)[["grid", "large", "whole"]]

    prove(make_pipeline(StandardScaler(), DETECTORS[name]()).fit(frame), frame)


LARGE = ("forest", "kernels", "kernels, linear", "envelope", "local")


@pytest.mark.filterwarnings("ignore:Determinant has increased")
@pytest.mark.parametrize("name", LARGE)
def test_a_decision_of_large_numbers_equals_scikit_learn(name: str) -> None:
    frame = numbers(rows=150)[["grid", "large", "tiny", "whole"]]

    prove(DETECTORS[name]().fit(frame), frame, rounds=name == "kernels, linear")


def test_a_forest_follows_missing_values_as_scikit_learn() -> None:
    frame = numbers(missing=True, rows=120)

    prove(forest(max_features=4).fit(frame), frame, full=True)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=20, random_state=0),
        EllipticEnvelope(random_state=0),
        LocalOutlierFactor(5, novelty=True),
    ],
    ids=["forest", "envelope", "local"],
)
def test_a_row_on_the_threshold_is_no_anomaly(detector: Any, share: float) -> None:
    # Of 101 rows the share is a whole number: the offset is the score of one of them.
    frame = numbers(rows=101)[["grid", "skewed"]]

    prove(detector.set_params(contamination=share).fit(frame), frame)


def test_local_ties_on_a_grid_are_decided_as_scikit_learn_decides() -> None:
    frame = numbers(rows=150)[["whole", "grid"]]

    prove(local(7).fit(frame), frame)


def test_the_classes_are_minus_one_and_one() -> None:
    frame = numbers(rows=60)
    conversion = Conversion(forest().fit(frame), frame, kinds_of(frame))

    target = conversion.convert()[1].target

    assert target.task == "anomaly"
    assert target.scores == "decision"
    assert target.classes == (-1, 1)


REFUSED: dict[str, tuple[Any, str]] = {
    "trees of one row": (forest(max_samples=1), "trees of one row"),
    "of training rows only": (LocalOutlierFactor(5), r"LocalOutlierFactor\(novelty=False\)"),
    "ball tree": (local(5, algorithm="ball_tree"), "looks .* up by 'ball_tree'"),
    "kernel of its own": (OneClassSVM(kernel=lambda x, y: x @ y.T), r"OneClassSVM\(kernel="),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    estimator, reason = REFUSED[what]
    fitted = estimator.fit(numbers(rows=40))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 6)
