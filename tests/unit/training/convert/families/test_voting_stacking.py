"""Votes and stacks equal scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklambda.session import Session
from tests.support.proof import classes, mixed, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

# A split can lie so far out that the gate cannot write its neighbours in float32.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def boosting() -> Any:
    return HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=5, random_state=0)


def linear() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression())


def boosted_values() -> Any:
    return HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=5, random_state=0)


def pair() -> list[tuple[str, Any]]:
    return [("line", logistic()), ("trees", boosting())]


def stack(**parameters: Any) -> StackingClassifier:
    final = parameters.pop("final_estimator", LogisticRegression(max_iter=500))
    return StackingClassifier(pair(), final_estimator=final, cv=2, **parameters)


def prefit(method: str) -> StackingClassifier:
    members = [(name, member.fit(numbers(), np.arange(300) % 3 * 1.0)) for name, member in pair()]
    return StackingClassifier(members, LogisticRegression(), cv="prefit", stack_method=method)


CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "soft vote": lambda: VotingClassifier(pair(), voting="soft"),
    "weights, and one member dropped": lambda: VotingClassifier(
        [pair()[0], ("none", "drop"), pair()[1]], voting="soft", weights=[1, 5, 2.5]
    ),
    "vote in three dimensions": lambda: VotingClassifier(
        pair(), voting="soft", flatten_transform=False
    ),
    "votes as features": lambda: make_pipeline(
        StandardScaler(), VotingClassifier(pair(), voting="soft"), LogisticRegression()
    ),
    "hard vote": lambda: VotingClassifier([*pair(), ("bayes", GaussianNB())]),
    "hard vote of two, the first class where they differ": lambda: VotingClassifier(pair()),
    "hard vote by weights, and one member dropped": lambda: VotingClassifier(
        [pair()[0], ("none", "drop"), ("bayes", GaussianNB()), pair()[1]],
        weights=[0.3, 9, 0.4, 0.7],
    ),
    "labels as features": lambda: make_pipeline(
        StandardScaler(), VotingClassifier(pair()), LogisticRegression()
    ),
    "hard vote within a stack": lambda: StackingClassifier(
        [("hard", VotingClassifier(pair())), ("line", logistic())], cv=2
    ),
    "hard votes in bags": lambda: BaggingClassifier(
        VotingClassifier(pair()), n_estimators=2, random_state=0
    ),
    "hard votes in a hard vote": lambda: VotingClassifier(
        [("hard", VotingClassifier(pair())), ("bayes", GaussianNB()), ("line", logistic())]
    ),
    "stack": lambda: stack(),
    "stack of probabilities": lambda: stack(stack_method="predict_proba"),
    "stack of decisions": lambda: stack(stack_method="decision_function"),
    "stack of labels": lambda: stack(stack_method="predict"),
    "stack beside the features": lambda: stack(passthrough=True, final_estimator=logistic()),
    "stack under trees": lambda: stack(final_estimator=boosting()),
    "stack with one member dropped": lambda: StackingClassifier(
        [("none", "drop"), *pair()], LogisticRegression(), cv=2
    ),
    "stack of fitted members": lambda: prefit("auto"),
    "stack of fitted members' labels": lambda: prefit("predict"),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", CLASSIFIERS)
def test_a_classifier_equals_scikit_learn(what: str, count: int) -> None:
    prove(CLASSIFIERS[what]().fit(numbers(), classes(count)), numbers())


@pytest.mark.parametrize("method", ["auto", "predict"])
def test_a_stack_honours_thresholds(method: str) -> None:
    members = [("line", logistic()), ("high", FixedThresholdClassifier(boosting(), threshold=0.7))]
    final = FixedThresholdClassifier(LogisticRegression(), threshold=0.4)
    stacked = StackingClassifier(members, final, stack_method=method, cv=2)

    prove(stacked.fit(numbers(), classes(2)), numbers())


@pytest.mark.parametrize("boosted", [AdaBoostClassifier, BaggingClassifier, VotingClassifier])
def test_equal_votes_of_pairs_are_passed_on_as_labels(boosted: Callable[..., Any]) -> None:
    """The first of equal votes wins in a support vector machine, not the most certain class."""
    X, y = np.random.default_rng(0).normal(size=(150, 3)), np.arange(150) % 4
    inner = SVC(gamma=2.0)
    voters = [("one", inner), ("other", SVC(gamma=1.0))]
    single = boosted(voters) if boosted is VotingClassifier else boosted(inner, n_estimators=2)
    rows = np.random.default_rng(1).normal(size=(5000, 3))

    outputs = convert(single.fit(X, y), [None] * 3)

    assert (Session(outputs.model).run(rows).argmax(axis=1) == single.predict(rows)).all()


@pytest.mark.parametrize("response", ["decision_function", "predict_proba"])
def test_a_hard_vote_honours_thresholds(response: str) -> None:
    high = FixedThresholdClassifier(logistic(), threshold=0.8, response_method=response)
    voted = VotingClassifier([("high", high)])

    prove(voted.fit(numbers(), classes(2)), numbers())


REGRESSORS: dict[str, Callable[[], Any]] = {
    "vote": lambda: VotingRegressor([("line", linear()), ("trees", boosted_values())]),
    "weights, and one member dropped": lambda: VotingRegressor(
        [("line", linear()), ("none", "drop"), ("trees", boosted_values())], weights=[1, 5, 2.5]
    ),
    "votes as features": lambda: make_pipeline(
        VotingRegressor([("line", linear()), ("trees", boosted_values())]), LinearRegression()
    ),
    "stack": lambda: StackingRegressor(
        [("line", linear()), ("trees", boosted_values())], LinearRegression(), cv=2
    ),
    "stack beside the features": lambda: StackingRegressor(
        [("line", linear())], boosted_values(), cv=2, passthrough=True
    ),
}


@pytest.mark.parametrize("what", REGRESSORS)
def test_a_regressor_equals_scikit_learn(what: str) -> None:
    prove(REGRESSORS[what]().fit(numbers(), values()), numbers())


def test_missing_values_go_where_they_are_accepted() -> None:
    trees = VotingClassifier([("trees", boosting())], voting="soft")

    prove(trees.fit(numbers(missing=True), classes(3)), numbers(missing=True), full=True)


def shifted() -> Any:
    return logistic().fit(numbers(), np.arange(300) % 3 + 1)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "weight below 0": (
        lambda: VotingClassifier(pair(), weights=[1, -2]),
        r"^votingclassifier: .* has a weight below 0",
    ),
    "member with labels of its own": (
        lambda: VotingClassifier([("frozen", FrozenEstimator(shifted()))]),
        r"^votingclassifier: .* has members with other classes",
    ),
    "member": (
        lambda: VotingClassifier(
            [
                (
                    "odd",
                    make_pipeline(
                        FunctionTransformer(np.sort, kw_args={"axis": 0}), LogisticRegression()
                    ),
                )
            ],
            voting="soft",
        ),
        r"^votingclassifier > odd > functiontransformer: .*sort",
    ),
    "final estimator": (
        lambda: stack(
            final_estimator=make_pipeline(
                FunctionTransformer(np.sort, kw_args={"axis": 0}), LogisticRegression()
            )
        ),
        r"^stackingclassifier > final_estimator > functiontransformer: .*sort",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_at_its_place(what: str) -> None:
    factory, reason = REFUSED[what]
    fitted = make_pipeline(StandardScaler(), factory()).fit(numbers(), classes(3))

    with pytest.raises(ConversionRefused, match=reason):
        Conversion(fitted, numbers(), kinds_of(numbers())).convert()


def test_labels_that_are_no_numbers_are_no_features() -> None:
    members = [("line", logistic().fit(numbers(), classes(3)))]
    codes = np.unique(classes(3), return_inverse=True)[1]
    stacked = StackingClassifier(members, LogisticRegression(), cv="prefit", stack_method="predict")
    stacked.classes_, stacked.estimators_ = np.arange(3), [members[0][1]]
    stacked.named_estimators_, stacked.stack_method_ = dict(members), ["predict"]
    stacked.final_estimator_ = LogisticRegression().fit(codes[:, None], codes)

    with pytest.raises(ConversionRefused, match="labels that are not numbers"):
        Conversion(stacked, numbers(), kinds_of(numbers())).convert()


def test_categories_are_not_passed_through_a_stack() -> None:
    def first() -> Any:
        columns = ColumnTransformer([("first", "passthrough", [0])])
        return make_pipeline(columns, LogisticRegression())

    frame = mixed(missing=False)
    stacked = StackingClassifier([("first", first())], first(), cv=2, passthrough=True)
    stacked.fit(frame, classes(2))

    with pytest.raises(ConversionRefused, match=r"\(passthrough=True\) has categories"):
        Conversion(stacked, frame, kinds_of(frame)).convert()
