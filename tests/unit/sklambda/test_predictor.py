"""A predictor answers as scikit-learn does, or not at all."""

import numpy as np
import pandas as pd
import pytest

from sklambda.codec.codec import EXACT_INTEGER
from sklambda.decision import decided, label_positions, labels_at, row_differences, to_predictions
from sklambda.errors import RowsInvalid
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from sklambda.signature import Target
from tests.conftest import Train, Trained
from training.frames import client_rows, kinds_of

TERNARY = Target(task="multiclass", classes=(1, 2, 3))
BINARY = Target(task="binary", classes=("no", "yes"))


def test_scores_are_scikit_learns(trained: Train, model: str) -> None:
    churn = trained(model, None)
    rows = client_rows(churn.frame, kinds_of(churn.frame))

    scores = Predictor.open(churn.package).score(rows)

    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, churn.pipeline.predict_proba(churn.frame), rtol=0, atol=1e-9)


def test_labels_are_scikit_learns(trained: Train, model: str) -> None:
    churn = trained(model, None)
    rows = client_rows(churn.frame, kinds_of(churn.frame))

    named = [prediction.label for prediction in Predictor.open(churn.package).predict(rows)]

    assert named == churn.pipeline.predict(churn.frame).tolist()


def test_no_rows_give_no_scores(predictor: Predictor) -> None:
    assert predictor.score([]).shape == (0, 2)
    assert predictor.predict([]) == []


def test_one_bad_row_stops_all(predictor: Predictor) -> None:
    good = predictor.package.signature.example

    with pytest.raises(RowsInvalid, match="row 1, tenure: must not exceed"):
        predictor.score([good, good | {"tenure": EXACT_INTEGER + 1}])


def test_golden_rows_replay_and_hold_edge_cases(predictor: Predictor) -> None:
    names = {golden.name for golden in predictor.package.golden}

    assert predictor.replay() is None
    assert any("boundary" in name for name in names)


@pytest.mark.parametrize(
    "change",
    [{"scores": (0.5, 0.5 + 2e-9)}, {"scores": (float("nan"), 0.5)}, {"labels": ("Maybe",)}],
    ids=["score", "nan", "label"],
)
def test_a_golden_row_with_another_answer_is_named(
    predictor: Predictor, change: dict[str, object]
) -> None:
    package = predictor.package
    wrong = package.golden[5].replace(name="this one", **change)
    golden = (*package.golden[:5], wrong, *package.golden[6:])
    altered = ModelPackage(package.path, package.manifest, package.signature, package.model, golden)

    mismatch = Predictor(altered).replay()

    assert mismatch is not None
    assert mismatch.name == "this one"


@pytest.mark.parametrize(("margin", "passes"), [(5e-10, True), (1e-6, False)])
def test_a_label_of_a_golden_row_is_compared_unless_rounding_decides_it(
    predictor: Predictor, margin: float, passes: bool
) -> None:
    package = predictor.package
    first = package.golden[0]
    target = package.signature.target.replace(threshold=first.scores[1] - margin)
    signature = package.signature.replace(target=target)
    other = first.replace(labels=(target.classes[0],))
    altered = ModelPackage(package.path, package.manifest, signature, package.model, (other,))

    assert (Predictor(altered).replay() is None) == passes


@pytest.mark.parametrize(("tolerance", "passes"), [(None, False), (1e-6, True), (1e-8, False)])
def test_a_golden_row_may_say_how_far_its_scores_may_be_off(
    predictor: Predictor, tolerance: float | None, passes: bool
) -> None:
    package = predictor.package
    first = package.golden[0]
    moved = (first.scores[0] + 1e-7, first.scores[1])
    other = first.replace(scores=moved, tolerance=tolerance)
    altered = ModelPackage(
        package.path, package.manifest, package.signature, package.model, (other,)
    )

    assert (Predictor(altered).replay() is None) == passes


def near(target: Target, *scores: float, tolerance: float = 0.01) -> list[bool]:
    row = np.array([scores])
    decided_ones: list[bool] = decided(target, row, np.full_like(row, tolerance))[0].tolist()
    return decided_ones


def test_a_label_is_decided_where_its_score_is_clear_of_the_change() -> None:
    reached = Target(task="binary", classes=("no", "yes"), threshold=0.3)
    signed = Target(task="binary", classes=(0, 1), scores="decision")
    votes = Target(task="multiclass", classes=(1, 2, 3), scores="votes")

    assert near(BINARY, 0.48, 0.52) == [True]
    assert near(BINARY, 0.495, 0.505) == [False]
    assert near(BINARY, 0.5, 0.5, tolerance=0.0) == [False], "a tie is never clear"
    assert near(reached, 0.695, 0.305) == [False]
    assert near(reached, 0.5, 0.5) == [True]
    assert near(signed, -0.005) == [False]
    assert near(signed, -0.02) == [True]
    assert near(TERNARY, 0.35, 0.35, 0.3) == [False]
    assert near(TERNARY, 0.4, 0.35, 0.25) == [True]
    assert near(votes, 1.0, 1.0, 1.0) == [True], "the first of whole numbers is meant"


def test_what_no_tolerance_moves_is_decided() -> None:
    assert near(BINARY, np.nan, np.nan) == [True]
    assert near(Target(task="binary", classes=(0, 1), scores="decision"), -np.inf) == [True]


def test_each_target_is_decided_by_itself() -> None:
    assert near(SEVERAL, 0.7, 0.3, 0.1, 0.1, 0.8) == [False, True]
    assert near(Target(task="regression", scores="value", outputs=("price",)), 1.0) == []


