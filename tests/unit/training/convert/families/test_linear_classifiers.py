"""Linear classifiers equal scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    PassiveAggressiveClassifier,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklambda.session import INPUT, Session
from tests.support.proof import classes, numbers, prove
from tests.support.releases import cases
from training.convert import CONVERTERS
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Scope
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning"),
]


def stochastic(loss: str) -> SGDClassifier:
    return SGDClassifier(loss=loss, random_state=0)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(max_iter=200),
    "balanced, without intercept": lambda: LogisticRegression(
        class_weight="balanced", fit_intercept=False
    ),
    "saga": lambda: LogisticRegression(solver="saga", l1_ratio=0.5, max_iter=50),
    "logistic regression, cross-validated": lambda: LogisticRegressionCV(
        Cs=2, cv=2, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"
    ),
    "logistic loss": lambda: stochastic("log_loss"),
    "modified huber": lambda: stochastic("modified_huber"),
    "hinge": lambda: stochastic("hinge"),
    "squared hinge": lambda: stochastic("squared_hinge"),
    "perceptron's loss": lambda: stochastic("perceptron"),
    "squared error": lambda: stochastic("squared_error"),
    "huber": lambda: stochastic("huber"),
    "epsilon insensitive": lambda: stochastic("epsilon_insensitive"),
    "squared epsilon insensitive": lambda: stochastic("squared_epsilon_insensitive"),
    "averaged": lambda: SGDClassifier(average=True, random_state=0),
    "perceptron": lambda: Perceptron(),
    "passive-aggressive": lambda: PassiveAggressiveClassifier(random_state=0),
    "ridge": lambda: RidgeClassifier(),
    "ridge, cross-validated": lambda: RidgeClassifierCV(),
    "support vectors": lambda: LinearSVC(random_state=0),
    "support vectors after Crammer and Singer": lambda: LinearSVC(
        multi_class="crammer_singer", max_iter=200, random_state=0
    ),
}
SINCE = {
    "saga": "1.8",  # before, l1_ratio needs the penalty that is deprecated since
    "logistic regression, cross-validated": "1.8",
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("scaled", [False, True], ids=["raw", "scaled"])
@pytest.mark.parametrize("name", cases(CLASSIFIERS, SINCE))
def test_a_linear_classifier_equals_scikit_learn(name: str, scaled: bool, count: int) -> None:
    frame, classifier = numbers(), CLASSIFIERS[name]()
    pipeline = make_pipeline(StandardScaler(), classifier) if scaled else classifier

    prove(pipeline.fit(frame, classes(count)), frame)


def test_a_sparsified_classifier_equals_scikit_learn() -> None:
    frame = numbers()
    classifier = LogisticRegression().fit(frame, classes(3)).sparsify()

    prove(classifier, frame, full=True)


@pytest.mark.parametrize(
    ("loss", "count", "scores"),
    [
        ("log_loss", 2, "probability"),
        ("log_loss", 3, "probability"),
        ("modified_huber", 2, "probability"),
        ("modified_huber", 3, "probability"),
        ("hinge", 2, "decision"),
    ],
)
def test_a_loss_with_probabilities_is_served_by_them(loss: str, count: int, scores: str) -> None:
    frame = numbers()[["grid", "whole"]]
    classifier = stochastic(loss).fit(frame, classes(count))

    _, signature = Conversion(classifier, frame, kinds_of(frame)).convert()

    assert signature.target.scores == scores


@pytest.mark.parametrize("loss", cases(["log_loss", "modified_huber"], {"log_loss": "1.9"}))
def test_probabilities_of_one_class_against_the_rest_equal_scikit_learn(loss: str) -> None:
    X = StandardScaler().fit_transform(numbers())
    classifier = stochastic(loss).fit(X, classes(3))
    hard = np.concatenate([X, X * 10, X * 1e3, X * 1e30, X * 0.0])
    graph = Graph()
    inputs = Matrix(INPUT, (None,) * X.shape[1])
    outputs = Scope(graph, CONVERTERS).predict("model", classifier, inputs)

    assert outputs.probabilities is not None
    found = Session(graph.build(X.shape[1], outputs.probabilities)).run(hard)

    np.testing.assert_allclose(found, classifier.predict_proba(hard), rtol=0, atol=1e-9)


def test_several_labels_a_row_equal_scikit_learn() -> None:
    frame = numbers()
    labels = np.column_stack([classes(2), np.arange(len(frame)) % 2])

    prove(make_pipeline(StandardScaler(), RidgeClassifier()).fit(frame, labels), frame)


def test_a_loss_that_is_not_known_is_refused() -> None:
    frame = numbers()
    classifier = stochastic("hinge").fit(frame, classes(2)).set_params(loss="new")

    with pytest.raises(ConversionRefused, match=r"SGDClassifier\(loss='new'\)"):
        Conversion(classifier, frame, kinds_of(frame)).convert()
