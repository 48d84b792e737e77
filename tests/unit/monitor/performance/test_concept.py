"""Concept drift is what outcomes say and scores cannot."""

import numpy as np
import pytest

from functions.monitor.performance.concept import concept, concept_of_labels
from functions.monitor.performance.estimated import estimate
from tests.support.scoring import base, draw

CALIBRATOR = base().calibrators["yes"]


def alarms(rows: int, runs: int, moved: float = 0.0, reversed_: float = 0.0) -> float:
    count = 0
    for seed in range(runs):
        window = draw(rows, 10_000 + seed, moved, reversed_)
        chances = CALIBRATOR(window.scores)
        count += concept(chances, window.positive, window.true, CALIBRATOR.rows).alarm
    return count / runs


def test_it_is_found_with_200_outcomes() -> None:
    assert alarms(200, 500, reversed_=0.6) >= 0.9


@pytest.mark.parametrize("moved", [0.0, 0.8])
def test_without_it_there_are_few_alarms(moved: float) -> None:
    assert alarms(200, 1000, moved) <= 0.02


def test_estimates_are_blind_to_it() -> None:
    window = draw(20_000, seed=3, reversed_=0.6)

    found = estimate(window.scores, window.positive, CALIBRATOR)["accuracy"]

    assert found.value - (window.positive == window.true).mean() > 0.1


def test_it_is_told_what_was_expected() -> None:
    positive, true = np.array([True, False]), np.array([True, True])

    found = concept(np.array([0.9, 0.4]), positive, true)

    assert (found.rows, found.realised) == (2, 0.5)
    assert found.expected == pytest.approx(0.75)
    assert found.z == pytest.approx(0.5 / np.sqrt(0.09 + 0.24))
    assert not found.alarm


def test_without_outcomes_there_is_no_alarm() -> None:
    nothing = np.array([])

    found = concept_of_labels(nothing, nothing.astype(bool))

    assert np.isnan(found.expected)
    assert not found.alarm


def test_a_certain_label_that_is_wrong_is_an_alarm() -> None:
    assert concept_of_labels(np.ones(3), np.array([True, True, False])).alarm
