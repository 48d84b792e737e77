"""Answers without HTTP are measured as Lambda's runtime writes them, and say what fits."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from functions.predict.app.api import create_app
from functions.predict.app.gateway import Gateway
from functions.predict.http import dispatch, payload
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Service
from sklambda.predictor import Predictor
from sklambda.telemetry import Log
from tests.conftest import REPOSITORY, Trained
from tests.support.tensors import tensors
from training.frames import client_rows, kinds_of

type Json = dict[str, Any]
type Ask = Callable[[int], Any]

LIMIT = 40_000
"""Bytes of a result in this test: Lambda's own limit takes thousands of rows."""


@pytest.fixture
def doors(churn: Trained, monkeypatch: pytest.MonkeyPatch) -> dict[str, Ask]:
    """Return for each source the payload with so many rows, by name."""
    monkeypatch.setattr(payload, "MAX_BYTES", LIMIT)
    monkeypatch.setattr(dispatch, "_SURE_TO_FIT", 0)
    frame = churn.frame.dropna()
    rows = client_rows(frame, kinds_of(frame)) * 40
    signature = Predictor.open(churn.package).package.signature

    def bedrock(count: int, **changes: object) -> Json:
        listed = [{"name": "instances", "type": "array", "value": json.dumps(rows[:count])}]
        event: Json = json.loads((REPOSITORY / "events/predict-bedrock.json").read_text())
        event["requestBody"]["content"]["application/json"]["properties"] = listed
        return event | changes | {"parameters": listed if changes else []}

    return {
        "native": lambda n: {"instances": rows[:n]},
        "MLflow": lambda n: {
            "dataframe_records": rows[:n],
            "params": {"method": "predict_proba"},
        },
        "OIP": lambda n: {"inputs": tensors(signature, frame.head(n))},
        "Bedrock": bedrock,
        "Bedrock function": lambda n: bedrock(n, function="predict", apiPath=None),
        "Redshift": lambda n: {
            "arguments": [list(row.values()) for row in rows[:n]],
            "num_records": n,
            "external_function": "f_predict_proba",
        },
    }


@pytest.fixture(scope="module")
def gateway(churn: Trained) -> Gateway:
    registry = Registry(Service(ServedModel(Predictor.open(churn.package))))
    return Gateway(create_app(registry, Limits(3_000, 10**9), Log("test", "INFO", StringIO())))


def problem(answer: Any) -> str:
    """Return the sentence of an answer that refuses; empty for a success."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    found = "response-too-large" in text or "MAX_BATCH_ROWS" in text
    return text if found else ""


@pytest.mark.parametrize(
    "door", ["native", "MLflow", "OIP", "Bedrock", "Bedrock function", "Redshift"]
)
def test_no_success_is_longer_than_what_lambda_takes(
    doors: dict[str, Ask], gateway: Gateway, door: str
) -> None:
    fits, most = 1, 3_000
    while most - fits > 1:  # to the last row that fits
        middle = (fits + most) // 2
        refused = problem(gateway(doors[door](middle), None))
        fits, most = (fits, middle) if refused else (middle, most)
    answer = gateway(doors[door](fits), None)
    written = len(json.dumps(answer, ensure_ascii=False).encode())

    assert 0.85 * LIMIT < written <= LIMIT
    assert "gzip" not in problem(gateway(doors[door](most), None))


@pytest.mark.parametrize("count", [2_000, 3_000])
def test_redshift_is_told_how_many_rows_a_batch_may_have(
    doors: dict[str, Ask], gateway: Gateway, count: int
) -> None:
    refused = json.loads(gateway(doors["Redshift"](count), None))
    batch = int(refused["error_msg"].rpartition("MAX_BATCH_ROWS ")[2])
    answer = gateway(doors["Redshift"](batch), None)

    assert not refused["success"]
    assert json.loads(answer)["success"]
    assert 0.85 * LIMIT < len(json.dumps(answer, ensure_ascii=False).encode()) <= LIMIT
