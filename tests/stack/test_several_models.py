"""Two models: a stack for each, and one service for both."""

import json
from typing import Any

import numpy as np
import pytest

from tests.conftest import Trained
from tests.stack.deployment import Stack, deploy
from tests.stack.emulator import Emulator
from tests.support.numeric_model import train_numeric
from tests.support.predict_bodies import instances, probabilities
from tests.support.sam_build import SamBuild

pytestmark = pytest.mark.stack

TARGET = "x-amzn-sagemaker-target-model"


@pytest.fixture(scope="module")
def numeric(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_numeric(tmp_path_factory.mktemp("numeric") / "numeric")


@pytest.fixture(scope="module")
def second(emulator: Emulator, sam_build: SamBuild, numeric: Trained, stack: Stack) -> Stack:
    """A second stack in the account of the first one."""
    template = sam_build.template(numeric.package)
    return deploy("numeric-prod", template, emulator, ApiLogSetup="exists")


@pytest.fixture(scope="module")
def both(emulator: Emulator, sam_build: SamBuild, churn: Trained, numeric: Trained) -> Stack:
    """One service of both models."""
    template = sam_build.several(churn=churn.package, numeric=numeric.package)
    return deploy("both", template, emulator, DefaultModel="churn", OpenPage="true")


def assert_scored(body: dict[str, Any], model: Trained, rows: int = 20) -> None:
    expected = model.pipeline.predict_proba(model.frame.head(rows))
    classes = [str(label) for label in model.pipeline.classes_]
    assert np.abs(probabilities(body, classes) - expected).max() <= 1e-9


def rows_of(model: Trained, rows: int = 20) -> dict[str, Any]:
    return {"instances": instances(model.frame.head(rows))}


def test_each_stack_answers_with_its_own_model(
    stack: Stack, second: Stack, churn: Trained, numeric: Trained
) -> None:
    for one, model in ((stack, churn), (second, numeric)):
        status, body = one.request("/predict", rows_of(model), key=one.api_key)

        assert status == 200, body
        assert_scored(body, model)


def test_a_key_of_one_stack_opens_no_other(stack: Stack, second: Stack) -> None:
    status, _ = second.request("/health/ready", key=stack.api_key)

    assert status == 403


def test_the_second_stack_leaves_the_role_of_the_account_alone(second: Stack) -> None:
    found = second.client("cloudformation").list_stack_resources(StackName=second.name)

    names = {one["LogicalResourceId"] for one in found["StackResourceSummaries"]}
    assert "Predict" in names
    assert not {"ApiLogRole", "ApiLogAccount"} & names


@pytest.mark.parametrize("name", ["churn", "numeric"])
def test_one_service_answers_for_each_model_by_its_name(
    both: Stack, churn: Trained, numeric: Trained, name: str
) -> None:
    model = {"churn": churn, "numeric": numeric}[name]

    status, body = both.request(f"/models/{name}/predict", rows_of(model), key=both.api_key)

    assert status == 200, body
    assert body["model"]["name"] == name
    assert_scored(body, model)


@pytest.mark.parametrize("name", ["churn", "numeric"])
def test_one_service_is_asked_in_each_dialect(
    both: Stack, churn: Trained, numeric: Trained, name: str
) -> None:
    model, key = {"churn": churn, "numeric": numeric}[name], both.api_key
    labels = model.pipeline.predict(model.frame.head(20)).tolist()

    _, v1 = both.request(f"/v1/models/{name}:predict", rows_of(model), key=key)
    _, v2 = both.request(f"/v2/models/{name}", key=key)
    answer = both.ask("/invocations", rows_of(model), {"x-api-key": key, TARGET: name})

    assert v1["predictions"] == labels
    assert v2["name"] == name
    assert json.loads(answer.content)["predictions"] == labels


def test_what_names_no_model_is_the_default_ones(both: Stack, churn: Trained) -> None:
    status, body = both.request("/predict", rows_of(churn), key=both.api_key)

    assert (status, body["model"]["name"]) == (200, "churn")


def test_an_unknown_model_is_a_problem_with_the_known_ones(both: Stack) -> None:
    status, body = both.request("/models/other/predict", {"instances": [{}]}, key=both.api_key)

    assert (status, body["models"]) == (404, ["churn", "numeric"])


@pytest.mark.parametrize("path", ["/models", "/models/numeric", "/?model=numeric"])
def test_an_open_page_shows_each_model_without_a_key(both: Stack, path: str) -> None:
    assert both.ask(path, None, {}).status == 200


def test_predictions_by_name_need_a_key(both: Stack, numeric: Trained) -> None:
    assert both.ask("/models/numeric/predict", rows_of(numeric), {}).status == 403


def test_batch_opens_the_default_model(both: Stack) -> None:
    answer = both.client("lambda").invoke(
        FunctionName=both.resource("Batch"), Payload=json.dumps({"sweep": "inbox/"})
    )

    assert "FunctionError" not in answer, answer["Payload"].read()
