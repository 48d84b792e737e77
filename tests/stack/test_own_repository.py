"""A model of a repository of the user's own, deployed by `sklambda deploy` of the wheel."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Trained
from tests.stack.deployment import Stack, deployed
from tests.stack.emulator import Emulator
from tests.support.lambda_containers import ARCHITECTURE
from tests.support.own_repository import make_repository, take_layers
from tests.support.predict_bodies import instances, probabilities
from tests.support.sam_build import SamBuild

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def own_stack(
    emulator: Emulator,
    sam_build: SamBuild,
    churn: Trained,
    environment: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    """The stack `churn-staging`, of a repository outside of this one."""
    folder = tmp_path_factory.mktemp("outside")
    mine = make_repository(environment, folder, **emulator.environment())
    shutil.copytree(churn.package, mine.folder / "models/churn/package")
    config = mine.folder / "samconfig.toml"
    settings = f"Architecture={ARCHITECTURE} LogLevel=DEBUG"
    config.write_text(config.read_text().replace("LogLevel=DEBUG", settings))
    take_layers(mine, sam_build)
    mine.sklambda("deploy", "churn", "--stage", "staging", "--", "--no-progressbar")
    return deployed("churn-staging", emulator)


def test_it_gives_scikit_learns_own_probabilities(own_stack: Stack, churn: Trained) -> None:
    rows = churn.frame.head(20)

    status, body = own_stack.request(
        "/predict", {"instances": instances(rows)}, key=own_stack.api_key
    )

    assert status == 200, body
    expected = churn.pipeline.predict_proba(rows)
    assert np.abs(probabilities(body, churn.pipeline.classes_) - expected).max() <= 1e-9


def test_it_has_the_parameters_of_its_stage(own_stack: Stack) -> None:
    name = own_stack.outputs["PredictLog"]

    [group] = own_stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]

    assert group["retentionInDays"] == 7
