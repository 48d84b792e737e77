"""The Open Inference Protocol's routes report each fault at its place."""

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.support.tensors import INFER, ROWS, Tensor, as_bytes, binary, packed, place_of

SECRET = "secret-4711"


def faults(response: httpx2.Response, kind: str) -> list[tuple[str, str]]:
    body = response.json()
    # KServe's client shows the error of no other media type.
    assert response.headers["content-type"] == "application/json"
    assert (response.status_code, body["type"]) == (422, f"urn:sklambda:problem:{kind}")
    assert body["error"] == body["detail"]
    return [(error["pointer"], error["code"]) for error in body["errors"]]


def test_every_fault_of_a_value_has_its_pointer_and_code(
    client: TestClient, inputs: list[Tensor]
) -> None:
    tenure, gender = place_of(inputs, "tenure"), place_of(inputs, "gender")
    inputs[tenure]["data"][5] = 1.5
    inputs[tenure]["data"][6] = 2**70
    inputs[gender]["data"][7] = SECRET
    inputs[gender]["data"][8] = 4711
    inputs[place_of(inputs, "MonthlyCharges")]["data"][9] = SECRET

    response = client.post(INFER, json={"inputs": inputs})

    assert set(faults(response, "rows-invalid")) >= {
        (f"/inputs/{tenure}/data/5", "type"),
        (f"/inputs/{tenure}/data/6", "type"),
        (f"/inputs/{gender}/data/8", "type"),
        (f"/inputs/{place_of(inputs, 'MonthlyCharges')}/data/9", "type"),
    }
    assert SECRET not in response.text
    assert "4711" not in response.text
    assert "must be INT64" in response.text


def test_a_fault_in_a_nested_tensor_points_into_its_row(
    client: TestClient, inputs: list[Tensor]
) -> None:
    tenure = place_of(inputs, "tenure")
    inputs[tenure] |= {"shape": [ROWS, 1], "data": [["x"]] * ROWS}

    found = faults(client.post(INFER, json={"inputs": inputs}), "rows-invalid")

    assert found[0] == (f"/inputs/{tenure}/data/0/0", "type")


def test_text_that_is_no_utf8_is_a_fault_of_its_element(
    client: TestClient, inputs: list[Tensor]
) -> None:
    place = place_of(inputs, "Contract")
    inputs[place], _ = as_bytes(inputs[place])
    content = packed([b"\xff\xfe", *["One year"] * (ROWS - 1)])
    inputs[place]["parameters"]["binary_data_size"] = len(content)
    body, headers = binary({"inputs": inputs}, [content])

    found = faults(client.post(INFER, content=body, headers=headers), "rows-invalid")

    assert found == [(f"/inputs/{place}/data/0", "type")]


def test_every_fault_of_the_tensors_is_reported_at_once(
    client: TestClient, inputs: list[Tensor]
) -> None:
    inputs[1]["datatype"] = SECRET
    inputs[2]["shape"] = [ROWS, 2]
    inputs[3]["data"] = inputs[3]["data"][:-1]
    inputs[4] |= {"shape": [ROWS - 1], "data": inputs[4]["data"][:-1]}
    inputs[5]["name"] = inputs[6]["name"]
    inputs[7] |= {SECRET: 1}
    inputs.append({"name": SECRET, "shape": [ROWS], "datatype": "FP64", "data": [0.5] * ROWS})

    response = client.post(
        INFER,
        json={
            "id": 7,
            "inputs": inputs,
            "outputs": [{"name": SECRET}, {"name": "score"}, {"name": "score"}],
            "parameters": {"explain": "yes", "binary_data_output": 1},
        },
    )

    assert set(faults(response, "body-invalid")) == {
        ("/parameters/explain", "type"),
        ("/parameters/binary_data_output", "type"),
        ("/id", "type"),
        ("/inputs", "absent"),
        ("/inputs/1/datatype", "type"),
        ("/inputs/2/shape", "shape"),
        ("/inputs/3/data", "length"),
        ("/inputs/4/shape", "ragged"),
        ("/inputs/6/name", "duplicate"),
        (f"/inputs/7/{SECRET}", "unknown_member"),
        (f"/inputs/{len(inputs) - 1}/name", "unknown_feature"),
        ("/outputs/0/name", "unknown_output"),
        ("/outputs/2/name", "duplicate"),
    }


@pytest.mark.parametrize("datatype", ["BOOL", "INT64", "FP64", "BF16"])
def test_a_category_comes_as_bytes_only(
    client: TestClient, inputs: list[Tensor], datatype: str
) -> None:
    place = place_of(inputs, "Contract")
    inputs[place]["datatype"] = datatype

    found = faults(client.post(INFER, json={"inputs": inputs}), "body-invalid")

    assert found == [(f"/inputs/{place}/datatype", "type")]


@pytest.mark.parametrize("name", ["classification", "shared_memory_region"])
def test_what_only_triton_gives_is_refused_by_name(
    client: TestClient, inputs: list[Tensor], name: str
) -> None:
    outputs = [{"name": "score", "parameters": {name: 1}}]

    response = client.post(INFER, json={"inputs": inputs, "outputs": outputs})

    assert faults(response, "body-invalid") == [(f"/outputs/0/parameters/{name}", "unsupported")]


def test_more_rows_than_the_limit_are_too_many(client: TestClient, inputs: list[Tensor]) -> None:
    inputs[0] |= {"shape": [51], "data": [inputs[0]["data"][0]] * 51}

    response = client.post(INFER, json={"inputs": inputs})

    assert response.status_code == 413
    assert response.json()["type"] == "urn:sklambda:problem:too-many-rows"


def test_more_bytes_than_the_limit_are_too_many(client: TestClient) -> None:
    body, headers = binary({"inputs": []}, [bytes(200_001)])

    response = client.post(INFER, content=body, headers=headers)

    assert response.json()["type"] == "urn:sklambda:problem:too-many-bytes"


def test_another_media_type_is_unsupported(client: TestClient) -> None:
    response = client.post(INFER, content=b"a,b", headers={"content-type": "text/csv"})

    assert response.status_code == 415
