"""A run has about ten metrics; the values of each feature are properties."""

import json
from datetime import UTC, datetime
from math import nan
from typing import Any

from functions.monitor.alarms.traffic import Traffic
from functions.monitor.notify import metric_values, metrics_line
from functions.monitor.performance.estimated import Estimate
from functions.monitor.results import Results
from functions.monitor.statistics.intervals import Interval
from tests.support.runs import CONCEPT, empty, good, results, trained, verdict


def parsed_line(found: Results) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(metrics_line("stack", found))
    return members


def test_a_run_is_a_few_figures() -> None:
    found = results(
        verdict("tenure"),
        verdict("tenure", check="missing"),
        verdict("Contract", check="unseen"),
        verdict("gender", state="stable"),
        traffic=Traffic(minutes_since=12.0),
        retrain=("concept drift in Churn",),
        performance=[good(concept=CONCEPT, dropped=("accuracy",))],
    )

    assert metric_values(found) == {
        "predictions": 900,
        "drifted_features": 1,
        "drifted_predictions": 0,
        "quality_faults": 2,
        "outcomes": 300,
        "realised_performance": 0.8,
        "estimated_performance": 0.8,
        "dropped_metrics": 1,
        "concept_alarms": 1,
        "retrain": 1,
        "freshness_minutes": 12.0,
    }


def test_scores_that_drift_are_counted_apart() -> None:
    scores = (verdict("Yes", about="prediction"),)

    found = results(comparisons=[trained(verdict("tenure"), predictions=scores)])

    values = metric_values(found)
    assert (values["drifted_features"], values["drifted_predictions"]) == (1, 1)


def test_only_the_comparison_with_training_counts() -> None:
    found = results(comparisons=[trained(), trained(verdict("tenure"))])

    assert metric_values(found)["drifted_features"] == 0


def test_unknown_values_are_left_out() -> None:
    unknown = good(realised={}, estimated={"accuracy": Estimate(nan, nan)}, labelled=0)

    found = metric_values(results(performance=[unknown]))

    assert not {"realised_performance", "estimated_performance", "freshness_minutes"} & set(found)


def test_without_accuracy_the_first_metric_is_the_main_one() -> None:
    found = results(performance=[good(realised={"bias": Interval(2.0, 1, 3, 9)}, estimated={})])

    assert metric_values(found)["realised_performance"] == 2.0
    assert parsed_line(found)["metric"] == "bias"


def test_freshness_without_predictions_is_at_least_the_window() -> None:
    assert metric_values(empty())["freshness_minutes"] == 24 * 60 + 20


def test_the_metrics_have_no_dimension_and_are_among_the_members() -> None:
    members = parsed_line(results(verdict("tenure")))

    [directive] = members["_aws"]["CloudWatchMetrics"]
    names = [one["Name"] for one in directive["Metrics"]]
    assert (directive["Namespace"], directive["Dimensions"]) == ("stack", [[]])
    assert len(names) <= 11
    assert all(isinstance(members[name], int | float) for name in names)
    made = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)
    assert members["_aws"]["Timestamp"] == made.timestamp() * 1000


def test_each_feature_is_a_property() -> None:
    members = parsed_line(results(verdict("tenure"), verdict("tenure", check="missing", p=nan)))

    assert members["features"] == {
        "tenure": {
            "distribution": {"effect": 0.5, "p": 0.001, "state": "changed"},
            "missing": {"effect": 0.5, "p": None, "state": "changed"},
        }
    }
    assert members["kind"] == "monitor"


def test_a_line_of_very_many_features_is_limited() -> None:
    members = parsed_line(results(*(verdict(f"feature {n}") for n in range(5000))))

    assert members["drifted_features"] == 5000
    assert len(members["features"]) == 200
