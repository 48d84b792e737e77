"""Requests of all kinds, made by Schemathesis from the OpenAPI document, right ones and wrong."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sklearn.linear_model import Ridge

import training
from tests.conftest import REPOSITORY, Trained
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.proof import numbers, values
from tests.support.several_models import gather

SCHEMATHESIS = REPOSITORY / ".venv-schemathesis/bin/schemathesis"
HOOKS = Path(__file__).with_name("schemathesis_checks.py")
CONFORMANCE = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "a_refusal_is_a_problem,no_value_is_echoed"
)
PERMITTED = "positive_data_acceptance"
ROUNDS = "20"  # random cases of each operation, beside those that its schema leads to

pytestmark = pytest.mark.skipif(
    not SCHEMATHESIS.exists(), reason="run `make tools` for .venv-schemathesis"
)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """The package of a regressor with two outputs."""
    frame = numbers()
    fitted = Ridge().fit(frame, values(2))
    training.export(fitted, frame, out=tmp_path / "prices", name="prices", target="price")
    return tmp_path / "prices"


@contextmanager
def served(package: Path, folder: Path, default: str) -> Iterator[str]:
    """Run the service with all that listens to it, and give its address."""
    port = free_port()
    command = [sys.executable, "-m", "functions.predict", str(package), "--port", str(port)]
    environment = os.environ | {
        "DEFAULT_MODEL": default,
        "METRICS_NAMESPACE": "Tests",
        "CAPTURE": "raw",
        "FEEDBACK_STORE": str(folder / "feedback"),
    }
    (folder / "feedback").mkdir()
    with running(command, environment, folder / "log") as process:

        def ready() -> bool:
            process.check_alive()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
                return bool(answer.status == 200)

        wait_for(ready, 30, "the service")
        yield f"http://127.0.0.1:{port}"


def run_schemathesis(address: str, folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """Run Schemathesis with deterministic random requests; return its output and its report."""
    report = folder / "report.json"
    made = ("--phases", "examples,coverage,fuzzing", "--max-examples", ROUNDS)
    same = ("--generation-deterministic", "--continue-on-failure", "--no-color")
    format_ = ("--report", "json", "--report-json-path", str(report))
    run = subprocess.run(
        [SCHEMATHESIS, "run", f"{address}/openapi.json", *made, *same, *format_, *options],
        env=os.environ | {"PYTHONPATH": str(HOOKS.parent), "SCHEMATHESIS_HOOKS": HOOKS.stem},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert report.exists(), run.stdout + run.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    return run.stdout, found


def expect_no_fault(
    package: Path, folder: Path, fewest_cases: int, *options: str, default: str = ""
) -> None:
    with served(package, folder, default) as address:
        said, report = run_schemathesis(address, folder, *options)

    assert (report["failures"], report["errors"]) == ([], []), said
    assert report["test_cases"]["generated"] >= fewest_cases
    assert "request failed" not in (folder / "log").read_text()


def test_a_classifier_of_categories_answers_as_its_document_says(
    churn: Trained, tmp_path: Path
) -> None:
    expect_no_fault(churn.package, tmp_path, 3200, "--checks", CONFORMANCE)


def test_a_regressor_of_two_outputs_answers_as_its_document_says(
    prices: Path, tmp_path: Path
) -> None:
    expect_no_fault(prices, tmp_path, 1800, "--checks", CONFORMANCE)


def test_another_model_than_the_default_one_answers_as_the_document_says(
    churn: Trained, prices: Path, tmp_path: Path
) -> None:
    models = gather(tmp_path / "models", churn=churn).folder
    shutil.copytree(prices, models / "prices")
    named = "^/models|^/v1/models/prices|^/v2/models/prices(/ready)?$|repository"
    options = ("--include-path-regex", named, "--checks", CONFORMANCE)

    expect_no_fault(models, tmp_path, 700, *options, default="churn")


def test_rows_and_outcomes_that_the_document_permits_are_taken(
    churn: Trained, tmp_path: Path
) -> None:
    paths = ("--include-path", "/predict", "--include-path", "/feedback")

    expect_no_fault(
        churn.package, tmp_path, 100, *paths, "--mode", "positive", "--checks", PERMITTED
    )


class Gossip(BaseHTTPRequestHandler):
    """Repeats in a refusal what it was sent."""

    def do_GET(self) -> None:
        text = {"content": {"application/json": {"schema": {"type": "string", "minLength": 9}}}}
        post = {"requestBody": text | {"required": True}, "responses": {"422": {"description": ""}}}
        info = {"title": "Gossip", "version": "1"}
        self._send(200, {"openapi": "3.1.0", "info": info, "paths": {"/": {"post": post}}})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"])).decode()
        self._send(422, {"type": "gossip", "status": 422, "detail": f"{json.loads(sent)} is wrong"})

    def _send(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/problem+json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_: Any) -> None:
        pass


def test_a_service_that_repeats_a_value_is_found_out(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gossip) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        said, report = run_schemathesis(address, tmp_path, "--checks", "no_value_is_echoed")
        server.shutdown()

    assert report["failures"] != []
    assert "no_value_is_echoed" in said
