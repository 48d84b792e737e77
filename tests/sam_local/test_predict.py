"""The built function in a real Lambda container, through `sam local`."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Train, Trained
from tests.lambda_containers import REPOSITORY, sam, tool_environment
from tests.predict_bodies import instances, probabilities
from tests.sam_build import SamBuild
from tests.sam_local.conftest import LocalApiFactory
from tests.sam_local.start_api import LocalApi

pytestmark = pytest.mark.sam_local

EVENT = REPOSITORY / "events/predict.json"
LARGEST_MEGABYTES = 170
"""Of Lambda's 250 MB for a function and its layers; the rest is room for models."""
UNCHECKED_HASH = 0b01
"""PEP 552: the byte code is named by a hash, and nobody compares it with the module."""


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


def test_layers_leave_room_below_lambdas_size_limit(sam_build: SamBuild, churn: Trained) -> None:
    layers = {
        "runtime": sam_build.output / "RuntimeLayer",
        "shared": sam_build.output / "SharedLayer",
        "model": churn.package,
    }

    sizes = {name: megabytes(folder) for name, folder in layers.items()}

    listing = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
    assert sum(sizes.values()) < LARGEST_MEGABYTES, f"MB unzipped: {listing}"


@pytest.mark.parametrize("layer", ["RuntimeLayer", "SharedLayer"])
def test_every_module_of_the_layer_has_its_byte_code(sam_build: SamBuild, layer: str) -> None:
    modules = list((sam_build.output / layer / "python").rglob("*.py"))

    compiled = [Path(importlib.util.cache_from_source(str(module))) for module in modules]

    assert modules
    assert [path for path in compiled if not path.exists()] == []


def test_byte_code_is_used_without_a_look_at_the_modules_times(sam_build: SamBuild) -> None:
    compiled = (sam_build.output / "RuntimeLayer/python").rglob("*.pyc")

    flags = {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}

    assert flags == {UNCHECKED_HASH}


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
