"""What SageMaker's clients send beside the body, and what they see beside the predictions."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/endpoints/churn/invocations"
LINES = ["application/jsonlines", "application/x-ndjson", "application/x-jsonlines"]
VARIANT = "x-amzn-sagemaker-target-variant"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"

type Rows = list[dict[str, Any]]


def to_csv(rows: Rows, comma: str = ",") -> str:
    cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
    return "\n".join([",".join(rows[0]), *map(comma.join, cells)])


def warnings(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.headers["x-warnings"])
    return found


@pytest.mark.parametrize("media", LINES)
def test_json_lines_have_several_names(client: TestClient, rows: Rows, media: str) -> None:
    content = "\n".join(map(json.dumps, rows))
    headers = {"content-type": media, "accept": media}

    response = client.post(PATH, content=content, headers=headers)

    assert response.headers["content-type"] == media
    assert len(response.text.splitlines()) == len(rows)


def test_csv_has_two_names(client: TestClient, rows: Rows) -> None:
    found = [
        client.post(PATH, content=to_csv(rows), headers={"content-type": media, "accept": media})
        for media in ("text/csv", "application/csv")
    ]

    assert found[0].text == found[1].text
    assert found[1].headers["content-type"] == "application/csv"


@pytest.mark.parametrize("variant", ["champion", "1", "id"])
def test_a_variant_is_a_version(client: TestClient, rows: Rows, variant: str) -> None:
    known = client.get("/model").json()["manifest"]["id"]
    headers = {VARIANT: known if variant == "id" else variant}

    response = client.post(PATH, json={"instances": rows}, headers=headers)

    assert response.status_code == 200
    assert response.headers["x-amzn-invoked-production-variant"] == known


@pytest.mark.parametrize("variant", ["challenger", "AllTraffic", ""])
def test_a_variant_that_is_not_served_is_not_found(
    client: TestClient, rows: Rows, variant: str
) -> None:
    response = client.post(PATH, json={"instances": rows}, headers={VARIANT: variant})

    assert response.status_code == 404
    assert response.json()["message"].startswith("Unknown version")


def test_the_inference_id_is_the_id_of_the_request(client: TestClient, rows: Rows) -> None:
    headers = {INFERENCE_ID: "order-17"}

    response = client.post(PATH, json={"instances": rows}, headers=headers)

    assert response.headers["x-request-id"] == "order-17"


@pytest.mark.parametrize("value", ["", "a b", "a" * 129, "a/b"])
def test_another_inference_id_is_refused(client: TestClient, rows: Rows, value: str) -> None:
    response = client.post(PATH, json={"instances": rows}, headers={INFERENCE_ID: value})

    assert response.status_code == 422
    assert INFERENCE_ID in response.json()["message"]


@pytest.mark.parametrize(
    "header", ["target-container-hostname", "enable-explanations", "session-id"]
)
def test_headers_that_cannot_be_honoured_are_refused(
    client: TestClient, rows: Rows, header: str
) -> None:
    name = f"x-amzn-sagemaker-{header}"

    response = client.post(PATH, json={"instances": rows}, headers={name: "x"})

    assert response.status_code == 422
    assert f"{name} is not supported" in response.json()["message"]


def test_an_endpoint_of_another_name_has_a_message(client: TestClient) -> None:
    response = client.post("/endpoints/other/invocations", json={})

    assert response.status_code == 404
    assert response.json()["message"] == response.json()["detail"]


def test_warnings_are_in_a_header(client: TestClient, rows: Rows) -> None:
    rows[2]["gender"] = "none of training"

    response = client.post(PATH, json={"instances": rows[:3]})

    expected = {"row": 2, "feature": "gender", "code": "unseen_category"}
    assert expected in warnings(response)["first"]
    assert warnings(response)["total"] >= 1


def test_the_header_has_the_number_of_rows_with_each_warning(
    client: TestClient, rows: Rows
) -> None:
    for row in rows[:2]:
        row["gender"] = "none of training"

    response = client.post(PATH, json={"instances": rows[:3]})

    expected = {"feature": "gender", "code": "unseen_category", "rows": 2}
    assert warnings(response)["counts"][0] == expected


def test_the_header_of_one_row_has_no_counts(client: TestClient, rows: Rows) -> None:
    rows[0]["gender"] = "none of training"

    response = client.post(PATH, json={"instances": rows[:1]})

    assert warnings(response).keys() == {"total", "first"}


def test_a_header_with_many_warnings_is_bounded(client: TestClient, rows: Rows) -> None:
    for row in rows:
        row |= {name: "none of training" for name, value in row.items() if isinstance(value, str)}

    response = client.post(PATH, json={"instances": rows})

    assert len(response.headers["x-warnings"]) < 2000
    assert warnings(response)["total"] > len(warnings(response)["first"]) > 0


def test_without_warnings_there_is_no_header(client: TestClient) -> None:
    example = client.get("/openapi.json").json()["paths"]["/invocations"]["post"]["requestBody"][
        "content"
    ]["application/json"]["schema"]["example"]

    assert "x-warnings" not in client.post(PATH, json=example).headers


def test_a_blank_after_a_comma_is_a_warning(client: TestClient, rows: Rows) -> None:
    cells = list(rows[0])
    content = to_csv(rows[:1]).replace(f",{rows[0]['Contract']}", f", {rows[0]['Contract']}")

    response = client.post(PATH, content=content, headers={"content-type": "text/csv"})

    assert "Contract" in cells
    assert {"row": 0, "feature": "Contract", "code": "padded"} in warnings(response)["first"]


def test_a_blank_in_the_header_is_a_fault_that_says_so(client: TestClient, rows: Rows) -> None:
    content = to_csv(rows).replace(",", ", ", len(rows[0]) - 1)

    response = client.post(PATH, content=content, headers={"content-type": "text/csv"})

    assert response.status_code == 422
    assert (
        "/header/1 is not a feature of this model: the name begins or ends with a blank"
        in (response.json()["detail"])
    )
