"""The built function in a real Lambda container, through `sam local`."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sklambda.predictor import Predictor
from tests.conftest import Train, Trained
from tests.sam_local.conftest import LocalApiFactory
from tests.sam_local.start_api import LocalApi
from tests.support.lambda_containers import REPOSITORY, sam, tool_environment
from tests.support.predict_bodies import instances, probabilities
from tests.support.sam_build import SamBuild
from tests.support.triton import infer, needs_client, request_of

pytestmark = pytest.mark.sam_local

EVENT = REPOSITORY / "events/predict.json"


@pytest.fixture(scope="session")
def local_api(local_api_factory: LocalApiFactory, churn: Trained) -> LocalApi:
    return local_api_factory(churn.package)


@pytest.fixture
def instance() -> dict[str, Any]:
    body = json.loads(json.loads(EVENT.read_text())["body"])
    customer: dict[str, Any] = body["instances"][0]
    return customer


def test_500_real_customers_get_scikit_learns_own_probabilities(
    model: str, telco: Path, trained: Train, local_api_factory: LocalApiFactory
) -> None:
    real = trained(model, telco)
    rows = real.frame.sample(500, random_state=0)

    answer = local_api_factory(real.package).post("/predict", {"instances": instances(rows)})

    assert answer.status == 200
    expected = real.pipeline.predict_proba(rows)
    assert np.abs(probabilities(answer.body, real.pipeline.classes_) - expected).max() <= 1e-9


@needs_client
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_tritons_own_client_is_answered_in_binary(
    local_api: LocalApi, churn: Trained, compression: str | None
) -> None:
    frame = churn.frame.head(500)
    signature = Predictor.open(churn.package).package.signature
    address = f"127.0.0.1:{local_api.port}"

    # Without Accept, which the client does not send, SAM's gateway leaves the answer in base64.
    headers = {"Accept": "*/*"}

    answer = infer(request_of(address, signature, frame, compression=compression, headers=headers))

    found = np.array(answer["outputs"]["probabilities"])
    assert np.abs(found - churn.pipeline.predict_proba(frame)).max() <= 1e-9
    assert answer["outputs"]["label"] == churn.pipeline.predict(frame).tolist()


def test_event_of_api_gateway_gets_an_answer_from_sam_local_invoke(
    lambda_image: str, sam_build: SamBuild, churn: Trained
) -> None:
    template = sam_build.template(churn.package)
    command = sam(
        "local", "invoke", "Predict", "--event", EVENT, "--template", template, "--skip-pull-image"
    )

    run = subprocess.run(
        command, env=tool_environment(), capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["statusCode"] == 200, run.stdout


def test_function_is_ready_after_replaying_its_golden_rows(local_api: LocalApi) -> None:
    answer = local_api.get("/health/ready")

    assert answer.status == 200, answer.body


def test_wrong_type_is_refused_as_a_problem_and_not_echoed(
    local_api: LocalApi, instance: dict[str, Any]
) -> None:
    answer = local_api.post("/predict", {"instances": [instance | {"tenure": "a secret"}]})

    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert "/instances/0/tenure" in json.dumps(answer.body)
    assert "secret" not in json.dumps(answer.body)
