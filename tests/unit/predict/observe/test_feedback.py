"""Outcomes are stored once each, and every fault of a request is reported by its place."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from functions.predict.http.exchange import Caller, Limits, Request
from functions.predict.http.problems import ProblemRaised
from functions.predict.observe.feedback import Feedback, validate
from sklambda.package import ModelPackage
from sklambda.prediction_ids import draw_request_part, row_digest
from sklambda.signature import Target
from sklambda.storage import Directory
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


def test_each_time_of_an_outcome_is_stored(client: TestClient, tmp_path: Path) -> None:
    told = [("Yes", "09:59"), ("No", "09:30"), ("Yes", "09:10")]

    for outcome, clock in told:
        time = f"2026-11-22T{clock}:00Z"
        client.post("/feedback", json={"outcomes": [item(outcome=outcome, time=time)]})

    assert {(one["outcome"], one["time"][11:16]) for one in stored(tmp_path)} == set(told)


def test_one_moment_in_two_time_zones_is_one_outcome(client: TestClient, tmp_path: Path) -> None:
    times = ("2026-11-22T10:15:00+01:00", "2026-11-22T09:15:00Z", "2026-11-22T09:15:00.000000Z")

    client.post("/feedback", json={"outcomes": [item(time=time) for time in times]})

    assert len(stored(tmp_path)) == 1


def test_another_selection_is_another_outcome(client: TestClient, tmp_path: Path) -> None:
    outcomes = [item(time=TIME, selection=selection) for selection in (0.5, 0.25, 0.5)]

    client.post("/feedback", json={"outcomes": outcomes})

    assert sorted(one["selection"] for one in stored(tmp_path)) == [0.25, 0.5]


def test_an_outcome_of_the_clients_row_is_stored_by_its_digest(
    client: TestClient, tmp_path: Path
) -> None:
    outcomes = [
        {"row_id": name, "outcome": "Yes", "time": TIME} for name in ("7", 7, "secret-4711")
    ]

    response = client.post("/feedback", json={"outcomes": outcomes})

    assert response.json() == {"kept": 3}
    rows = {one["row"] for one in stored(tmp_path)}
    assert rows == {row_digest("7"), row_digest("secret-4711")}
    assert b"4711" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("minutes", "code"), [(-6, "before_prediction"), (-4, None), (4, None), (6, "in_the_future")]
)
def test_an_outcome_is_of_the_time_between_its_prediction_and_now(
    client: TestClient, churn: Trained, minutes: int, code: str | None
) -> None:
    row = ModelPackage.open(churn.package).signature.example
    body = client.post("/predict", json={"instances": [row]}).json()
    name = body["predictions"][0]["prediction_id"]
    time = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()

    response = client.post("/feedback", json={"outcomes": [item(name, time=time)]})

    errors = response.json().get("errors", [])
    expected = [] if code is None else [("/outcomes/0/time", code)]
    assert [(error["pointer"], error["code"]) for error in errors] == expected


@pytest.mark.parametrize("time", [None, "now"])
def test_an_outcome_of_a_prediction_that_is_not_made_yet_is_refused(
    client: TestClient, time: str | None
) -> None:
    now = datetime.now(UTC)
    name = f"{draw_request_part((now + timedelta(minutes=6)).timestamp())}-0"
    members = {"time": now.isoformat()} if time else {}

    response = client.post("/feedback", json={"outcomes": [item(name) | members]})

    assert [error["code"] for error in response.json()["errors"]] == ["before_prediction"]


def test_an_id_with_a_moment_that_no_calendar_has_is_one_of_another_form(
    client: TestClient,
) -> None:
    name = "ffffffff-ffff-7fff-bfff-ffffffffffff-0"

    assert client.post("/feedback", json={"outcomes": [item(name)]}).json() == {"kept": 1}


HUGE = int("9" * 400)


@pytest.mark.parametrize(
    "outcome",
    [
        item(outcome=HUGE),
        item(outcome=-HUGE),
        item(outcome=[1]),
        item(outcome={"Yes": 1}),
        item(outcome="Y" * 100_000),
        item(outcome=None),
        item(prediction="p" * 100_000),
        item(time=HUGE),
        item(time="2026-11-22T10:15:00+" + "9" * 1000),
        item(selection=HUGE),
        item(selection=1e-300),
        item(selection="0.5"),
        {"row_id": HUGE, "outcome": "Yes"},
        {"row_id": True, "outcome": "Yes"},
        {"row_id": ["a"], "outcome": "Yes"},
        {"row_id": "", "outcome": "Yes"},
        {"row_id": "r" * 257, "outcome": "Yes"},
        {"row_id": "a", "prediction_id": "a-0", "outcome": "Yes"},
        {"outcome": "Yes"},
    ],
)
def test_an_absurd_outcome_is_refused(
    client: TestClient, tmp_path: Path, outcome: dict[str, object]
) -> None:
    content = json.dumps({"outcomes": [outcome]})

    response = client.post(
        "/feedback", content=content, headers={"content-type": "application/json"}
    )

    assert response.status_code == 422
    assert stored(tmp_path) == []


def price(folder: Path, value: str) -> None:
    """Send an outcome of a regressor to the feedback of a folder."""
    body = f'{{"outcomes": [{{"prediction_id": "a-0", "outcome": {value}}}]}}'.encode()
    limits = Limits(10, 1_000_000)
    Feedback(NUMBERS, Directory(folder), limits).keep(Request({}, body, {}, {}, Caller("name")))


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1e999", "9" * 309, "9" * 5000, "[" * 100_000, '"\\ud800"']
)
def test_an_absurd_outcome_of_a_regressor_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        price(tmp_path, value)

    assert raised.value.status in (400, 422)
    assert stored(tmp_path) == []


@pytest.mark.parametrize("value", ["-0e400", "1e308", "9" * 308, "5e-324"])
def test_a_finite_outcome_of_a_regressor_is_stored(tmp_path: Path, value: str) -> None:
    price(tmp_path, value)

    assert [one["outcome"] for one in stored(tmp_path)] == [float(value)]


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
