"""A matrix without names holds all features of a numeric model: as one tensor, or as an array."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.invocations import client_of
from tests.support.numeric_model import train_numeric
from tests.support.tensors import binary

ROWS = 40
NPY = "application/x-npy"
INFER = "/v2/models/numeric/infer"
PROBABILITIES = {"x-amzn-sagemaker-custom-attributes": "method=predict_proba"}


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_numeric(tmp_path_factory.mktemp("numeric") / "package")


@pytest.fixture(scope="module")
def client(numeric: Trained) -> Iterator[TestClient]:
    with client_of(Predictor.open(numeric.package)) as client:
        yield client


@pytest.fixture
def matrix(numeric: Trained) -> Any:
    """Rows [N, F] as users of scikit-learn have them: the boolean is 0 or 1."""
    return numeric.frame.head(ROWS).astype(float).to_numpy()


def tensor(shape: list[int], data: Any, **members: Any) -> dict[str, Any]:
    return {"name": "input-0", "shape": shape, "datatype": "FP64", "data": data, **members}


def infer(client: TestClient, one: dict[str, Any], *outputs: str) -> Any:
    body = {"inputs": [one], "outputs": [{"name": name} for name in outputs]}
    return client.post(INFER, json=body)


def npy(array: Any, **options: Any) -> bytes:
    stream = BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def post(client: TestClient, content: bytes, **headers: str) -> Any:
    return client.post("/invocations", content=content, headers={"content-type": NPY, **headers})


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("name", ["input-0", "predict"])
def test_one_tensor_gets_what_predict_gives(
    client: TestClient, numeric: Trained, matrix: Any, nested: bool, name: str
) -> None:
    data = (matrix if nested else matrix.ravel()).tolist()

    response = infer(client, tensor([ROWS, 4], data, name=name))

    [output] = response.json()["outputs"]
    expected = numeric.pipeline.predict(numeric.frame.head(ROWS)).tolist()
    assert (output["name"], output["datatype"]) == ("predict", "INT64")
    assert (output["shape"], output["data"]) == ([ROWS], expected)


@pytest.mark.parametrize("dtype", ["<f8", "<f4"])
def test_one_tensor_as_bytes_gets_the_probabilities(
    client: TestClient, numeric: Trained, matrix: Any, dtype: str
) -> None:
    narrow = matrix.astype(dtype)
    frame = numeric.frame.head(ROWS)
    rounded = frame.copy()
    rounded[["income", "ratio"]] = narrow[:, [1, 3]]
    datatype = {"<f8": "FP64", "<f4": "FP32"}[dtype]
    one = tensor([ROWS, 4], None, datatype=datatype)
    one["parameters"] = {"binary_data_size": narrow.nbytes}
    outputs = [{"name": "predict_proba"}, {"name": "warnings"}]
    body, headers = binary({"inputs": [one], "outputs": outputs}, [narrow.tobytes()])

    response = client.post(INFER, content=body, headers=headers)

    proba, warnings = response.json()["outputs"]
    expected = numeric.pipeline.predict_proba(rounded)
    assert np.reshape(proba["data"], proba["shape"]) == pytest.approx(expected, abs=1e-9, rel=0)
    coerced = {each["feature"] for each in json.loads(warnings["data"][0])}
    assert coerced >= ({"member"} if dtype == "<f8" else {"member", "income", "ratio"})


@pytest.mark.parametrize(
    ("one", "place", "code"),
    [
        (tensor([1, 3], [1, 2, 3]), "/inputs/0/shape", "shape"),
        (tensor([0, 4], []), "/inputs/0/shape", "shape"),
        (tensor([2, 4], [1, 2, 3, 4]), "/inputs/0/data", "length"),
        (tensor([2, 4], [[1, 2, 3, 4]]), "/inputs/0/data", "length"),
        (tensor([2, 4], [[1, 2, 3, 4], [1, 2]]), "/inputs/0/data/1", "length"),
        (tensor([2, 4], [[1, 2, 1, 4], 5]), "/inputs/0/data/1", "length"),
        (tensor([1, 4], ["a", 2, 1, 4], datatype="BYTES"), "/inputs/0/datatype", "type"),
        (tensor([1, 4], [1, 2, 7, 4]), "/inputs/0/data/2", "type"),
        (tensor([2, 4], [[1, 2, 1, 4], [1.5, 2, 1, 4]]), "/inputs/0/data/1/0", "not_integral"),
        (tensor([1, 4], [1, "x", 1, 4]), "/inputs/0/data/1", "type"),
    ],
)
def test_a_fault_of_the_matrix_has_its_place(
    client: TestClient, one: dict[str, Any], place: str, code: str
) -> None:
    response = infer(client, one)

    assert response.status_code == 422
    assert (place, code) in [(e["pointer"], e["code"]) for e in response.json()["errors"]]


def test_a_model_with_a_category_names_it(churn: Trained) -> None:
    client = client_of(Predictor.open(churn.package))
    one = tensor([1, 19], [0.0] * 19)

    tensors = client.post("/v2/models/churn/infer", json={"inputs": [one]})
    array = post(client, npy(np.zeros((1, 19))))

    for response in (tensors, array):
        assert response.status_code == 422
        assert "'gender' is not numeric (category)" in response.json()["detail"]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f8"])
def test_an_array_gets_an_array(
    client: TestClient, numeric: Trained, matrix: Any, order: Any, dtype: str
) -> None:
    content = npy(np.asarray(matrix, dtype=dtype, order=order))

    labels = post(client, content, accept=NPY)
    proba = post(client, content, accept=NPY, **PROBABILITIES)

    frame = numeric.frame.head(ROWS)
    assert labels.headers["content-type"] == NPY
    assert np.load(BytesIO(labels.content)).tolist() == numeric.pipeline.predict(frame).tolist()
    expected = numeric.pipeline.predict_proba(frame)
    assert np.load(BytesIO(proba.content)) == pytest.approx(expected, abs=1e-9, rel=0)


def test_an_array_of_one_dimension_is_a_row(client: TestClient, matrix: Any) -> None:
    one, first = post(client, npy(matrix[0])), post(client, npy(matrix[:1]))

    assert one.json() == first.json()


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 400, "magic bytes"),
        (b"\x93NUMPY", 400, "magic bytes"),
        (b"\x93NUMPY\x09\x00", 400, "magic bytes"),
        (npy(np.zeros((2, 4)))[:-1], 400, "length of the data"),
        (npy(np.zeros((2, 4)))[:40], 400, "header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b"(" * 5000, 400, "header"),
        (npy(np.array([{"a": 1}]), allow_pickle=True), 400, "booleans or numbers"),
        (npy(np.array(["a"])), 400, "booleans or numbers"),
        (npy(np.zeros((2, 4), dtype=np.complex128)), 400, "booleans or numbers"),
        (npy(np.zeros((2, 4), dtype=np.longdouble)), 400, "booleans or numbers"),
        (npy(np.zeros((2, 3))), 422, "shape [N, 4]"),
        (npy(np.zeros((0, 4))), 422, "shape [N, 4]"),
        (npy(np.zeros((1, 2, 4))), 422, "shape [N, 4]"),
        (npy(np.zeros((51, 4))), 413, "limit of 50 rows"),
    ],
)
def test_what_is_no_array_of_rows_is_refused(
    client: TestClient, content: bytes, status: int, reason: str
) -> None:
    response = post(client, content)

    assert response.status_code == status
    assert reason in response.json()["detail"]


def test_an_array_that_only_says_it_is_large_is_refused(client: TestClient) -> None:
    content = npy(np.zeros((1, 4))).replace(b"(1, 4)", b"(9, 4)")

    assert post(client, content).status_code == 400


def test_damaged_arrays_are_problems_and_no_failures(client: TestClient, matrix: Any) -> None:
    generator, content = np.random.default_rng(5), npy(matrix[:2])

    for _ in range(300):
        damaged = bytearray(content)
        for place in generator.integers(0, len(damaged), 3):
            damaged[place] = generator.integers(0, 256)
        assert post(client, bytes(damaged)).status_code in (200, 400, 413, 422)
