"""Outcomes are stored once each, and every fault of a request is reported by its place."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from functions.predict.observe.feedback import validate
from sklambda.signature import Target
from tests.conftest import Trained
from tests.support.observed import observe

TIME = "2026-11-22T10:15:00+01:00"
FOLDER = "outcomes/year=2026/month=11/day=22/hour=09"


@pytest.fixture
def client(churn: Trained, tmp_path: Path) -> TestClient:
    return observe(churn.package, feedback_store=str(tmp_path)).client


def item(prediction: str = "a-0", outcome: object = "Yes", **more: object) -> dict[str, object]:
    return {"prediction_id": prediction, "outcome": outcome, **more}


def stored(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json"))]


def test_an_outcome_is_stored_in_the_hour_of_its_time(client: TestClient, tmp_path: Path) -> None:
    response = client.post("/feedback", json={"outcomes": [item(time=TIME)]})

    assert (response.status_code, response.json()) == (200, {"kept": 1})
    [path] = tmp_path.rglob("*.json")
    assert path.parent == tmp_path / FOLDER
    assert stored(tmp_path) == [{"prediction_id": "a-0", "outcome": "Yes", "time": TIME}]


def test_an_outcome_without_a_time_is_stored_in_the_hour_of_its_arrival(
    client: TestClient, tmp_path: Path
) -> None:
    client.post("/feedback", json={"outcomes": [item()]})

    [path] = tmp_path.rglob("*.json")
    assert f"year={datetime.now(UTC).year}" in str(path)


def test_the_same_outcome_again_changes_nothing(client: TestClient, tmp_path: Path) -> None:
    for _ in range(3):
        client.post("/feedback", json={"outcomes": [item(time=TIME), item(time=TIME)]})

    assert len(stored(tmp_path)) == 1


def test_the_chance_of_an_outcome_is_stored_with_it(client: TestClient, tmp_path: Path) -> None:
    client.post("/feedback", json={"outcomes": [item(time=TIME, selection=0.25)]})

    assert [each["selection"] for each in stored(tmp_path)] == [0.25]


def test_another_outcome_of_the_same_prediction_is_stored_too(
    client: TestClient, tmp_path: Path
) -> None:
    client.post("/feedback", json={"outcomes": [item(time=TIME), item(outcome="No", time=TIME)]})

    assert {each["outcome"] for each in stored(tmp_path)} == {"Yes", "No"}


def test_every_fault_is_named_and_nothing_is_stored(client: TestClient, tmp_path: Path) -> None:
    outcomes = [
        item(),
        item(outcome="Maybe"),
        item(outcome=1),
        {"outcome": "Yes", "x/y": 1},
        item(prediction=""),
        item(time="yesterday"),
        item(time="2026-11-22T10:15:00"),
        item(time="0001-01-01T00:00:00+05:00"),
        "Yes",
        item(selection=0),
        item(selection=True),
    ]

    response = client.post("/feedback", json={"outcomes": outcomes})

    assert response.status_code == 422
    faults = {(error["pointer"], error["code"]) for error in response.json()["errors"]}
    assert faults == {
        ("/outcomes/1/outcome", "unknown_label"),
        ("/outcomes/2/outcome", "type"),
        ("/outcomes/3/prediction_id", "absent"),
        ("/outcomes/3/x~1y", "unknown_member"),
        ("/outcomes/4/prediction_id", "type"),
        ("/outcomes/5/time", "not_a_datetime"),
        ("/outcomes/6/time", "not_a_datetime"),
        ("/outcomes/7/time", "not_a_datetime"),
        ("/outcomes/8", "type"),
        ("/outcomes/9/selection", "type"),
        ("/outcomes/10/selection", "type"),
    }
    assert "Maybe" not in response.text
    assert stored(tmp_path) == []


@pytest.mark.parametrize("body", [[], {}, {"outcomes": []}, {"outcomes": {}}, {"outcome": [1]}])
def test_a_body_of_another_shape_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/feedback", json=body).status_code == 422


def test_more_outcomes_than_the_limit_are_too_many(client: TestClient) -> None:
    assert client.post("/feedback", json={"outcomes": [item()] * 2001}).status_code == 413


def test_without_a_store_there_is_no_such_route(churn: Trained) -> None:
    client = observe(churn.package).client

    assert client.post("/feedback", json={"outcomes": [item()]}).status_code == 404
    assert "/feedback" not in client.get("/openapi.json").json()["paths"]


def test_the_client_of_s3_is_made_at_the_first_feedback(churn: Trained) -> None:
    made: list[dict[str, Any]] = []

    class Client:
        def put_object(self, **options: Any) -> None:
            made.append(options)

    observed = observe(churn.package, Client, feedback_store="s3://kept/here")

    assert observed.client.get("/health/ready").status_code == 200
    assert made == []
    observed.client.post("/feedback", json={"outcomes": [item(time=TIME)]})
    assert made[0]["Bucket"] == "kept"
    assert made[0]["Key"].startswith(f"here/{FOLDER}/")


NUMBERS = Target(task="regression", scores="value", outputs=("price",))
PAIRS = Target(task="regression", scores="value", outputs=("a", "b"))
GROUPS = Target(task="clustering", scores="label", classes=(0, 1))
PARTS = Target(
    task="multioutput",
    parts=tuple(Target(name=n, task="binary", classes=(False, True)) for n in ("x", "y")),
)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        (NUMBERS, 1),
        (NUMBERS, 1.5),
        (PAIRS, {"a": 1, "b": 2}),
        (GROUPS, 1),
        (GROUPS, 1.0),
        (PARTS, {"x": True, "y": False}),
    ],
)
def test_an_outcome_that_fits_the_target_has_no_fault(target: Target, outcome: object) -> None:
    assert list(validate(target, outcome)) == []


@pytest.mark.parametrize(
    ("target", "outcome", "expected"),
    [
        (NUMBERS, "1", ((), "type")),
        (NUMBERS, True, ((), "type")),
        (PAIRS, 1, ((), "type")),
        (PAIRS, {"a": 1}, (("b",), "absent")),
        (GROUPS, True, ((), "type")),
        (GROUPS, 2, ((), "unknown_label")),
        (PARTS, {"x": True, "y": 1}, (("y",), "type")),
        (PARTS, {"x": True, "y": False, "z": True}, (("z",), "unknown_member")),
    ],
)
def test_an_outcome_that_does_not_fit_has_a_fault(
    target: Target, outcome: object, expected: tuple[tuple[str, ...], str]
) -> None:
    assert [(path, code) for path, code, _ in validate(target, outcome)] == [expected]
