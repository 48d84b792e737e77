"""About ten metrics a run; what there is one of for each feature is none."""

import json
from datetime import UTC, datetime
from math import nan
from typing import Any

from functions.monitor.alarms.traffic import Traffic
from functions.monitor.notify.metrics import figures, line
from functions.monitor.performance.estimated import Estimate
from functions.monitor.results import Results
from functions.monitor.statistics.intervals import Interval
from tests.support.runs import CONCEPT, empty, good, results, trained, verdict


def written(found: Results) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(line("stack", found))
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

    assert figures(found) == {
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
    answers = (verdict("Yes", about="prediction"),)

    found = results(comparisons=[trained(verdict("tenure"), predictions=answers)])

    assert (figures(found)["drifted_features"], figures(found)["drifted_predictions"]) == (1, 1)


def test_only_training_is_compared_with() -> None:
    found = results(comparisons=[trained(), trained(verdict("tenure"))])

    assert figures(found)["drifted_features"] == 0


def test_what_is_not_known_is_no_metric() -> None:
    unknown = good(realised={}, estimated={"accuracy": Estimate(nan, nan)}, labelled=0)

    found = figures(results(performance=[unknown]))

    assert not {"realised_performance", "estimated_performance", "freshness_minutes"} & set(found)


def test_another_metric_stands_in_where_there_is_no_accuracy() -> None:
    found = results(performance=[good(realised={"bias": Interval(2.0, 1, 3, 9)}, estimated={})])

    assert figures(found)["realised_performance"] == 2.0
    assert written(found)["metric"] == "bias"


def test_where_nothing_came_the_whole_window_counts() -> None:
    assert figures(empty())["freshness_minutes"] == 24 * 60 + 20


def test_the_metrics_have_no_dimension_and_are_among_the_members() -> None:
    members = written(results(verdict("tenure")))

    [directive] = members["_aws"]["CloudWatchMetrics"]
    names = [one["Name"] for one in directive["Metrics"]]
    assert (directive["Namespace"], directive["Dimensions"]) == ("stack", [[]])
    assert len(names) <= 11
    assert all(isinstance(members[name], int | float) for name in names)
    made = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)
    assert members["_aws"]["Timestamp"] == made.timestamp() * 1000


def test_each_feature_is_a_property() -> None:
    members = written(results(verdict("tenure"), verdict("tenure", check="missing", p=nan)))

    assert members["features"] == {
        "tenure": {
            "distribution": {"effect": 0.5, "p": 0.001, "state": "changed"},
            "missing": {"effect": 0.5, "p": None, "state": "changed"},
        }
    }
    assert members["kind"] == "monitor"


def test_a_line_of_very_many_features_is_not_endless() -> None:
    members = written(results(*(verdict(f"feature {n}") for n in range(5000))))

    assert members["drifted_features"] == 5000
    assert len(members["features"]) == 200
