"""``/invocations`` reports all faults of a request at once, by their places, without values."""

import json
from typing import Any

import httpx2
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.support.invocations import CSV, LINES, PROBABILITIES, SHAPES, shapes

SECRET = "secret-4711"

PLACES = {
    "split": "/dataframe_split/data/1/4",
    "split backwards": "/dataframe_split/data/1/14",
    "split without columns": "/dataframe_split/data/1/4",
    "records": "/dataframe_records/1/tenure",
    "instances": "/instances/1/tenure",
    "instances as lists": "/instances/1/4",
    "instances as vectors": "/instances/1/features/4",
    "inputs as rows": "/inputs/1/tenure",
    "inputs as lists": "/inputs/1/4",
    "inputs as columns": "/inputs/tenure/1",
}


def errors(response: httpx2.Response, kind: str = "body-invalid") -> list[tuple[str, str]]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["type"]) == (422, f"urn:sklambda:problem:{kind}")
    assert body["message"] == body["error"] == body["detail"]
    assert SECRET not in response.text
    return [(error["pointer"], error["code"]) for error in body["errors"]]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fault_points_to_its_place_in_each_shape(
    client: TestClient, rows: list[dict[str, Any]], shape: str
) -> None:
    rows[1]["tenure"] = SECRET

    response = client.post("/invocations", json=shapes(rows)[shape])

    assert errors(response, "rows-invalid") == [(PLACES[shape], "type")]


def test_faults_of_a_csv_and_of_its_cells_are_reported_together(
    client: TestClient, frame: pd.DataFrame
) -> None:
    frame = frame.head(3).assign(tenure=[1, SECRET, 3]).rename(columns={"gender": SECRET})
    content = frame.to_csv(index=False) + f"{SECRET},1\n"

    response = client.post("/invocations", content=content, headers=CSV)

    assert errors(response) == [
        ("/header/0", "unknown_feature"),
        ("/header", "absent"),
        ("/3", "length"),
        ("/1/tenure", "type"),
    ]


def test_faults_of_json_lines_are_reported_together(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    lines = [json.dumps(rows[0]), "{", "[1]", json.dumps(rows[1] | {"tenure": SECRET}), "null"]

    response = client.post("/invocations", content="\n".join(lines), headers=LINES | PROBABILITIES)

    assert errors(response) == [
        ("/1", "not_json"),
        ("/2", "length"),
        ("/3/tenure", "type"),
        ("/4", "not_an_object"),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"params": []}, [("/params", "type")]),
        ({"params": {"method": "transform"}}, [("/params/method", "method")]),
        ({"params": {"method": "decision_function"}}, [("/params/method", "method")]),
        ({"params": {"temperature": 1}}, [("/params/temperature", "unknown_member")]),
        ({"signature_name": "x"}, [("/signature_name", "unknown_member")]),
        ({"inputs": {}}, [("", "shape")]),
    ],
)
def test_a_body_with_more_than_rows_and_a_method_is_refused(
    client: TestClient,
    rows: list[dict[str, Any]],
    change: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    assert errors(client.post("/invocations", json={"instances": rows} | change)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], [("", "type")]),
        ({}, [("", "shape")]),
        ({"instances": []}, [("/instances", "type")]),
        ({"dataframe_records": {}}, [("/dataframe_records", "type")]),
        ({"dataframe_split": []}, [("/dataframe_split", "type")]),
        ({"dataframe_split": {"columns": []}}, [("/dataframe_split/data", "type")]),
        (
            {"dataframe_split": {"columns": 1, "data": [[]], "x": 1}},
            [("/dataframe_split/x", "unknown_member"), ("/dataframe_split/columns", "type")],
        ),
        ({"inputs": 7}, [("/inputs", "type")]),
    ],
)
def test_a_body_of_another_shape_is_refused_by_its_place(
    client: TestClient, body: object, expected: list[tuple[str, str]]
) -> None:
    assert errors(client.post("/invocations", json=body)) == expected


def test_columns_are_checked_whole(client: TestClient, rows: list[dict[str, Any]]) -> None:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    del columns["gender"]
    columns |= {"tenure": [1], "Contract": SECRET, "more": [], "MonthlyCharges": [SECRET] * 20}

    response = client.post("/invocations", json={"inputs": columns})

    assert errors(response)[:5] == [
        ("/inputs/tenure", "length"),
        ("/inputs/Contract", "type"),
        ("/inputs/more", "unknown_feature"),
        ("/inputs/gender", "absent"),
        ("/inputs/MonthlyCharges/0", "type"),
    ]


def test_a_table_without_rows_is_refused(client: TestClient, rows: list[dict[str, Any]]) -> None:
    columns: dict[str, Any] = {name: [] for name in rows[0]}

    assert errors(client.post("/invocations", json={"inputs": columns})) == [("/inputs", "type")]
    assert errors(client.post("/invocations", content=b"\n", headers=LINES)) == [("", "type")]


@pytest.mark.parametrize("shape", SHAPES)
def test_more_rows_than_the_limit_are_too_many(
    client: TestClient, rows: list[dict[str, Any]], shape: str
) -> None:
    response = client.post("/invocations", json=shapes(rows[:1] * 51)[shape])

    assert (response.status_code, response.json()["limit"]) == (413, 50)


def test_more_lines_or_bytes_than_the_limit_are_too_many(client: TestClient) -> None:
    lines = client.post("/invocations", content="[]\n" * 51, headers=LINES)
    size = client.post("/invocations", content=" " * 200_001, headers=CSV)

    assert (lines.status_code, lines.json()["limit"]) == (413, 50)
    assert (size.status_code, size.json()["limit"]) == (413, 200_000)


def test_what_is_no_json_is_a_bad_request(client: TestClient) -> None:
    response = client.post("/invocations", content=b"{")

    assert (response.status_code, response.json()["type"]) == (400, "urn:sklambda:problem:not-json")


def test_what_is_not_accepted_is_refused(client: TestClient, rows: list[dict[str, Any]]) -> None:
    response = client.post(
        "/invocations", json={"instances": rows}, headers={"accept": "application/x-parquet"}
    )

    assert (response.status_code, response.json()["type"]) == (
        406,
        "urn:sklambda:problem:not-acceptable",
    )


@pytest.mark.parametrize(
    "media",
    [
        "application/vnd.apache.parquet",
        "text/plain",
        "text/csv; charset=latin-1",
        "text/csv; header=maybe",
    ],
)
def test_another_media_type_is_unsupported(client: TestClient, media: str) -> None:
    response = client.post("/invocations", content=b"1", headers={"content-type": media})

    assert response.status_code == 415
    assert "text/csv" in response.headers["accept"]


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
names = st.sampled_from(["tenure", "gender", "features", "columns", "data", "index"])
documents = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs", "params"]),
        documents,
        max_size=2,
    )
    | documents
)
def test_any_json_is_a_problem_and_none_a_failure(client: TestClient, document: object) -> None:
    headers = {"content-type": "application/json"}

    response = client.post("/invocations", content=json.dumps(document), headers=headers)

    assert response.status_code in (400, 413, 422)


@given(st.lists(documents, max_size=4))
def test_any_json_lines_are_a_problem_and_none_a_failure(
    client: TestClient, lines: list[object]
) -> None:
    content = "\n".join(map(json.dumps, lines))

    response = client.post("/invocations", content=content, headers=LINES)

    assert response.status_code in (413, 422)
