"""From a file to a served endpoint with `sklambda init` alone, nothing edited."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine

from tests.conftest import REPOSITORY
from tests.support.background_process import free_port, running

CREDIT = REPOSITORY.parent / "shared/data/german_credit.csv"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "120"}
WAIT_SECONDS = 90


def sklambda(*arguments: object, folder: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "sklambda", *map(str, arguments)],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@contextmanager
def served(package: Path, log: Path) -> Iterator[str]:
    """Serve a package; yields its address once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "sklambda", "serve", str(package), "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with running(command, ENVIRONMENT, log) as process:
        last = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < last:
            process.check_alive()
            try:
                with urllib.request.urlopen(f"{address}/health/ready") as response:
                    assert response.status == 200
                    break
            except OSError:
                time.sleep(0.1)
        yield address


def post(address: str, body: object) -> Any:
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def credit(folder: Path) -> tuple[str, str]:
    if not CREDIT.exists():
        pytest.skip("the German credit data is not in ../shared/data")
    shutil.copy(CREDIT, folder / "credit.csv")
    return "credit.csv", "approved"


def telco(folder: Path) -> tuple[str, str]:
    source = CREDIT.with_name("telco_churn.csv")
    if not source.exists():
        pytest.skip("the Telco churn data is not in ../shared/data")
    shutil.copy(source, folder / "telco.csv")
    return "telco.csv", "Churn"


def iris(folder: Path) -> tuple[str, str]:
    found = load_iris(as_frame=True)
    frame = found.frame.assign(target=found.target_names[found.target])
    frame.to_csv(folder / "iris.csv", index=False)
    return "iris.csv", "target"


def wine(folder: Path) -> tuple[str, str]:
    load_wine(as_frame=True).frame.to_csv(folder / "wine.csv", index=False, sep=";")
    return "wine.csv", "target"


def diabetes(folder: Path) -> tuple[str, str]:
    found = load_diabetes(as_frame=True, scaled=False)
    found.frame.to_csv(folder / "diabetes.csv", index=False)
    return "diabetes.csv", "target"


def messages(folder: Path) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    usual = [f"word{place}" for place in range(30)]
    offers = [f"offer{place}" for place in range(12)]
    rows = []
    for _ in range(500):
        label = "spam" if rng.random() < 0.3 else "ham"
        words = rng.choice(offers if label == "spam" else usual, rng.integers(5, 14))
        rows.append((label, " ".join([*words, *rng.choice(usual, 3)])))
    pd.DataFrame(rows, columns=["label", "message"]).to_csv(folder / "messages.csv", index=False)
    return "messages.csv", "label"


@pytest.mark.parametrize("write", [credit, telco, iris, wine, diabetes, messages])
def test_a_file_is_served_without_an_edit(write: Any, tmp_path: Path) -> None:
    file, target = write(tmp_path)

    told = sklambda("init", "mine", "--data", file, "--target", target, folder=tmp_path)
    commands = [line.split()[1:] for line in told.splitlines() if line.startswith("  sklambda")]
    sklambda(*commands[0], folder=tmp_path)
    with served(tmp_path / "mine/package", tmp_path / "log") as address:
        signature = json.loads((tmp_path / "mine/package/signature.json").read_text())
        row = {one["name"]: one["example"] for one in signature["features"]}
        [answer] = post(f"{address}/predict", {"instances": [row]})["predictions"]
    scored = sklambda(*commands[2], folder=tmp_path)

    assert [command[0] for command in commands] == ["train", "serve", "score"]
    assert {"label", "value"} & {*answer} or "values" in answer
    assert "+ 0 rejected" in scored


def test_the_test_of_a_new_project_passes(tmp_path: Path) -> None:
    file, target = iris(tmp_path)
    sklambda("init", "mine", "--data", file, "--target", target, folder=tmp_path)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "mine"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout


def test_a_project_that_is_there_ends_with_2_and_names_the_file(tmp_path: Path) -> None:
    file, target = iris(tmp_path)
    (tmp_path / "train.toml").write_text("mine")

    run = subprocess.run(
        [sys.executable, "-m", "sklambda", "init", "--data", file, "--target", target],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert "train.toml is there already" in run.stderr
