"""``python -m functions.predict DIR``: a folder of packages as one service, and why it refuses."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Trained
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.numeric_model import train_numeric
from tests.support.several_models import Several, gather

SERVE = (sys.executable, "-m", "functions.predict")


@pytest.fixture(scope="module")
def several(churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> Several:
    folder = tmp_path_factory.mktemp("models")
    numeric = train_numeric(folder / "trained")
    return gather(folder / "models", churn=churn, numeric=numeric)


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SERVE, *options], capture_output=True, text=True, check=False)


def ask(port: int, path: str, body: object = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        document: dict[str, Any] = json.load(answer)
        return document


def test_a_folder_of_packages_is_one_service(several: Several, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [*SERVE, str(several.folder), "--default-model", "numeric", "--port", str(port)]

    with running(command, os.environ, log) as server:

        def answers() -> bool:
            server.check_alive()
            return bool(ask(port, "/models"))

        wait_for(answers, 60, "the server")
        models = [one["name"] for one in ask(port, "/models")["models"]]
        default = ask(port, "/predict", {"instances": several.rows("numeric")})
        named = ask(port, "/models/churn/predict", {"instances": several.rows("churn")})

    assert models == ["numeric", "churn"]
    assert (default["model"]["name"], named["model"]["name"]) == ("numeric", "churn")
    expected = [row[1] for row in several.probabilities("churn")]
    assert [one["score"] for one in named["predictions"]] == pytest.approx(expected, abs=1e-9)
    assert "Models: numeric (the default one), churn." in log.read_text()


def test_without_a_default_the_process_says_how_to_name_one(several: Several) -> None:
    run = ended(str(several.folder))

    assert run.returncode == 2
    assert "must be one of churn, numeric" in run.stderr
    assert "Name it with --default-model." in run.stderr


def test_a_damaged_package_ends_the_start_with_its_name(several: Several, tmp_path: Path) -> None:
    whole = gather(tmp_path, **several.models)
    (whole.folder / "numeric/golden.jsonl").write_text("damaged")

    run = ended(str(whole.folder), "--default-model", "churn")

    assert run.returncode == 2
    assert str(whole.folder / "numeric") in run.stderr


def test_a_package_named_by_hand_comes_before_a_folder_of_the_environment(
    several: Several, tmp_path: Path
) -> None:
    environment = os.environ | {"MODELS_DIR": str(tmp_path / "nowhere"), "DEFAULT_MODEL": ""}
    port, log = free_port(), tmp_path / "log"
    command = [*SERVE, str(several.folder / "churn"), "--port", str(port)]

    with running(command, environment, log) as server:

        def answers() -> bool:
            server.check_alive()
            return bool(ask(port, "/models")["default"] == "churn")

        wait_for(answers, 60, "the server")
