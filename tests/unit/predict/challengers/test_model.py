"""A challenger's answer has the champion's order; its labels stay its own."""

from typing import Any

import numpy as np
import pytest

from functions.predict.challengers.model import TargetOrder
from sklambda.decision import to_predictions
from sklambda.signature import Target


def both(champion: Target, challenger: Target, scores: list[list[float]]) -> tuple[Any, Any, Any]:
    """Return the ordered scores and predictions, and the challenger's own."""
    order = TargetOrder.of(champion, challenger)
    assert order is not None
    matrix = np.array(scores)
    own = to_predictions(challenger, matrix)
    return order.scores(matrix).tolist(), [*map(order.prediction, own)], own


def test_the_same_order_is_left_alone() -> None:
    target = Target(task="binary", classes=("no", "yes"))

    assert TargetOrder.of(target, target.replace(threshold=0.3)) is None


def test_classes_are_ordered_by_the_champion() -> None:
    champion = Target(task="multiclass", classes=("a", "b", "c"))

    scores, [prediction], _ = both(
        champion, champion.replace(classes=("c", "a", "b")), [[0.5, 0.2, 0.3]]
    )

    assert scores == [[0.2, 0.3, 0.5]]
    assert (prediction.label, prediction.score) == ("c", 0.5)
    assert list(prediction.probabilities.items()) == [("a", 0.2), ("b", 0.3), ("c", 0.5)]


@pytest.mark.parametrize("threshold", [None, 0.25])
def test_the_score_of_two_classes_is_that_of_the_champions_second(threshold: float | None) -> None:
    champion = Target(task="binary", classes=("no", "yes"))
    challenger = Target(task="binary", classes=("yes", "no"), threshold=threshold)

    scores, [prediction], [own] = both(champion, challenger, [[0.625, 0.375]])

    assert scores == [[0.375, 0.625]]
    assert (prediction.label, prediction.score) == (own.label, 0.625)
    assert prediction.threshold == (0.5 if threshold is None else 0.75)
    assert (prediction.label == "yes") == (prediction.score > prediction.threshold)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_a_decision_in_the_other_order_has_the_other_sign(threshold: float | None) -> None:
    champion = Target(task="binary", scores="decision", classes=("no", "yes"))
    challenger = champion.replace(classes=("yes", "no"), threshold=threshold)

    scores, [prediction], [own] = both(champion, challenger, [[2.0]])

    assert (scores, own.label) == ([[-2.0]], "no")
    assert (prediction.label, prediction.score) == ("no", -2.0)
    assert prediction.threshold == -(threshold or 0.0)


def test_outputs_are_ordered_by_name() -> None:
    champion = Target(task="regression", scores="value", outputs=("u", "v"))

    scores, [prediction], _ = both(champion, champion.replace(outputs=("v", "u")), [[1.0, 2.0]])

    assert scores == [[2.0, 1.0]]
    assert list(prediction.values.items()) == [("u", 2.0), ("v", 1.0)]


def test_targets_are_ordered_by_name_and_each_within() -> None:
    y = Target(name="y", task="binary", classes=("no", "yes"))
    z = Target(name="z", task="multiclass", classes=(1, 2, 3))
    champion = Target(task="multioutput", parts=(y, z))
    challenger = Target(task="multioutput", parts=(z, y.replace(classes=("yes", "no"))))

    scores, [prediction], _ = both(champion, challenger, [[0.5, 0.3, 0.2, 0.75, 0.25]])

    assert scores == [[0.25, 0.75, 0.5, 0.3, 0.2]]
    assert list(prediction.targets) == ["y", "z"]
    assert prediction.targets["y"]["label"] == "yes"
    assert prediction.targets["y"]["score"] == 0.75
    assert prediction.targets["z"]["label"] == 1
