"""Tensors as bytes: what was written is read, and nothing that is sent makes the service fail."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.predict.dialects.oip.tensors import (
    DATATYPES,
    FLOATS,
    INTEGERS,
    INVALID,
    from_bytes,
    from_json,
    to_bytes,
)
from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.tensors import LENGTH, Tensor, as_bytes, binary, client_of, place_of, tensors

INFER = "/v2/models/churn/infer"
ROWS = 3


def whole(datatype: str) -> st.SearchStrategy[Any]:
    bounds = np.iinfo(INTEGERS[datatype])
    return st.integers(int(bounds.min), int(bounds.max))


def real(datatype: str) -> st.SearchStrategy[Any]:
    if datatype == "FP64":
        return st.floats()
    return st.floats(width=16 if datatype == "FP16" else 32)


def values(datatype: str) -> st.SearchStrategy[Any]:
    if datatype in INTEGERS:
        return whole(datatype)
    if datatype in FLOATS:
        return real(datatype)
    return st.booleans() if datatype == "BOOL" else st.text()


typed = st.sampled_from(DATATYPES).flatmap(
    lambda datatype: st.tuples(st.just(datatype), st.lists(values(datatype)))
)


@given(typed)
def test_what_was_written_as_bytes_is_read(tensor: tuple[str, list[Any]]) -> None:
    datatype, given_values = tensor

    found = from_bytes(datatype, to_bytes(datatype, given_values), len(given_values))

    assert found is not None
    assert repr(found) == repr(given_values)  # NaN is itself, and True is not 1


@given(typed)
def test_what_fits_as_bytes_fits_in_json(tensor: tuple[str, list[Any]]) -> None:
    datatype, given_values = tensor

    assert INVALID not in from_json(datatype, given_values)


@given(st.sampled_from(DATATYPES), st.binary(max_size=40), st.integers(1, 12))
def test_any_bytes_are_values_or_refused(datatype: str, content: bytes, count: int) -> None:
    found = from_bytes(datatype, content, count)

    assert found is None or len(found) == count


@given(st.sampled_from(DATATYPES), st.integers() | st.floats() | st.booleans() | st.text())
def test_any_value_in_json_is_accepted_or_invalid(datatype: str, value: object) -> None:
    [found] = from_json(datatype, [value])

    assert found is value or found is INVALID


@pytest.mark.parametrize("datatype", INTEGERS)
def test_a_whole_number_past_its_datatype_does_not_fit(datatype: str) -> None:
    bounds = np.iinfo(INTEGERS[datatype])

    assert from_json(datatype, [int(bounds.min) - 1, int(bounds.max) + 1]) == [INVALID, INVALID]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_null_is_missing_in_any_datatype(datatype: str) -> None:
    assert from_json(datatype, [None]) == [None]


def test_a_truth_other_than_0_and_1_does_not_fit() -> None:
    assert from_bytes("BOOL", b"\x00\x01\x02", 3) == [False, True, INVALID]


@pytest.mark.parametrize(
    "content", [b"\x01\x00\x00", b"\x02\x00\x00\x00a", b"\xff\xff\xff\xffa", b"\x01\x00\x00\x00ab"]
)
def test_texts_that_do_not_end_where_the_bytes_do_are_refused(content: bytes) -> None:
    assert from_bytes("BYTES", content, 1) is None


@pytest.fixture(scope="module")
def client(churn: Trained) -> Iterator[TestClient]:
    with client_of(churn.package) as client:
        yield client


@pytest.fixture(scope="module")
def inputs(churn: Trained) -> list[Tensor]:
    signature = Predictor.open(churn.package).package.signature
    return tensors(signature, churn.frame.dropna().head(ROWS))


@pytest.mark.parametrize(
    "length",
    ["", "-1", "+3", "0x10", "1e3", "²", "999999999", "9" * 5000, "1 2", "\uff11", "NaN"],
)
def test_a_length_of_the_header_without_sense_is_refused(client: TestClient, length: str) -> None:
    headers = {LENGTH.encode(): length.encode()}

    response = client.post(INFER, content=b'{"inputs": []}', headers=headers)

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "header_length"


@pytest.mark.parametrize("length", ["0", "5"])
def test_a_header_that_ends_too_early_is_no_json(client: TestClient, length: str) -> None:
    response = client.post(INFER, content=b'{"inputs": []}', headers={LENGTH: length})

    assert response.json()["type"] == "urn:sklambda:problem:not-json"


@pytest.mark.parametrize("size", [-1, 0, 23, 25, 2**63, 10**30, 1.0, True, "24", [], {}])
def test_a_size_that_is_not_that_of_the_tensor_is_refused_at_its_place(
    client: TestClient, inputs: list[Tensor], size: object
) -> None:
    place = place_of(inputs, "MonthlyCharges")
    changed, content = as_bytes(inputs[place])
    changed["parameters"] = {"binary_data_size": size}
    body, headers = binary({"inputs": [*inputs[:place], changed, *inputs[place + 1 :]]}, [content])

    response = client.post(INFER, content=body, headers=headers)

    assert response.status_code == 422
    pointers = [error["pointer"] for error in response.json()["errors"]]
    assert f"/inputs/{place}/parameters/binary_data_size" in pointers


@pytest.mark.parametrize("content", [b"", bytes(24) + b"\x00"])
def test_fewer_and_more_bytes_than_the_tensors_are_refused(
    client: TestClient, inputs: list[Tensor], content: bytes
) -> None:
    changed = [*inputs]
    place = place_of(inputs, "MonthlyCharges")
    changed[place], _ = as_bytes(inputs[place])
    body, headers = binary({"inputs": changed}, [content])

    response = client.post(INFER, content=body, headers=headers)

    [error] = response.json()["errors"]
    assert error["code"] == "length"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
names = st.sampled_from(["tenure", "Contract", "MonthlyCharges", "unknown"])
hostile_tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": names | json_values,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | json_values,
        "datatype": st.sampled_from([*DATATYPES, "BF16"]) | json_values,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-2, 60)})
        | json_values,
        "data": st.lists(json_values, max_size=4) | json_values,
    },
)
hostile = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values,
        "inputs": st.lists(hostile_tensors | json_values, max_size=5) | json_values,
        "outputs": st.lists(json_values, max_size=3) | json_values,
        "parameters": json_values,
        "more": json_values,
    },
)


@settings(max_examples=300, deadline=None)
@example(
    document={"inputs": [{"name": "tenure", "shape": [1], "data": [], "datatype": "FP64"}]},
    blobs=b"",
    shift=0,
)
@given(document=hostile, blobs=st.binary(max_size=80), shift=st.integers(-3, 3))
def test_no_request_makes_the_service_fail(
    client: TestClient, document: dict[str, Any], blobs: bytes, shift: int
) -> None:
    header = json.dumps(document).encode()
    length = str(len(header) + (shift if shift > 1 else 0))

    response = client.post(INFER, content=header + blobs, headers={LENGTH: length})

    assert response.status_code in {400, 413, 422}


@settings(max_examples=300, deadline=None)
@given(tensor=hostile_tensors, blobs=st.binary(max_size=80))
def test_no_tensor_among_sound_ones_makes_the_service_fail(
    client: TestClient, inputs: list[Tensor], tensor: Tensor, blobs: bytes
) -> None:
    body, headers = binary({"inputs": [inputs[0] | tensor, *inputs[1:]]}, [blobs])

    response = client.post(INFER, content=body, headers=headers)

    assert response.status_code in {200, 400, 413, 422}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_value_of_a_known_tensor_makes_the_service_fail(
    client: TestClient, inputs: list[Tensor], data: st.DataObject
) -> None:
    changed = [dict(tensor) for tensor in inputs]
    place = data.draw(st.integers(0, len(inputs) - 1))
    datatype = changed[place]["datatype"]
    drawn = st.lists(json_values | values(datatype), min_size=ROWS, max_size=ROWS)
    changed[place]["data"] = data.draw(drawn)

    response = client.post(
        INFER,
        content=json.dumps({"inputs": changed}),
        headers={"content-type": "application/json"},
    )

    assert response.status_code in {200, 400, 422}
