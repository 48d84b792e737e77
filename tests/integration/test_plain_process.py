"""``python -m functions.predict``: the service as `make up` starts it, asked over real HTTP."""

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Trained
from tests.support.background_process import BackgroundProcess, free_port, running
from tests.support.evidence import wait_for


@pytest.fixture
def server(churn: Trained, tmp_path: Path) -> Iterator[BackgroundProcess]:
    command = [sys.executable, "-m", "functions.predict", "--port", str(free_port())]
    environment = os.environ | {"MODEL_DIR": str(churn.package), "PYTHONUNBUFFERED": "1"}
    with running(command, environment, tmp_path / "log") as process:
        yield process


def printed_curl(server: BackgroundProcess) -> str | None:
    server.check_alive()
    lines = server.log.read_text().splitlines()
    return next((line for line in lines if line.startswith("curl ")), None)


def test_the_printed_curl_gets_an_answer(server: BackgroundProcess) -> None:
    curl = wait_for(lambda: printed_curl(server), 30, "the curl to paste")

    run = subprocess.run(shlex.split(curl), capture_output=True, text=True, check=True)

    assert json.loads(run.stdout)["predictions"][0]["label"] in {"No", "Yes"}


def test_without_a_package_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    environment = os.environ | {"MODEL_DIR": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-m", "functions.predict"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "no model package" in run.stderr
    assert "make up" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_told_and_ends_the_process(churn: Trained) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "functions.predict", "--port", port],
            env=os.environ | {"MODEL_DIR": str(churn.package)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run.returncode == 2
    assert "address already in use" in run.stderr.lower()
    assert f"port {port} of 127.0.0.1" in run.stderr
    assert "--port" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [("FEEDBACK_STORE", "s3://"), ("MAX_ROWS", "many"), ("CORS_ORIGIN", "*"), ("CAPTURE", "on")],
)
def test_a_wrong_setting_is_one_sentence_at_the_start(
    churn: Trained, setting: str, value: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "functions.predict"],
        env=os.environ | {"MODEL_DIR": str(churn.package), setting: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2
    assert run.stderr.startswith(f"{setting} must be ")
    assert "docs/settings.md" in run.stderr
    assert run.stderr.count("\n") == 1
