"""The example's scenario: no drift, then data drift, then concept drift."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from functions.monitor.performance.estimated import estimate_from_bins
from sklambda.sketch.baseline import Calibrator, Reference
from sklambda.sketch.sketcher import count_numbers
from tests.support.releases import since
from training.baseline.monitoring_files import calibrate
from training.baseline.rulers import share_ruler, with_edge
from training.checks.scenario import HOURS, LABELLED, PHASES, START, Hour, Phase, customers
from training.checks.scenario import hours as hours_of
from training.examples.churn.pipeline import build
from training.examples.churn.sample import generate

MANY = 40_000


@pytest.fixture(scope="module")
def hours() -> list[Hour]:
    return list(hours_of(seed=0))


def test_it_is_three_weeks_hour_by_hour(hours: list[Hour]) -> None:
    assert [hour.start for hour in hours] == [
        START + timedelta(hours=place) for place in range(3 * HOURS)
    ]
    assert [hour.phase for hour in hours[::HOURS]] == [*PHASES]
    assert 25_000 < sum(len(hour.rows) for hour in hours) < 35_000


def test_rows_are_features_and_some_have_outcomes_some_time_later(hours: list[Hour]) -> None:
    labelled = np.concatenate([hour.labelled for hour in hours])
    late = np.concatenate([hour.late for hour in hours])

    assert list(hours[0].rows) == list(features(generate(1, 0)))
    assert labelled.mean() == pytest.approx(LABELLED, abs=0.01)
    assert (late.min(), late.max()) == (2, 60)
    assert all(len(hour.rows) == len(hour.outcomes) == len(hour.late) for hour in hours)


def test_the_same_seed_gives_the_same(hours: list[Hour]) -> None:
    again, other = (next(hours_of(seed)) for seed in (0, 1))

    pd.testing.assert_frame_equal(again.rows, hours[0].rows)
    assert not again.rows.equals(other.rows)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    table = generate(MANY // 2, seed=7)
    return build().fit(features(table), table["Churn"])


@pytest.fixture(scope="module")
def calibrator(pipeline: Any) -> Calibrator | None:
    table = generate(MANY // 2, seed=8)
    return calibrate(*answered(pipeline, table))


@pytest.fixture(scope="module")
def found(pipeline: Any, calibrator: Calibrator | None) -> Mapping[Phase, dict[str, float]]:
    """Realised figures of each phase, and how far the estimated ones lie above."""
    return {phase: figures(pipeline, calibrator, phase) for phase in PHASES}


@since("1.9", "its boosting fits otherwise before, and is 0.0002 over the bound")
def test_of_shifted_customers_the_performance_is_estimated_to_5_thousandths(
    found: Mapping[Phase, dict[str, float]],
) -> None:
    assert abs(found["shift"]["area estimated"]) < 0.005
    assert abs(found["shift"]["accuracy estimated"]) < 0.005


def test_concept_drift_is_seen_by_outcomes_alone(
    found: Mapping[Phase, dict[str, float]],
) -> None:
    assert found["shift"]["area"] > 0.8
    assert found["concept"]["area"] < found["stable"]["area"] - 0.15
    assert found["concept"]["area estimated"] > 0.15


def features(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["customerID", "Churn"])


def answered(pipeline: Any, table: pd.DataFrame) -> tuple[Any, Any]:
    return pipeline.predict_proba(features(table))[:, 1], (table["Churn"] == "Yes").to_numpy()


def figures(pipeline: Any, calibrator: Calibrator | None, phase: Phase) -> dict[str, float]:
    scores, true = answered(pipeline, customers(phase, 2 * MANY, seed=9))
    ruler = with_edge(share_ruler(), 0.5)
    column = count_numbers(ruler, scores)
    estimated = estimate_from_bins(Reference(ruler=ruler, column=column), column, 0.5, calibrator)
    area, accuracy = roc_auc_score(true, scores), accuracy_score(true, scores > 0.5)
    return {
        "area": area,
        "area estimated": estimated["roc_auc"].value - area,
        "accuracy estimated": estimated["accuracy"].value - accuracy,
    }