def test_the_first_of_equal_probabilities_gives_the_label() -> None:
    assert label_positions(BINARY, np.array([[0.5, 0.5]])).tolist() == [[0]]


def test_a_threshold_is_reached_by_equality() -> None:
    target = BINARY.replace(threshold=0.3)

    assert label_positions(target, np.array([[0.7, 0.3], [0.71, 0.29]])).tolist() == [[1], [0]]


def test_the_score_is_that_of_the_second_of_two_classes() -> None:
    assert to_predictions(BINARY, np.array([[0.75, 0.25]]))[0].score == 0.25


def test_the_score_is_that_of_the_label_among_several_classes() -> None:
    prediction = to_predictions(TERNARY, np.array([[0.125, 0.25, 0.625]]))[0]

    assert (prediction.label, prediction.score) == (3, 0.625)
    assert prediction.probabilities == {"1": 0.125, "2": 0.25, "3": 0.625}


def test_a_binary_decision_has_a_label_and_no_probability() -> None:
    target = Target(task="binary", scores="decision", classes=("no", "yes"))

    below, at, above = to_predictions(target, np.array([[-2.0], [0.0], [0.5]]))

    assert [below.label, at.label, above.label] == ["no", "no", "yes"]
    assert (above.score, above.probabilities) == (0.5, None)


def test_a_regressor_answers_with_values_by_name() -> None:
    target = Target(task="regression", scores="value", outputs=("low", "high"))

    [prediction] = to_predictions(target, np.array([[1.5, 2.5]]))

    assert prediction.values == {"low": 1.5, "high": 2.5}
    assert prediction.label is None


VOTED = Target(task="multiclass", scores="votes", classes=("a", "b", "c"))
NAMED = Target(task="binary", scores="label", classes=("no", "yes"))
GROUPED = Target(task="clustering", scores="label", classes=(0, 1, 2))
ODD = Target(task="anomaly", scores="decision", classes=(-1, 1))
SEVERAL = Target(
    task="multioutput",
    parts=(
        Target(name="churn", task="binary", classes=("no", "yes"), threshold=0.3),
        Target(name="plan", task="multiclass", classes=(1, 2, 3)),
    ),
)


def test_the_first_of_equal_votes_gives_the_label() -> None:
    [prediction] = to_predictions(VOTED, np.array([[0.9, 1.1, 1.3]]))

    assert (prediction.label, prediction.score, prediction.probabilities) == ("a", 0.9, None)


def test_a_label_alone_has_no_score() -> None:
    [prediction] = to_predictions(NAMED, np.array([[0.0, 1.0]]))

    assert prediction.members == {"label": "yes"}


def test_a_cluster_is_a_label_alone() -> None:
    [prediction] = to_predictions(GROUPED, np.array([[0.0, 1.0, 0.0]]))

    assert prediction.members == {"label": 1}


def test_a_row_at_the_border_is_an_anomaly() -> None:
    at, above = to_predictions(ODD, np.array([[0.0], [1e-300]]))

    assert (at.label, above.label) == (-1, 1)


def test_several_targets_answer_by_name_each_by_its_own_rule() -> None:
    [prediction] = to_predictions(SEVERAL, np.array([[0.625, 0.375, 0.25, 0.25, 0.5]]))

    assert prediction.members == {
        "targets": {
            "churn": {
                "label": "yes",
                "score": 0.375,
                "threshold": 0.3,
                "probabilities": {"no": 0.625, "yes": 0.375},
            },
            "plan": {
                "label": 3,
                "score": 0.5,
                "probabilities": {"1": 0.25, "2": 0.25, "3": 0.5},
            },
        }
    }


def test_several_targets_have_a_label_each() -> None:
    chosen = label_positions(SEVERAL, np.array([[0.625, 0.375, 0.25, 0.25, 0.5], [1, 0, 1, 0, 0]]))

    assert labels_at(SEVERAL, chosen) == [("yes", 3), ("no", 1)]


def test_a_regressor_has_no_labels() -> None:
    target = Target(task="regression", scores="value", outputs=("price",))

    assert labels_at(target, label_positions(target, np.array([[1.5], [2.5]]))) == [(), ()]


def test_differences_are_absolute_up_to_1_and_relative_above() -> None:
    expected = np.array([[0.5, 0.0], [1e9, 0.0], [np.inf, np.nan], [np.inf, 0.0]])
    found = np.array([[0.25, 0.0], [1e9 + 1, 0.0], [np.inf, np.nan], [-np.inf, 0.0]])

    first, second, third, fourth = row_differences(expected, found)

    assert (first, second, third) == (0.25, pytest.approx(1e-9), 0.0)
    assert not fourth <= 1.0


def test_a_row_has_the_same_answer_alone_and_in_company(churn: Trained) -> None:
    predictor = Predictor.open(churn.package)
    rows = client_rows(churn.frame.head(200), kinds_of(churn.frame))

    alone = np.concatenate([predictor.score([row]) for row in rows])

    np.testing.assert_allclose(alone, predictor.score(rows), rtol=0, atol=1e-12)


def test_pandas_own_missing_values_are_missing(churn: Trained) -> None:
    predictor = Predictor.open(churn.package)
    row = predictor.package.signature.example
    given: dict[str, object] = {**row, "TotalCharges": pd.NA, "Partner": pd.NA}
    null = {**row, "TotalCharges": None, "Partner": None}

    np.testing.assert_array_equal(predictor.score([given]), predictor.score([null]))
