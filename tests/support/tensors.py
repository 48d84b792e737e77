"""Requests of the Open Inference Protocol as a client sends them, and a service for them."""

import json
import struct
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from starlette.testclient import TestClient

from functions.predict.app.api import Application, create_app
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.predictor import Predictor
from sklambda.signature import Signature
from sklambda.telemetry import Log
from training.frames import client_rows, kinds_of

LENGTH = "Inference-Header-Content-Length"
INFER = "/v2/models/churn/infer"
ROWS = 20

type Tensor = dict[str, Any]


def app_of(package: Path) -> Application:
    """Return an application of a package, with limits of 50 rows and 200,000 bytes."""
    lines = Log(f"test {package}", "INFO", StringIO())
    service = Service(ServedModel(Predictor.open(package)))
    return create_app(Registry(service), Limits(50, 200_000), lines)


def client_of(package: Path) -> TestClient:
    """Serve such an application."""
    return TestClient(app_of(package))


def place_of(inputs: list[Tensor], name: str) -> int:
    """Return the position of a tensor by its name."""
    return next(place for place, tensor in enumerate(inputs) if tensor["name"] == name)


def tensors(signature: Signature, frame: pd.DataFrame) -> list[Tensor]:
    """Return a tensor of each feature, in JSON; null means missing."""
    rows = client_rows(frame, kinds_of(frame))
    datatypes = {"number": "FP64", "integer": "INT64", "boolean": "BOOL"}
    return [
        {
            "name": feature.name,
            "shape": [len(rows)],
            "datatype": datatypes.get(feature.kind, "BYTES"),
            "data": [row[feature.name] for row in rows],
        }
        for feature in signature.features
    ]


def packed(values: list[str | bytes]) -> bytes:
    """Write strings with their lengths before them."""
    raw = [value if isinstance(value, bytes) else value.encode() for value in values]
    return b"".join(struct.pack("<I", len(one)) + one for one in raw)


def as_bytes(tensor: Tensor, dtype: str = "<f8", datatype: str = "FP64") -> tuple[Tensor, bytes]:
    """Return a tensor without its data, and the data as bytes, numbers in another datatype."""
    if tensor["datatype"] == "BYTES":
        content, datatype = packed(tensor["data"]), "BYTES"
    else:
        numbers = [np.nan if value is None else value for value in tensor["data"]]
        content = np.array(numbers, dtype=dtype).tobytes()
    left = {name: value for name, value in tensor.items() if name != "data"}
    return left | {"datatype": datatype, "parameters": {"binary_data_size": len(content)}}, content


def binary(document: Mapping[str, Any], contents: list[bytes]) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a request with the binary extension."""
    header = json.dumps(document).encode()
    headers = {LENGTH: str(len(header)), "content-type": "application/octet-stream"}
    return b"".join([header, *contents]), headers
