"""Several classes or outputs out of several estimators, as scikit-learn combines them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.proof import classes, numbers, prove, values
from training.draft import Draft
from training.errors import ConversionRefused
from training.frames import kinds_of


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def boosting() -> Any:
    model = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


def linear() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression())


def boosted_values() -> Any:
    model = HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "one against the rest": lambda: OneVsRestClassifier(logistic()),
    "one against the rest, trees": lambda: OneVsRestClassifier(boosting()),
    "one against the rest, probabilities only": lambda: OneVsRestClassifier(GaussianNB()),
    "one against one": lambda: OneVsOneClassifier(logistic()),
    "one against one, trees": lambda: OneVsOneClassifier(boosting()),
    "after a scaler": lambda: make_pipeline(
        StandardScaler(), OneVsRestClassifier(LogisticRegression())
    ),
    "probabilities within a vote": lambda: VotingClassifier(
        [("rest", OneVsRestClassifier(logistic())), ("bayes", GaussianNB())], voting="soft"
    ),
    "decisions within a calibration": lambda: CalibratedClassifierCV(
        OneVsOneClassifier(logistic()), cv=2
    ),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(what: str, count: int) -> None:
    prove(CLASSIFIERS[what]().fit(numbers(), classes(count)), numbers())


@pytest.mark.parametrize("count", [3, 4])
def test_votes_of_probabilities_equal_scikit_learn(count: int) -> None:
    prove(OneVsOneClassifier(GaussianNB()).fit(numbers(), classes(count)), numbers())


def test_decisions_give_the_label_where_probabilities_are_saturated() -> None:
    rest = OneVsRestClassifier(logistic()).fit(numbers(), classes(3))

    _, signature = Draft(rest, numbers(), kinds_of(numbers())).convert(None, None)

    assert signature.target.scores == "decision"


REGRESSORS: dict[str, Callable[[], Any]] = {
    "outputs": lambda: MultiOutputRegressor(linear()),
    "outputs of trees": lambda: MultiOutputRegressor(boosted_values()),
    "chain": lambda: RegressorChain(linear()),
    "chain in an order": lambda: RegressorChain(linear(), order=[2, 0, 1]),
    "chain of trees": lambda: RegressorChain(boosted_values(), order=[1, 2, 0], cv=2),
    "chain at random": lambda: RegressorChain(linear(), order="random", random_state=3),
}


@pytest.mark.parametrize("what", REGRESSORS)
def test_several_outputs_equal_scikit_learn(what: str) -> None:
    prove(REGRESSORS[what]().fit(numbers(), values(3)), numbers())


def test_one_output_equals_scikit_learn() -> None:
    prove(MultiOutputRegressor(linear()).fit(numbers(), values()[:, None]), numbers())


def several_labels() -> Any:
    return np.column_stack([classes(2), np.arange(300) % 2])


REFUSED: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "two classes and probabilities only": (
        lambda: OneVsOneClassifier(GaussianNB()),
        classes(2),
        "two classes and no decision_function",
    ),
    "several labels": (
        lambda: OneVsRestClassifier(LogisticRegression()),
        several_labels(),
        "several labels a row",
    ),
    "codes": (
        lambda: OutputCodeClassifier(LogisticRegression(), random_state=0),
        classes(3),
        "OutputCodeClassifier has no exact conversion",
    ),
    "several targets": (
        lambda: MultiOutputClassifier(LogisticRegression()),
        several_labels(),
        "MultiOutputClassifier has no exact conversion",
    ),
    "chain of labels": (
        lambda: ClassifierChain(LogisticRegression()),
        several_labels(),
        "ClassifierChain has no exact conversion",
    ),
    "classifier for a value": (
        lambda: MultiOutputRegressor(LogisticRegression()),
        several_labels(),
        "LogisticRegression.predict has no exact conversion",
    ),
    "regressor for a class": (
        lambda: OneVsRestClassifier(LinearRegression()),
        classes(3),
        "gives no scores|no exact conversion",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused(what: str) -> None:
    factory, target, reason = REFUSED[what]
    fitted = make_pipeline(StandardScaler(), factory()).fit(numbers(), target)

    with pytest.raises(ConversionRefused, match=reason):
        Draft(fitted, numbers(), kinds_of(numbers())).convert(None, None)
