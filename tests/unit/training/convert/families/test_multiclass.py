"""Several classes or labels out of several estimators, as scikit-learn combines them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklambda.session import Session
from tests.support.proof import classes, numbers, prove
from tests.support.releases import since
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def boosting() -> Any:
    model = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


def linear() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression())


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


def test_saturated_probabilities_lean_to_the_label_of_the_decisions() -> None:
    rest = OneVsRestClassifier(logistic()).fit(numbers(), classes(3))

    model, signature = Conversion(rest, numbers(), kinds_of(numbers())).convert()
    found = Session(model).run(1e3 * numbers().to_numpy(dtype=np.float64))

    assert signature.target.scores == "probability"
    expected = rest.predict(1e3 * numbers())
    np.testing.assert_array_equal(rest.classes_[found.argmax(axis=1)], expected)


ALONE: dict[str, Callable[[], Any]] = {
    "nearest code": lambda: OutputCodeClassifier(logistic(), code_size=2, random_state=0),
    "nearest code, probabilities": lambda: OutputCodeClassifier(
        GaussianNB(), code_size=2, random_state=0
    ),
    "nearest code, trees": lambda: OutputCodeClassifier(boosting(), code_size=3, random_state=1),
    "greatest value": lambda: OneVsRestClassifier(linear()),
}


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("what", ALONE)
def test_labels_without_scores_equal_scikit_learn(what: str, count: int) -> None:
    prove(ALONE[what]().fit(numbers(), classes(count)), numbers())


@since("1.9", "it warns of SVC(probability=True)")
def test_probabilities_that_are_refused_leave_the_decision() -> None:
    rest = OneVsRestClassifier(make_pipeline(StandardScaler(), SVC(probability=True)))

    with pytest.warns(FutureWarning, match="probability"):
        rest.fit(numbers(), classes(3))

    prove(rest, numbers(), full=True)


@since("1.8", "of another fit, labels are refused that one rounding of the probabilities decides")
def test_perceptrons_against_the_rest_equal_scikit_learn() -> None:
    perceptron = MLPClassifier((5,), max_iter=50, tol=1.0, random_state=0)

    prove(
        OneVsRestClassifier(make_pipeline(StandardScaler(), perceptron)).fit(numbers(), classes(3)),
        numbers(),
    )


def several_labels() -> Any:
    return np.column_stack([classes(2), np.arange(300) % 2])


LABELS: dict[str, Callable[[], Any]] = {
    "probabilities": logistic,
    "trees": boosting,
    "decisions": lambda: make_pipeline(StandardScaler(), LinearSVC()),
    "values": linear,
    "thresholds, which are ignored": lambda: FixedThresholdClassifier(logistic(), threshold=0.9),
}


@pytest.mark.parametrize("what", LABELS)
def test_several_labels_a_row_equal_scikit_learn(what: str) -> None:
    prove(OneVsRestClassifier(LABELS[what]()).fit(numbers(), several_labels()), numbers())


REFUSED: dict[str, tuple[Callable[[], Any], Any, str]] = {
    "two classes and probabilities only": (
        lambda: OneVsOneClassifier(GaussianNB()),
        classes(2),
        "two classes and no decision_function",
    ),
    "a label that each row has": (
        lambda: OneVsRestClassifier(LogisticRegression()),
        np.column_stack([np.ones(300, dtype=int), classes(2)]),
        "a label that each row has",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.filterwarnings("ignore:Label .* is present in all:UserWarning")
def test_what_cannot_be_exact_is_refused(what: str) -> None:
    factory, target, reason = REFUSED[what]
    fitted = make_pipeline(StandardScaler(), factory()).fit(numbers(), target)

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()
