"""What rounding explains is excused, and counted; what it does not is refused."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklambda.manifest import ParityReport
from tests.support import kinds, proof
from tests.support.proof import classes, numbers, values
from training.convert import CONVERTERS
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.errors import ParityFailed
from training.frames import kinds_of
from training.proof.adversary import Budget
from training.proof.conversion import Conversion
from training.proof.equality import Equality
from training.proof.parity import prove

type Change = Callable[[Estimator], None]
type OutputsChange = Callable[[Outputs, Scope], Outputs]


def proven(pipeline: Any, frame: pd.DataFrame, *wrong: tuple[type, Convert]) -> ParityReport:
    conversion = Conversion(pipeline, frame, kinds_of(frame), CONVERTERS | dict(wrong))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature, budget=Budget(near_ties=0))
    return conversion.prove(model, signature, cases)


def altered(kind: type, change: Change) -> tuple[type, Convert]:
    """Convert another estimator than the one that answers."""

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
        other = deepcopy(estimator)
        change(other)
        return CONVERTERS[kind](other, matrix, scope)

    return kind, convert


def answering(kind: type, change: OutputsChange) -> tuple[type, Convert]:
    """Outputs with something else than what was converted."""

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
        outputs = CONVERTERS[kind](estimator, matrix, scope)
        assert isinstance(outputs, Outputs)
        return change(outputs, scope)

    return kind, convert


def mirrored(rows: int = 150) -> tuple[pd.DataFrame, Any]:
    """Make pairs in both orders, and pairs of equals, whose scores are 0."""
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, 12, (rows, 4))
    pairs[:20, [1, 3]] = pairs[:20, [0, 2]]
    noise = generator.normal(0, 3, rows)
    won = (pairs[:, 0] - pairs[:, 1] + 0.5 * (pairs[:, 2] - pairs[:, 3]) + noise > 0).astype(int)
    frame = pd.DataFrame(
        np.concatenate([pairs, pairs[:, [1, 0, 3, 2]]]),
        columns=["elo_home", "elo_away", "form_home", "form_away"],
    )
    return frame, np.concatenate([won, 1 - won])


def large() -> pd.DataFrame:
    return numbers(rows=150)[["grid", "large", "tiny", "whole"]]


LARGE: Final[dict[str, Callable[[], Any]]] = {
    "one class": lambda: OneClassSVM(kernel="linear").fit(large()),
    "two classes": lambda: SVC(kernel="linear", max_iter=1000).fit(large(), classes(2, 150)),
    "cubes": lambda: make_pipeline(PolynomialFeatures(3), Ridge()).fit(large(), values(1, 150)),
    "kernels": lambda: make_pipeline(StandardScaler(), KernelRidge(kernel="rbf", alpha=1e-9)).fit(
        large(), values(1, 150)
    ),
}


@pytest.mark.filterwarnings("ignore:Solver terminated early", "ignore:An ill-conditioned matrix")
@pytest.mark.parametrize("name", LARGE)
def test_sums_of_large_terms_that_cancel_are_excused(name: str) -> None:
    report = proven(LARGE[name](), large())

    assert (report.widened > 0) == (report.max_difference > report.tolerance)


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")
@pytest.mark.filterwarnings("ignore:Ill-conditioned matrix")  # of an older scipy, in fitting
def test_scores_that_are_nothing_but_rounding_are_refused_with_advice() -> None:
    fitted = KernelRidge().fit(large(), values(1, 150))

    with pytest.raises(ParityFailed, match=r"rounding noise up to .*: scale the features"):
        proven(fitted, large())


def cancelling() -> pd.DataFrame:
    """Make four columns of about 1e11 that differ by about 1."""
    generator = np.random.default_rng(7)
    level = 1e11 * generator.normal(size=(200, 1))
    return pd.DataFrame(level + generator.normal(size=(200, 4)), columns=list("abcd"))


def three_sums(frame: pd.DataFrame) -> LogisticRegression:
    signs = np.array([1, -1, 1, -1]) * [1.1, 1.1, 0.3, 0.3] * 0.5
    model = LogisticRegression().fit(frame / 1e11, classes(3, len(frame)))
    model.coef_ = np.outer([1.0, 0.7, 1.3], signs)
    return model


NOISE: Final[dict[str, Callable[[pd.DataFrame], Any]]] = {
    "ridge": lambda frame: Ridge(alpha=1e-3).fit(
        frame, np.outer(frame["a"] - frame["b"], [1, -1, 2])
    ),
    "three classes": three_sums,
}


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")
@pytest.mark.parametrize("name", NOISE)
def test_noise_is_refused_also_where_the_kernels_of_this_processor_agree(name: str) -> None:
    frame = cancelling()
    conversion = Conversion(NOISE[name](frame), frame, kinds_of(frame))
    model, signature = conversion.convert()
    reference = conversion.reference(signature.target)
    agreeing: Any = SimpleNamespace(
        answers=lambda parts: map(reference.predict, parts), signature=signature
    )
    cases = [case for case in conversion.cases(model, signature) if case.group == "data"]
    equality = Equality(reference, model, signature, frame)

    with pytest.raises(ParityFailed, match=r"^pipeline: row \d+ .*rounding noise up to"):
        prove(reference, agreeing, cases, equality, name_step=lambda row: ("a step", ""))


@pytest.mark.parametrize("scale", [StandardScaler, Normalizer])
def test_labels_of_a_model_without_coefficients_are_compared(scale: Any) -> None:
    frame = numbers(rows=150)[["grid", "tiny"]]
    fitted = make_pipeline(scale(), LogisticRegression()).fit(frame, classes(2, 150))
    fitted[-1].coef_, fitted[-1].intercept_ = np.zeros((1, 2)), np.zeros(1)

    report = proven(fitted, frame)

    assert report.labels > 150, "a sum of zeros is 0 on every processor"
    assert report.undecidable < 10, "rows whose norm overflows"


def test_a_model_none_of_whose_labels_can_be_compared_says_so() -> None:
    frame = numbers(rows=150)[["grid", "tiny"]]
    model = LogisticRegression().fit(frame, classes(2, 150))
    model.coef_, model.intercept_ = np.zeros((1, 2)), np.array([1e-17])

    report = proven(model, frame)

    assert report.labels == 0
    assert report.undecidable > 150


@pytest.mark.parametrize("fit", [False, True], ids=["no intercept", "intercept"])
def test_labels_of_a_decision_of_nothing_are_undecidable(fit: bool) -> None:
    frame, won = mirrored()
    model = LogisticRegression(fit_intercept=fit, solver="newton-cholesky")

    report = proven(model.fit(frame, won), frame)

    assert report.undecidable >= 40, "the pairs of equals, both ways round"
    assert report.labels > 10 * report.undecidable
    assert report.widened == 0


def test_so_are_those_of_each_of_several_targets() -> None:
    frame, won = mirrored()
    model = MultiOutputClassifier(LogisticRegression(fit_intercept=False, solver="newton-cholesky"))

    report = proven(model.fit(frame, np.column_stack([won, 1 - won])), frame)

    assert report.undecidable >= 80


def nudge(values: Any) -> None:
    values[..., 0] *= 1 + 1e-6


def swap(outputs: Outputs, scope: Scope) -> Outputs:
    assert outputs.probabilities is not None
    return replace(outputs, probabilities=scope.graph.take(outputs.probabilities, [1, 0]))


def negate(outputs: Outputs, scope: Scope) -> Outputs:
    assert outputs.decision is not None
    turned = scope.graph.node("Neg", outputs.decision.tensor)
    return replace(outputs, decision=outputs.decision.alike(turned))


def move_a_threshold(estimator: Estimator) -> None:
    """Move the threshold at the root to the next number that there is in float32."""
    threshold = estimator.tree_.threshold
    threshold[0] = np.nextafter(np.float32(threshold[0]), np.float32(np.inf))


def move_a_threshold_of_boosting(estimator: Estimator) -> None:
    nodes = estimator._predictors[0][0].nodes
    nodes["num_threshold"][0] = np.nextafter(nodes["num_threshold"][0], np.inf)


def lower_the_constant(estimator: Estimator) -> None:
    estimator.intercept_ = estimator.intercept_ - 1e-6


def scaled_logistic() -> tuple[Any, pd.DataFrame]:
    frame = numbers(rows=150)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(frame, classes(2, 150)), frame


def mirrored_logistic() -> tuple[Any, pd.DataFrame]:
    frame, won = mirrored()
    return LogisticRegression(fit_intercept=False).fit(frame, won), frame


def boosted() -> tuple[Any, pd.DataFrame]:
    frame = numbers(rows=150)
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0)
    return make_pipeline(StandardScaler(), model).fit(frame, classes(2, 150)), frame


def tree_beside_a_sum() -> tuple[Any, pd.DataFrame]:
    """Make a tree that is added to what rounds: the error of the sum must not excuse the tree."""
    frame = large()[["grid", "large", "tiny"]]  # between whole numbers no row sees a threshold move
    both = [("tree", DecisionTreeRegressor(max_depth=3)), ("line", LinearRegression())]
    return VotingRegressor(both).fit(frame, values(1, 150)), frame


WRONG: Final[dict[str, tuple[Callable[[], tuple[Any, pd.DataFrame]], tuple[type, Convert]]]] = {
    "a coefficient": (
        scaled_logistic,
        altered(LogisticRegression, lambda model: nudge(model.coef_)),
    ),
    "a coefficient beside ties": (
        mirrored_logistic,
        altered(LogisticRegression, lambda model: nudge(model.coef_)),
    ),
    "a constant": (scaled_logistic, altered(LogisticRegression, lower_the_constant)),
    "a coefficient of large terms": (
        lambda: (LARGE["one class"](), large()),
        altered(OneClassSVM, lambda model: nudge(model.dual_coef_)),
    ),
    "a coefficient of large terms that decide": (
        lambda: (LARGE["two classes"](), large()),
        altered(SVC, lambda model: nudge(model.dual_coef_)),
    ),
    "a coefficient of cubes": (
        lambda: (LARGE["cubes"](), large()),
        altered(Ridge, lambda model: nudge(model.coef_[model.coef_.argmax() :])),
    ),
    "a coefficient of kernels": (
        lambda: (LARGE["kernels"](), large()),
        altered(KernelRidge, lambda model: nudge(model.dual_coef_)),
    ),
    "the side of large terms": (
        lambda: (LARGE["one class"](), large()),
        answering(OneClassSVM, negate),
    ),
    "the classes": (scaled_logistic, answering(LogisticRegression, swap)),
    "the classes beside ties": (mirrored_logistic, answering(LogisticRegression, swap)),
    "a threshold of boosting": (
        boosted,
        altered(HistGradientBoostingClassifier, move_a_threshold_of_boosting),
    ),
    "a threshold beside a sum": (
        tree_beside_a_sum,
        altered(DecisionTreeRegressor, move_a_threshold),
    ),
}


@pytest.mark.filterwarnings("ignore:Solver terminated early", "ignore:An ill-conditioned matrix")
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_all_the_same(what: str) -> None:
    make, wrong = WRONG[what]
    pipeline, frame = make()
    proven(pipeline, frame)

    with pytest.raises(ParityFailed, match=r"the (scores|labels) differ"):
        proven(pipeline, frame, wrong)


def test_a_tie_of_trees_is_decided_as_scikit_learn_decides_it() -> None:
    frame = pd.DataFrame({"side": [0, 0, 1, 1] * 20})
    tree = DecisionTreeClassifier().fit(frame, [0, 1, 1, 1] * 20)
    reaching = answering(
        DecisionTreeClassifier, lambda outputs, scope: replace(outputs, threshold=0.5)
    )

    assert proven(tree, frame).undecidable == 0
    with pytest.raises(ParityFailed, match="the labels differ, the scores by 0"):
        proven(tree, frame, reaching)


def test_a_tie_of_scores_whose_decisions_are_far_apart_is_decided() -> None:
    frame = numbers(rows=150)
    model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression()))
    fitted = model.fit(frame, classes(3, 150))

    def favour_the_first(outputs: Outputs, scope: Scope) -> Outputs:
        added = scope.graph.constant([[1e-14, 1e-15, 0.0]])
        found = outputs.probabilities
        assert found is not None
        moved = found.alike(scope.graph.node("Add", found.tensor, added))
        return replace(outputs, probabilities=moved)

    assert proven(fitted, frame).undecidable == 0
    with pytest.raises(ParityFailed, match="the labels differ"):
        proven(fitted, frame, answering(OneVsRestClassifier, favour_the_first))


def test_a_tie_of_likelihoods_is_undecidable() -> None:
    frame = pd.DataFrame({"x": [-1.0, 1.0, -3.0, 3.0] * 10, "z": [0.0, 0.5, 0.25, 0.75] * 10})
    symmetric = pd.concat([frame, frame.assign(x=-frame["x"])], ignore_index=True)
    middle = pd.DataFrame({"x": [0.0] * 4, "z": [0.1, 0.3, 0.7, 0.9]})
    seen = pd.concat([symmetric, middle, middle], ignore_index=True)
    sides = [*(symmetric["x"] > 0), *[False] * 4, *[True] * 4]

    report = proven(GaussianNB().fit(seen, sides), seen)

    assert report.undecidable >= 8


def test_a_decision_of_0_is_undecidable_where_libsvm_goes_by_its_sign() -> None:
    table = kinds.table("2 columns", seed=8, rows=60)
    model = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), SVC())

    report = proof.prove(model.fit(table.features, table.target), table.features, rounds=True)

    assert report.undecidable > 0
