"""``fields`` and ``on_error``: lean predictions, and those of the rows without a fault."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import client_of, shapes
from training.frames import client_rows, kinds_of

type Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def client(churn: Trained) -> TestClient:
    return client_of(Predictor.open(churn.package))


@pytest.fixture
def rows(churn: Trained) -> Rows:
    frame = churn.frame.head(8)
    return client_rows(frame, kinds_of(frame))


def damage(rows: Rows) -> list[Any]:
    """Return rows of which the positions 1, 3, 4 and 7 have faults."""
    bad: list[Any] = [dict(row) for row in rows]
    bad[1]["tenure"] = "secret-4711"
    del bad[3]["gender"]
    bad[4] = 5
    bad[7] = {f"secret-{k}": k for k in range(50)}
    return bad


def predictions(client: TestClient, rows: Rows) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.post("/predict", json={"instances": rows}).json()[
        "predictions"
    ]
    return found


@pytest.mark.parametrize("as_member", [True, False])
def test_fields_select_members_of_each_prediction(
    client: TestClient, rows: Rows, as_member: bool
) -> None:
    whole = predictions(client, rows)

    body = {"instances": rows} | ({"fields": ["label", "score"]} if as_member else {})
    lean = client.post("/predict" + ("" if as_member else "?fields=label,score"), json=body)

    expected = [{"label": each["label"], "score": each["score"]} for each in whole]
    assert lean.json()["predictions"] == expected


@pytest.mark.parametrize("query", ["fields=nope", "fields=", "fields=label,nope", "on_error=no"])
def test_an_unknown_option_is_refused_with_the_choices(
    client: TestClient, rows: Rows, query: str
) -> None:
    response = client.post(f"/predict?{query}", json={"instances": rows})

    assert response.status_code == 422
    choices = "fail or skip" if "on_error" in query else "label, score"
    assert choices in response.json()["detail"]


def test_an_option_in_the_body_counts_and_one_in_the_query_must_be_valid(
    client: TestClient, rows: Rows
) -> None:
    body = {"instances": [*rows[:2], {}], "on_error": "skip"}

    counted = client.post("/predict?on_error=fail", json=body)
    refused = client.post("/predict?on_error=no", json=body)

    assert len(counted.json()["predictions"]) == 2
    assert (refused.status_code, refused.json()["total"]) == (422, 1)


@pytest.mark.parametrize(
    ("member", "value"), [("fields", 1), ("fields", []), ("fields", [1]), ("on_error", None)]
)
def test_a_member_of_another_type_is_refused_at_its_place(
    client: TestClient, rows: Rows, member: str, value: object
) -> None:
    response = client.post("/predict", json={"instances": rows, member: value})

    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{member}"]


@pytest.mark.parametrize("as_member", [True, False])
def test_rows_with_a_fault_are_skipped_and_listed(
    client: TestClient, rows: Rows, as_member: bool
) -> None:
    whole = predictions(client, rows)
    body = {"instances": damage(rows)} | ({"on_error": "skip"} if as_member else {})

    response = client.post("/predict" + ("" if as_member else "?on_error=skip"), json=body)

    found = response.json()
    assert [each["index"] for each in found["predictions"]] == [0, 2, 5, 6]
    assert [each["score"] for each in found["predictions"]] == [
        whole[k]["score"] for k in (0, 2, 5, 6)
    ]
    assert [each["index"] for each in found["rejects"]] == [1, 3, 4, 7]
    assert [each["faults"][0]["pointer"] for each in found["rejects"][:3]] == [
        "/instances/1/tenure",
        "/instances/3/gender",
        "/instances/4",
    ]
    assert found["rejects"][3]["total"] == 50 + len(rows[0])
    assert len(found["rejects"][3]["faults"]) == 10
    assert "4711" not in response.text


def test_a_request_without_a_good_row_has_rejects_only(client: TestClient) -> None:
    body = {"instances": [{}, 1], "on_error": "skip"}

    response = client.post("/predict", json=body)

    assert response.status_code == 200
    assert response.json()["predictions"] == []
    assert [each["index"] for each in response.json()["rejects"]] == [0, 1]


def test_without_the_option_one_fault_refuses_all(client: TestClient, rows: Rows) -> None:
    for query in ("", "?on_error=fail"):
        response = client.post(f"/predict{query}", json={"instances": damage(rows)})
        assert response.status_code == 422


def test_a_skipped_row_does_not_move_the_warnings(client: TestClient, rows: Rows) -> None:
    rows[0]["gender"], rows[2]["gender"] = 5, "none of training"

    found = client.post("/predict?on_error=skip", json={"instances": rows[:3]}).json()

    warned = {"feature": "gender", "code": "unseen_category"}
    assert [warned in each["warnings"] for each in found["predictions"]] == [False, True]


@pytest.mark.parametrize("shape", ["records", "instances", "inputs as rows", "split"])
def test_params_of_mlflow_skip_rows(
    client: TestClient, rows: Rows, shape: str, churn: Trained
) -> None:
    for position in (1, 4):
        rows[position]["tenure"] = "secret-4711"
    body = shapes(rows)[shape] | {"params": {"on_error": "skip"}}

    found = client.post("/invocations", json=body).json()

    good = [0, 2, 3, 5, 6, 7]
    assert found["indices"] == good
    assert found["predictions"] == churn.pipeline.predict(churn.frame.head(8).iloc[good]).tolist()
    assert [each["index"] for each in found["rejects"]] == [1, 4]
    assert "4711" not in str(found)


def test_rows_that_cannot_be_read_are_rejects_too(client: TestClient, rows: Rows) -> None:
    body = {"instances": [rows[0], [1, 2], rows[1]], "params": {"on_error": "skip"}}

    found = client.post("/invocations", json=body).json()

    assert found["indices"] == [0, 2]
    assert [(each["index"], each["faults"][0]["code"]) for each in found["rejects"]] == [
        (1, "length")
    ]


def test_an_unknown_column_refuses_the_table_all_the_same(client: TestClient, rows: Rows) -> None:
    columns = {"columns": [*rows[0], "other"], "data": [[*row.values(), 1] for row in rows]}

    response = client.post(
        "/invocations", json={"dataframe_split": columns, "params": {"on_error": "skip"}}
    )

    assert response.status_code == 422


def test_a_media_type_without_a_place_for_rejects_is_not_acceptable(
    client: TestClient, rows: Rows
) -> None:
    body = {"instances": rows, "params": {"on_error": "skip"}}

    response = client.post("/invocations", json=body, headers={"accept": "text/csv"})

    assert response.status_code == 406


def test_params_of_mlflow_select_fields(client: TestClient, rows: Rows) -> None:
    body = {"instances": rows, "params": {"fields": ["label", "score"]}}

    found = client.post("/invocations", json=body).json()["predictions"]

    expected = [{"label": e["label"], "score": e["score"]} for e in predictions(client, rows)]
    assert found == expected


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"fields": ["nope"]}, "/params/fields"),
        ({"on_error": 1}, "/params/on_error"),
        ({"fields": ["label"], "method": "predict"}, "/params/method"),
    ],
)
def test_a_fault_of_the_params_has_its_place(
    client: TestClient, rows: Rows, params: dict[str, Any], place: str
) -> None:
    response = client.post("/invocations", json={"instances": rows, "params": params})

    assert [error["pointer"] for error in response.json()["errors"]] == [place]


@pytest.mark.parametrize(
    ("path", "body", "subject"),
    [
        ("/predict", {"fields": ["nope"]}, "/fields must be "),
        ("/predict?fields=nope", {}, "fields must be "),
        ("/predict", {"on_error": "no"}, "/on_error must be "),
        ("/predict?on_error=no", {}, "on_error must be "),
        ("/invocations", {"params": {"fields": ["nope"]}}, "/params/fields must be "),
        ("/invocations", {"params": {"method": "nope"}}, "/params/method must be "),
        ("/invocations", {"params": {"on_error": 5}}, "/params/on_error must be "),
    ],
)
def test_a_fault_of_an_option_names_it_once(
    client: TestClient, rows: Rows, path: str, body: dict[str, Any], subject: str
) -> None:
    detail = client.post(path, json={"instances": rows} | body).json()["detail"]

    assert detail.startswith(f"The request body is invalid: {subject}")
