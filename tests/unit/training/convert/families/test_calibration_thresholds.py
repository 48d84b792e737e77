"""Calibrated probabilities equal scikit-learn's, and a threshold gives its labels."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    PredefinedSplit,
    TunedThresholdClassifierCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklambda.session import Session
from tests.support.proof import classes, numbers, prove, values
from tests.support.releases import cases
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

# A knot can lie so far out that the gate cannot write its neighbours in float32.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
type Outside = Literal["nan", "clip", "raise"]
OUTSIDE: tuple[Outside, ...] = ("nan", "clip", "raise")


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def boosting() -> Any:
    model = HistGradientBoostingClassifier(max_iter=5, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


def bayes() -> Any:  # it has no decision_function
    return make_pipeline(StandardScaler(), GaussianNB())


METHODS = cases(["sigmoid", "isotonic", "temperature"], {"temperature": "1.8"})


def frozen(count: int, method: str) -> CalibratedClassifierCV:
    fitted = FrozenEstimator(logistic().fit(numbers(), classes(count)))
    return CalibratedClassifierCV(fitted, method=method)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("inner", [logistic, boosting])
def test_a_calibration_of_decisions_equals_scikit_learn(
    inner: Callable[[], Any], method: str, count: int
) -> None:
    estimator = CalibratedClassifierCV(inner(), method=method, cv=2)

    prove(estimator.fit(numbers(), classes(count)), numbers())


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_calibration_of_probabilities_equals_scikit_learn(method: str, count: int) -> None:
    whole = numbers()[["whole"]]  # a magnitude beyond which scikit-learn refuses is not tried
    estimator = CalibratedClassifierCV(GaussianNB(), method=method, cv=2)

    prove(estimator.fit(whole, classes(count)), whole)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_calibration_without_folds_equals_scikit_learn(method: str, count: int) -> None:
    estimator = CalibratedClassifierCV(logistic(), method=method, cv=2, ensemble=False)

    prove(estimator.fit(numbers(), classes(count)), numbers())
    prove(frozen(count, method).fit(numbers(), classes(count)), numbers())


def test_an_isotonic_calibration_is_equal_to_the_last_bit_at_its_knots() -> None:
    """Probabilities on one plateau are equal, and their order alone gives the label."""
    calibrated = frozen(2, "isotonic").fit(numbers(), classes(2))
    inner = calibrated.calibrated_classifiers_[0].calibrators[0]
    line = LogisticRegression()
    line.classes_, line.n_features_in_ = np.array([0, 1]), 1
    line.coef_, line.intercept_ = np.array([[1.0]]), np.array([0.0])
    calibrated.calibrated_classifiers_[0].estimator = line
    knots = inner.X_thresholds_
    near = [np.nextafter(knots, -np.inf), knots, np.nextafter(knots, np.inf), knots - 9, knots + 9]
    X = np.concatenate(near)[:, None]

    converted = convert(calibrated, [None])

    np.testing.assert_array_equal(Session(converted.model).run(X), calibrated.predict_proba(X))


def test_an_isotonic_calibration_of_one_value_is_constant() -> None:
    frame = numbers()[["constant"]]
    estimator = CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2)

    prove(estimator.fit(frame, np.arange(len(frame)) % 2), frame, full=True)


THRESHOLDS: dict[str, Callable[[], Any]] = {
    "fixed": lambda: FixedThresholdClassifier(logistic(), threshold=0.3),
    "the second class by name": lambda: FixedThresholdClassifier(
        logistic(), threshold=0.3, pos_label="yes"
    ),
    "a half": lambda: FixedThresholdClassifier(logistic()),
    "never": lambda: FixedThresholdClassifier(boosting(), threshold=1.0),
    "in a pipeline": lambda: make_pipeline(
        StandardScaler(), FixedThresholdClassifier(LogisticRegression(), threshold=0.7)
    ),
    "tuned": lambda: TunedThresholdClassifierCV(logistic(), cv=2),
    "tuned on a part": lambda: TunedThresholdClassifierCV(
        boosting(), cv=0.5, refit=False, random_state=0, thresholds=[0.21, 0.4, 0.6]
    ),
    "tuned for the second class": lambda: TunedThresholdClassifierCV(
        logistic(), scoring=make_scorer(f1_score, pos_label="yes"), cv=2
    ),
    "of a decision": lambda: FixedThresholdClassifier(
        logistic(), threshold=-0.4, response_method="decision_function"
    ),
    "of a decision, 0": lambda: FixedThresholdClassifier(
        boosting(), response_method="decision_function"
    ),
    "of the only scores": lambda: FixedThresholdClassifier(
        make_pipeline(StandardScaler(), LinearSVC()), threshold=0.2
    ),
    "tuned on decisions": lambda: TunedThresholdClassifierCV(
        logistic(), response_method="decision_function", cv=2
    ),
    "within a threshold": lambda: FixedThresholdClassifier(
        FixedThresholdClassifier(logistic(), threshold=0.9), threshold=0.4
    ),
    "of calibrated probabilities": lambda: FixedThresholdClassifier(
        CalibratedClassifierCV(logistic(), cv=2), threshold=0.4
    ),
}


def two() -> Any:
    return np.array(["no", "yes"], dtype=object)[classes(2)]


@pytest.mark.parametrize("what", THRESHOLDS)
def test_a_threshold_gives_the_labels_of_scikit_learn(what: str) -> None:
    prove(THRESHOLDS[what]().fit(numbers(), two()), numbers())


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "first class": (
        lambda: FixedThresholdClassifier(logistic(), pos_label="no"),
        "FixedThresholdClassifier has a threshold of the first class, 'no'",
    ),
    "tuned for the first class": (
        lambda: TunedThresholdClassifierCV(
            logistic(), scoring=make_scorer(f1_score, pos_label="no"), cv=2
        ),
        "TunedThresholdClassifierCV has a threshold of the first class, 'no'",
    ),
    "above 1": (
        lambda: FixedThresholdClassifier(logistic(), threshold=1.5),
        "has the threshold 1.5, which is no probability",
    ),
    "infinite": (
        lambda: FixedThresholdClassifier(logistic(), threshold=np.inf),
        "has the threshold inf",
    ),
    "infinite decision": (
        lambda: FixedThresholdClassifier(
            logistic(), threshold=np.inf, response_method="decision_function"
        ),
        "has the threshold inf, which no decision reaches",
    ),
    "a fold that has not met a class": (
        lambda: CalibratedClassifierCV(
            logistic(), cv=PredefinedSplit(np.r_[np.zeros(290), np.ones(10)])
        ),
        "a fold, 1, without all classes",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_at_its_place(what: str) -> None:
    factory, reason = REFUSED[what]
    labels = two()
    if what == "a fold that has not met a class":
        labels = np.r_[["no", "yes"] * 145, ["no", "yes", "later", "later", "no"] * 2]
    fitted = make_pipeline(StandardScaler(), factory()).fit(numbers(), labels)

    with pytest.raises(ConversionRefused, match=rf"^\w+: .*{reason}"):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("column", ["grid", "whole", "constant"])
def test_a_value_equals_scikit_learn(column: str, outside: Outside) -> None:
    frame = numbers(rows=100)[[column]]
    regressor = IsotonicRegression(out_of_bounds=outside)

    prove(regressor.fit(frame, values(rows=100)), frame, full=outside == next(iter(OUTSIDE)))


@pytest.mark.parametrize(
    "parameters",
    [{"increasing": False}, {"increasing": "auto"}, {"y_min": 2, "y_max": 5}],
    ids=["falling", "either way", "within bounds"],
)
def test_what_is_fitted_equals_scikit_learn(parameters: dict[str, Any]) -> None:
    frame = numbers()[["skewed"]]
    pipeline = make_pipeline(StandardScaler(), IsotonicRegression(**parameters))

    prove(pipeline.fit(frame, values()), frame)
