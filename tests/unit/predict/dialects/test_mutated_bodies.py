"""Damaged bodies are problems in every dialect, and never failures of the service."""

import json
import random
from collections.abc import Iterator
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pytest

from functions.predict.app.api import Application, create_app
from functions.predict.http.exchange import Caller, Limits, Request
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import Trained
from tests.support.numeric_model import train_numeric
from tests.support.tensors import as_bytes, binary, tensors
from training.frames import client_rows, kinds_of

BODIES_OF_A_DOOR = 250
DOORS = [
    "predict",
    "skip",
    "fields",
    "kserve",
    "mlflow",
    "split",
    "columns",
    "csv",
    "lines",
    "npy",
    "oip",
    "binary",
    "matrix",
    "matrix-binary",
]
SNIPPETS = (
    *(b"null", b"NaN", b"-1", b"1e999", b"[]", b"{}", b'""', b'"\\ud800"', b"true", b",", b":"),
    *(b"[[", b"]]", b'{"a":1,"a":2}', b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"9" * 400, b" "),
    *(b'"skip"', b'"shape":[0]', b'"shape":[2,4]', b'"binary_data_size":-1', b"\r\n", b'"'),
)

type Body = tuple[str, bytes, dict[str, str]]


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_numeric(tmp_path_factory.mktemp("numeric") / "package")


@pytest.fixture(scope="module")
def app(numeric: Trained) -> Application:
    service = Service(ServedModel(Predictor.open(numeric.package)))
    return create_app(Registry(service), Limits(50, 200_000), Log("mutated", "INFO", StringIO()))


@pytest.fixture(scope="module")
def bodies(numeric: Trained) -> dict[str, Body]:
    """A body of each door, with its path and headers."""
    frame = numeric.frame.head(3)
    signature = Predictor.open(numeric.package).package.signature
    rows = client_rows(frame, kinds_of(frame))
    matrix = frame.astype(float).to_numpy()
    array, one = BytesIO(), {"name": "input-0", "shape": [3, 4], "datatype": "FP64"}
    np.save(array, matrix)
    split = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    skip = {"instances": rows, "params": {"on_error": "skip"}}
    of_json: dict[str, tuple[str, Any]] = {
        "predict": ("/predict", {"instances": rows}),
        "skip": ("/predict", {"instances": rows, "on_error": "skip"}),
        "fields": ("/predict", {"instances": rows, "fields": ["label", "score"]}),
        "kserve": ("/v1/models/numeric:predict", {"instances": rows}),
        "mlflow": ("/invocations", skip),
        "split": ("/invocations", {"dataframe_split": split}),
        "columns": ("/invocations", {"inputs": columns}),
        "oip": ("/v2/models/numeric/infer", {"inputs": tensors(signature, frame)}),
        "matrix": ("/v2/models/numeric/infer", {"inputs": [one | {"data": matrix.tolist()}]}),
    }
    lines = "\n".join(map(json.dumps, rows)).encode()
    parts = [as_bytes(tensor) for tensor in tensors(signature, frame)[:2]]
    whole = binary({"inputs": [tensor for tensor, _ in parts]}, [part for _, part in parts])
    size = {"parameters": {"binary_data_size": matrix.nbytes}}
    together = binary({"inputs": [one | size]}, [matrix.tobytes()])
    return {
        **{name: (path, json.dumps(body).encode(), {}) for name, (path, body) in of_json.items()},
        "csv": ("/invocations", frame.to_csv(index=False).encode(), {"content-type": "text/csv"}),
        "lines": ("/invocations", lines, {"content-type": "application/x-ndjson"}),
        "npy": ("/invocations", array.getvalue(), {"content-type": "application/x-npy"}),
        "binary": ("/v2/models/numeric/infer", *whole),
        "matrix-binary": ("/v2/models/numeric/infer", *together),
    }


def mutated(content: bytes, seed: int) -> Iterator[bytes]:
    """Return bodies that are damaged in a few places, cut off, or hold a piece twice."""
    draw = random.Random(seed)
    for _ in range(BODIES_OF_A_DOOR):
        body = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            start = draw.randrange(len(body) + 1)
            end = min(len(body), start + draw.choice((0, 1, 4, 20)))
            match draw.randrange(5):
                case 0:
                    body[start:end] = draw.choice(SNIPPETS)
                case 1:
                    body[start:end] = draw.randbytes(end - start)
                case 2:
                    body[start:start] = body[start:end] * draw.randint(1, 3)
                case 3:
                    del body[start:end]
                case _:
                    del body[max(1, start) :]
        yield bytes(body)


@pytest.mark.parametrize("door", DOORS)
def test_no_damaged_body_is_a_failure(app: Application, bodies: dict[str, Body], door: str) -> None:
    path, content, headers = bodies[door]
    route = app.by_exact_path["POST", path]
    statuses = set()

    for body in mutated(content, DOORS.index(door)):
        request = Request(
            headers={name.lower(): value for name, value in headers.items()},
            content=body,
            query={},
            path_parameters=route.path_parameters,
            caller=Caller("id"),
            route=route.path,
        )
        response = app.dispatch(request, route.endpoint)
        statuses.add(response.status)
        assert response.status < 500, (body, response.content)

    assert statuses <= {200, 400, 404, 406, 413, 415, 422}
    assert len(statuses) > 1
