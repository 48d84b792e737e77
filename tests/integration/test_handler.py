"""The Lambda handler, called with an event of API Gateway as Lambda would call it."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import REPOSITORY, Trained
from tests.support.predict_bodies import probabilities

MODULE = "functions.predict.handler"
type Handler = Callable[[dict[str, Any], object], dict[str, Any]]


@dataclass(frozen=True)
class Context:
    """What Lambda passes beside an event."""

    function_name: str = "predict"
    memory_limit_in_mb: int = 1769
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:predict"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"


@pytest.fixture
def handler(churn: Trained, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    monkeypatch.setenv("MODEL_DIR", str(churn.package))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield importlib.import_module(MODULE).handler
    sys.modules.pop(MODULE, None)


@pytest.fixture
def event() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((REPOSITORY / "events/predict.json").read_text())
    return content


def test_the_event_gets_scikit_learns_probability(
    handler: Handler, event: dict[str, Any], churn: Trained
) -> None:
    response = handler(event, Context())

    assert response["statusCode"] == 200
    customer = pd.DataFrame(json.loads(event["body"])["instances"])[churn.frame.columns]
    expected = churn.pipeline.predict_proba(customer)
    found = probabilities(json.loads(response["body"]), churn.pipeline.classes_)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_fault_is_a_problem_with_its_media_type(handler: Handler, event: dict[str, Any]) -> None:
    response = handler(event | {"body": json.dumps({"instances": [{}]})}, Context())

    assert response["statusCode"] == 422
    assert response["headers"]["content-type"] == "application/problem+json"
    assert response["isBase64Encoded"] is False
    assert json.loads(response["body"])["status"] == 422


def test_json_lines_are_passed_on_as_text(
    handler: Handler, event: dict[str, Any], churn: Trained
) -> None:
    lines = ["application/jsonlines"]
    headers = event["multiValueHeaders"] | {"Content-Type": lines, "Accept": lines}
    body = churn.frame.head(2).to_json(orient="records", lines=True)
    change = {"path": "/invocations", "multiValueHeaders": headers, "body": body}

    response = handler(event | change, Context())

    assert response["isBase64Encoded"] is False
    assert [json.loads(line) for line in response["body"].splitlines()] == churn.pipeline.predict(
        churn.frame.head(2)
    ).tolist()
