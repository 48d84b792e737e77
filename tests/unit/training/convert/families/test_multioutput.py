"""Several targets equal scikit-learn, each with its own classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

import training
from sklambda.predictor import Predictor
from tests.support.proof import classes, numbers, prove, values
from training.errors import ConversionRefused
from training.frames import client_rows, kinds_of
from training.proof.conversion import Conversion


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def boosting() -> Any:
    model = HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


def support() -> Any:
    return make_pipeline(StandardScaler(), LinearSVC())


def linear() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression())


def boosted_values() -> Any:
    model = HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=5, random_state=0)
    return make_pipeline(StandardScaler(), model)


def words() -> Any:
    """Return two targets of three and two classes."""
    size = np.where(numbers()["whole"] > 5, "big", "a very small one")
    return np.column_stack([classes(3), size]).astype(object)


def counts() -> Any:
    """Return three targets of three, two and four classes, no two of them alike."""
    codes = np.unique(classes(3), return_inverse=True)[1]
    return np.column_stack([codes + 5, classes(2), np.arange(300) % 4 * 7 - 3])


def flags() -> Any:
    whole = numbers()["whole"].to_numpy()
    return np.column_stack([classes(2), np.arange(300) % 2, (whole > 6).astype(int)])


SEVERAL: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "lines": (lambda: MultiOutputClassifier(logistic()), words, "probability"),
    "boosted trees": (lambda: MultiOutputClassifier(boosting()), counts, "probability"),
    "decisions": (lambda: MultiOutputClassifier(support()), words, "label"),
    "votes of pairs": (
        lambda: MultiOutputClassifier(make_pipeline(StandardScaler(), SVC(gamma=2.0))),
        counts,
        "label",
    ),
    "hard votes": (
        lambda: MultiOutputClassifier(VotingClassifier([("a", logistic()), ("b", boosting())])),
        words,
        "label",
    ),
    "thresholds": (
        lambda: MultiOutputClassifier(FixedThresholdClassifier(logistic(), threshold=0.3)),
        flags,
        "probability",
    ),
    "thresholds of decisions": (
        lambda: MultiOutputClassifier(FixedThresholdClassifier(support(), threshold=0.3)),
        flags,
        "label",
    ),
    "one target": (
        lambda: MultiOutputClassifier(logistic()),
        lambda: words()[:, :1],
        "probability",
    ),
    "in a pipeline": (
        lambda: make_pipeline(StandardScaler(), MultiOutputClassifier(LogisticRegression())),
        counts,
        "probability",
    ),
    "in a search": (
        lambda: GridSearchCV(
            MultiOutputClassifier(LogisticRegression(max_iter=500)), {"estimator__C": [0.1]}, cv=2
        ),
        flags,
        "probability",
    ),
    "chain": (lambda: ClassifierChain(logistic()), flags, "probability"),
    "chain in an order": (
        lambda: ClassifierChain(logistic(), order=[2, 0, 1]),
        lambda: flags() * [1, 2, 3] + [0, 1, 7],
        "probability",
    ),
    "chain of trees at random": (
        lambda: ClassifierChain(boosting(), order="random", random_state=1),
        flags,
        "probability",
    ),
    "chain of probabilities": (
        lambda: ClassifierChain(logistic(), chain_method="predict_proba", order=[1, 2, 0]),
        flags,
        "probability",
    ),
    "chain of decisions": (
        lambda: ClassifierChain(logistic(), chain_method="decision_function", cv=2),
        flags,
        "probability",
    ),
    "chain without probabilities": (
        lambda: ClassifierChain(support(), order=(1, 0, 2)),
        flags,
        "decision",
    ),
    "chain of more classes": (
        lambda: ClassifierChain(logistic(), order=[2, 0, 1]),
        counts,
        "label",
    ),
    "tree": (lambda: DecisionTreeClassifier(max_depth=5, random_state=0), words, "probability"),
    "random tree": (lambda: ExtraTreeClassifier(random_state=0), counts, "probability"),
    "forest": (lambda: RandomForestClassifier(4, random_state=0), counts, "probability"),
    "random forest": (lambda: ExtraTreesClassifier(4, random_state=0), words, "probability"),
    "perceptron": (
        lambda: make_pipeline(StandardScaler(), MLPClassifier((4,), tol=1.0, random_state=0)),
        flags,
        "probability",
    ),
    "ridge": (lambda: make_pipeline(StandardScaler(), RidgeClassifier()), flags, "decision"),
    "priors": (lambda: DummyClassifier(), words, "probability"),
}


@pytest.mark.parametrize("what", SEVERAL)
def test_several_targets_equal_scikit_learn(what: str) -> None:
    factory, target, scores = SEVERAL[what]
    fitted = factory().fit(numbers(), target())

    prove(fitted, numbers())

    _, signature = Conversion(fitted, numbers(), kinds_of(numbers())).convert()
    assert (signature.target.task, signature.target.scores) == ("multioutput", scores)


def test_a_chain_names_each_target_with_its_own_classes(tmp_path: Path) -> None:
    """scikit-learn lists them in the order of the chain."""
    frame, target = numbers(), flags() * [1, 2, 3] + [0, 1, 7]
    chain = ClassifierChain(logistic(), order=[2, 0, 1]).fit(frame, target)

    package = training.export(
        chain, frame, out=tmp_path / "p", name="chain", target=["one", "two", "three"]
    )

    rows = client_rows(frame, kinds_of(frame))
    found = [prediction.targets for prediction in Predictor.open(package.path).predict(rows)]
    named = [[row[name]["label"] for name in ("one", "two", "three")] for row in found if row]
    assert [part.classes for part in package.signature.target.parts] == [(0, 1), (1, 3), (7, 10)]
    assert named == chain.predict(frame).tolist()


REGRESSORS: dict[str, Callable[[], Any]] = {
    "outputs": lambda: MultiOutputRegressor(linear()),
    "outputs of trees": lambda: MultiOutputRegressor(boosted_values()),
    "in a pipeline": lambda: make_pipeline(
        StandardScaler(), MultiOutputRegressor(LinearRegression())
    ),
    "chain": lambda: RegressorChain(linear()),
    "chain in an order": lambda: RegressorChain(linear(), order=[2, 0, 1]),
    "chain of trees": lambda: RegressorChain(boosted_values(), order=[1, 2, 0], cv=2),
    "chain at random": lambda: RegressorChain(linear(), order="random", random_state=3),
    "forest": lambda: RandomForestRegressor(3, random_state=0),
}


@pytest.mark.parametrize("what", REGRESSORS)
def test_several_outputs_equal_scikit_learn(what: str) -> None:
    prove(REGRESSORS[what]().fit(numbers(), values(3)), numbers())


def test_one_output_equals_scikit_learn() -> None:
    prove(MultiOutputRegressor(linear()).fit(numbers(), values()[:, None]), numbers(), full=True)


REFUSED: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "one class": (
        lambda: MultiOutputClassifier(DummyClassifier()),
        lambda: np.column_stack([classes(2), np.ones(300, dtype=int)]),
        "has seen one class only",
    ),
    "one class of a tree": (
        lambda: DecisionTreeClassifier(),
        lambda: np.column_stack([classes(2), np.ones(300, dtype=int)]),
        "has seen one class only",
    ),
    "logarithms in a chain": (
        lambda: ClassifierChain(LogisticRegression(), chain_method="predict_log_proba"),
        flags,
        r"\(chain_method='predict_log_proba'\)",
    ),
    "classifier for a value": (
        lambda: MultiOutputRegressor(LogisticRegression()),
        flags,
        "LogisticRegression.predict has no exact conversion",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused(what: str) -> None:
    factory, target, reason = REFUSED[what]
    fitted = make_pipeline(StandardScaler(), factory()).fit(numbers(), target())

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()
