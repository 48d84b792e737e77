"""Predictions are captured by the settings, without redacted features."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.predict.observe.capture import MAX_LINE_BYTES
from functions.predict.observe.sampling import is_sampled
from sklambda.errors import SettingsInvalid
from sklambda.prediction_ids import row_digest
from sklambda.predictor import Predictor
from sklambda.signature import Signature
from tests.conftest import Trained
from tests.support.observed import observe


@pytest.fixture
def signature(predictor: Predictor) -> Signature:
    return predictor.package.signature


@pytest.fixture
def row(signature: Signature) -> dict[str, Any]:
    return dict(signature.example)


def test_nothing_is_captured_by_default(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package)

    observed.client.post("/predict", json={"instances": [row]})

    assert observed.written == []


def test_a_capture_has_the_features_and_the_prediction(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package, capture="raw")
    odd = row | {"tenure": 999, "TotalCharges": None}

    body = observed.client.post("/predict", json={"instances": [odd, row]}).json()

    [line] = observed.lines("capture")
    first, second = line["records"]
    [one, _] = body["predictions"]
    assert (line["model"], line["role"], line["mode"]) == (body["model"]["id"], "champion", "raw")
    assert line["time"].endswith("+00:00")
    assert first == {
        "prediction_id": one["prediction_id"],
        "features": odd,
        "scores": list(one["probabilities"].values()),
        "label": one["label"],
        "warnings": one["warnings"],
    }
    assert {warning["code"] for warning in first["warnings"]} == {"out_of_range", "missing"}
    assert second["features"] == row


def test_binned_features_have_their_bin_of_the_range(
    churn: Trained, row: dict[str, Any], signature: Signature
) -> None:
    observed = observe(churn.package, capture="binned")
    span = {one.name: one.span for one in signature.features}["MonthlyCharges"]
    assert span is not None
    low, high = span
    values = [low - 1, low, (low + high) / 2 + 1e-6, high, high + 1, None]

    observed.client.post(
        "/predict", json={"instances": [row | {"MonthlyCharges": value} for value in values]}
    )

    [line] = observed.lines("capture")
    bins = [capture["features"]["MonthlyCharges"] for capture in line["records"]]
    assert bins == [-1, 0, 5, 9, 10, None]
    assert line["records"][0]["features"]["Contract"] in range(3)


def test_a_redacted_feature_is_captured_nowhere(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package, capture="raw", redact=("gender", "TotalCharges"))

    observed.client.post("/predict", json={"instances": [row | {"TotalCharges": None}]})

    [line] = observed.lines("capture")
    [capture] = line["records"]
    assert capture["features"].keys() == row.keys() - {"gender", "TotalCharges"}
    assert capture["warnings"] == []


def test_a_redacted_name_that_is_no_feature_stops_the_start(churn: Trained) -> None:
    with pytest.raises(SettingsInvalid, match="'gendr'"):
        observe(churn.package, capture="raw", redact=("gendr",))


def test_the_share_is_drawn_by_the_predictions_id(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package, capture="raw", capture_share=0.3)

    body = observed.client.post("/predict", json={"instances": [row] * 1000}).json()

    captures = [each for line in observed.lines("capture") for each in line["records"]]
    names = [one["prediction_id"] for one in body["predictions"]]
    drawn = [name for name in names if is_sampled(name, 0.3, "capture")]
    assert [capture["prediction_id"] for capture in captures] == drawn
    assert 240 < len(drawn) < 360


def test_two_calls_with_one_request_id_have_predictions_of_their_own(
    churn: Trained, row: dict[str, Any]
) -> None:
    observed = observe(churn.package, capture="raw")
    rows = [row | {"tenure": tenure} for tenure in (2, 70)]

    answers = [
        observed.client.post(
            "/predict", json={"instances": [row]}, headers={"x-request-id": "checkout-77"}
        )
        for row in rows
    ]

    lines = observed.lines("capture")
    assert {answer.headers["x-request-id"] for answer in answers} == {"checkout-77"}
    assert {line["request_id"] for line in lines} == {"checkout-77"}
    ids = [line["records"][0]["prediction_id"] for line in lines]
    assert len(set(ids)) == 2
    assert ids == [answer.json()["predictions"][0]["prediction_id"] for answer in answers]


def test_no_line_is_longer_than_the_log_accepts(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package, capture="raw")

    observed.client.post("/predict", json={"instances": [row] * 2000})

    assert len(observed.written) > 1
    assert all(len(line) <= MAX_LINE_BYTES for line in observed.written)
    counts = [len(json.loads(line)["records"]) for line in observed.written]
    assert sum(counts) == 2000


ROW_IDS: list[dict[str, Any]] = [{"row_id": "secret-4711"}, {"row_id": 2}, {"row_id": None}, {}]


def test_the_clients_row_id_is_returned_and_captured_by_its_digest(
    churn: Trained, row: dict[str, Any], tmp_path: Path
) -> None:
    observed = observe(churn.package, capture="raw", feedback_store=str(tmp_path))

    body = observed.client.post("/predict", json={"instances": [row | one for one in ROW_IDS]})

    predictions = body.json()["predictions"]
    [line] = observed.lines("capture")
    assert [one.get("row_id") for one in predictions] == ["secret-4711", 2, None, None]
    assert ["row_id" in one for one in predictions] == [True, True, False, False]
    digests = [one.get("row") for one in line["records"]]
    assert digests == [row_digest("secret-4711"), row_digest(2), None, None]
    assert all(one["features"] == row for one in line["records"])
    assert b"secret-4711" not in b"".join(observed.written)


def test_without_feedback_no_row_is_captured(churn: Trained, row: dict[str, Any]) -> None:
    observed = observe(churn.package, capture="raw")

    observed.client.post("/predict", json={"instances": [row | {"row_id": "secret-4711"}]})

    [line] = observed.lines("capture")
    assert "row" not in line["records"][0]
