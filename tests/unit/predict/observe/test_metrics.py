"""A request writes one line that CloudWatch reads as metrics."""

from typing import Any

import numpy as np
import pytest
from pydantic_core import from_json

from functions.predict.http import exchange
from sklambda.decision import to_predictions
from sklambda.predictor import Predictor
from sklambda.signature import Target
from tests.conftest import Trained
from tests.support.observed import Observed, observe


@pytest.fixture
def row(predictor: Predictor) -> dict[str, Any]:
    return dict(predictor.package.signature.example)


@pytest.fixture
def observed(churn: Trained) -> Observed:
    return observe(churn.package, metrics_namespace="here")


def named(line: dict[str, Any]) -> list[tuple[list[str], set[str]]]:
    """Return the dimensions and the names of the metrics of a line."""
    return [
        (directive["Dimensions"][0], {metric["Name"] for metric in directive["Metrics"]})
        for directive in line["_aws"]["CloudWatchMetrics"]
    ]


def test_predictions_are_counted(observed: Observed, row: dict[str, Any]) -> None:
    rows = [row, row | {"TotalCharges": None}, row | {"tenure": 999, "TotalCharges": None}]

    body = observed.client.post("/predict", json={"instances": rows}).json()

    [line] = observed.lines("request")
    scores = [prediction["score"] for prediction in body["predictions"]]
    assert named(line) == [
        (
            ["model"],
            {"latency", "requests", "rows", "score", "warning_missing", "warning_out_of_range"},
        )
    ]
    assert (line["model"], line["requests"], line["rows"]) == ("churn", 1, 3)
    assert (line["warning_missing"], line["warning_out_of_range"]) == (2, 1)
    assert line["score"] == scores
    assert sum(line["score_bins"].values()) == 3
    assert set(line["score_bins"]) == {str(int(score * 100)) for score in scores}
    assert 0 < line["latency"] < 60_000


def test_a_line_has_what_leads_to_the_request(observed: Observed, row: dict[str, Any]) -> None:
    observed.client.post(
        "/predict", json={"instances": [row]}, headers={"x-request-id": "request-1"}
    )

    [line] = observed.lines("request")
    assert (line["request_id"], line["route"], line["status"]) == ("request-1", "/predict", 200)
    assert line["role"] == "champion"


def test_a_problem_is_counted_by_its_type(observed: Observed, row: dict[str, Any]) -> None:
    observed.client.post("/predict", json={"instances": [row | {"tenure": "secret-4711"}]})

    [line] = observed.lines("request")
    assert named(line) == [
        (["model"], {"latency", "requests", "problems"}),
        (["model", "problem"], {"problems"}),
    ]
    assert (line["status"], line["problem"], line["problems"]) == (422, "rows-invalid", 1)
    assert b"secret-4711" not in b"".join(observed.written)


def test_an_unknown_path_is_not_written(observed: Observed) -> None:
    observed.client.get("/secret-4711")

    [line] = observed.lines("request")
    assert line["problem"] == "not-found"
    assert b"secret-4711" not in b"".join(observed.written)


def test_many_scores_are_thinned_to_what_cloudwatch_accepts(
    observed: Observed, row: dict[str, Any]
) -> None:
    observed.client.post("/predict", json={"instances": [row] * 950})

    [line] = observed.lines("request")
    assert len(line["score"]) <= 100
    assert sum(line["score_bins"].values()) == 950


def test_without_a_namespace_nothing_is_written(churn: Trained, row: dict[str, Any]) -> None:
    quiet = observe(churn.package)

    quiet.client.post("/predict", json={"instances": [row]})

    assert quiet.written == []


def test_each_request_has_its_own_line(observed: Observed, row: dict[str, Any]) -> None:
    observed.client.get("/health/live")
    observed.client.post("/predict", json={"instances": [row]})
    observed.client.get("/health/live")

    assert [line.get("rows") for line in observed.lines("request")] == [None, 1, None]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_null_in_json(value: float) -> None:
    target = Target(task="regression", scores="value", outputs=("price",))
    [prediction] = to_predictions(target, np.array([[value]]))

    content = exchange.to_json(prediction.members)

    assert from_json(content, allow_inf_nan=False) == {"values": {"price": None}}
