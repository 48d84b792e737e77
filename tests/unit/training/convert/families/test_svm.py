"""Support vector machines equal scikit-learn, or are refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from sklambda.decision import to_predictions
from sklambda.session import Session
from tests.support.proof import classes, numbers, prove, values
from training.convert import convert
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "rbf": SVC,
    "rbf, gamma given": lambda **p: SVC(gamma=0.3, C=10, class_weight="balanced", **p),
    "linear": lambda **p: SVC(kernel="linear", **p),
    "sigmoid": lambda **p: SVC(kernel="sigmoid", coef0=-0.1, **p),
    "nu": lambda **p: NuSVC(nu=0.3, **p),
    "nu, sigmoid": lambda **p: NuSVC(nu=0.3, kernel="sigmoid", **p),
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "rbf": lambda: SVR(),
    "rbf, gamma given": lambda: SVR(gamma=0.3, C=10, epsilon=0.3),
    "linear": lambda: SVR(kernel="linear"),
    "poly": lambda: SVR(kernel="poly", coef0=1),
    "sigmoid": lambda: SVR(kernel="sigmoid"),
    "nu": lambda: NuSVR(nu=0.4),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_two_classes_equal_scikit_learn(name: str) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLASSIFIERS[name]())

    prove(pipeline.fit(frame, classes(2)), frame)


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_more_classes_equal_scikit_learn_where_ties_are_broken(name: str, count: int) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLASSIFIERS[name](break_ties=True))

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_more_classes_equal_scikit_learn_where_the_first_of_equal_votes_wins(
    name: str, count: int
) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), CLASSIFIERS[name]())

    prove(pipeline.fit(frame, classes(count)), frame)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_equal_votes_give_the_label_of_scikit_learn(count: int) -> None:
    """Noise makes the pairs contradict each other; the most certain class is then not the first."""
    generator = np.random.default_rng(count)
    X, y = generator.normal(size=(120, 3)), generator.integers(0, count, 120)
    fitted = SVC(kernel="rbf", gamma=2.0).fit(X, y)
    rows = generator.normal(size=(20_000, 3))

    scores = Session(convert(fitted, [None] * 3).model).run(rows)

    expected = fitted.predict(rows)
    assert (np.rint(scores).argmax(axis=1) == expected).all()
    assert (scores.argmax(axis=1) != expected).any()


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_equals_scikit_learn(name: str) -> None:
    frame = numbers()
    pipeline = make_pipeline(StandardScaler(), REGRESSORS[name]())

    prove(pipeline.fit(frame, values()), frame)


@pytest.mark.parametrize("kernel", ["rbf", "sigmoid"])
def test_large_numbers_without_a_scaler_equal_scikit_learn(kernel: str) -> None:
    frame = numbers()

    prove(SVC(kernel=kernel).fit(frame, classes(2)), frame)


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")
@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("break_ties", [False, True])
def test_probabilities_are_served_beside_the_decision_that_the_label_follows(
    break_ties: bool, count: int
) -> None:
    frame = numbers()
    svc = SVC(probability=True, break_ties=break_ties, random_state=0)
    fitted = make_pipeline(StandardScaler(), svc).fit(frame, classes(count))
    model, signature = Conversion(fitted, frame, kinds_of(frame)).convert()

    prove(fitted, frame)
    scores = Session(model).run(frame.to_numpy(dtype=np.float64))
    found = to_predictions(signature.target, scores)

    assert [each.label for each in found] == fitted.predict(frame).tolist()
    assert found[0].threshold is None
    probabilities = [[*(each.probabilities or {}).values()] for each in found]
    expected = fitted.predict_proba(frame)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-12)
    contradicted = svc.classes_[expected.argmax(axis=1)] != fitted.predict(frame)
    assert contradicted.any() or count == 2


@pytest.mark.parametrize("classifier", [SVC, NuSVC])
def test_labels_by_the_votes_of_pairs_equal_scikit_learn(classifier: Any) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    pipeline = make_pipeline(StandardScaler(), classifier(decision_function_shape="ovo"))

    prove(pipeline.fit(frame, classes(3, rows=80)), frame)


@pytest.mark.parametrize("count", [2, 3])
def test_polynomials_equal_scikit_learn_where_they_are_numbers(count: int) -> None:
    frame = numbers(rows=80)[["grid", "skewed"]]
    pipeline = make_pipeline(StandardScaler(), SVC(kernel="poly", coef0=1))

    prove(pipeline.fit(frame, classes(count, rows=80)), frame)


REFUSED: dict[str, tuple[Any, int, str]] = {
    "kernel of its own": (SVC(kernel=np.inner), 2, r"svm\.SVC\(kernel=inner\) .*: use one of"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name(what: str) -> None:
    estimator, count, reason = REFUSED[what]
    frame = numbers()
    fitted = estimator.fit(frame, classes(count))

    with pytest.raises(ConversionRefused, match=reason):
        convert(fitted, [None] * 6)


def test_an_intercept_of_zero_is_refused() -> None:
    fitted = SVC(kernel="linear").fit([[-1.0], [1.0]], [0, 1])

    with pytest.raises(ConversionRefused, match="intercept of exactly 0"):
        convert(fitted, [None])


def test_a_class_that_weighs_nothing_is_refused() -> None:
    codes = np.arange(300) % 3
    fitted = SVC().fit(numbers(), codes, sample_weight=(codes != 1) * 1.0)

    with pytest.raises(ConversionRefused, match="weigh nothing"):
        convert(fitted, [None] * 6)


@pytest.mark.filterwarnings("ignore:Solver terminated early")
@pytest.mark.parametrize(("scaled", "sums"), [(True, 1), (False, 2)], ids=["scaled", "raw"])
def test_linear_support_vectors_are_added_up_in_advance_unless_rounding_shows(
    scaled: bool, sums: int
) -> None:
    frame, model = numbers(rows=150).drop(columns=["constant"]), SVC(kernel="linear", max_iter=1000)
    fitted = (make_pipeline(StandardScaler(), model) if scaled else model).fit(
        frame, classes(2, 150)
    )

    graph = onnx.load_from_string(convert(fitted, [None] * 5).model).graph

    assert [node.op_type for node in graph.node].count("MatMul") == sums
