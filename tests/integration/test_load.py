"""The service as a plain process, asked by many at once on connections that are kept."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sklambda.package import ModelPackage
from tests.benchmark.http_load import post, send
from tests.conftest import Trained
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for


@pytest.fixture
def request_for_a_row(churn: Trained) -> bytes:
    row = ModelPackage.open(churn.package).signature.example
    return post("/predict", {"instances": [dict(row)]})


@pytest.fixture
def port(churn: Trained, request_for_a_row: bytes, tmp_path: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "functions.predict", "--port", str(port)]
    settings = {"MODEL_DIR": str(churn.package), "METRICS_NAMESPACE": "test", "CAPTURE": "raw"}
    with running(command, os.environ | settings, tmp_path / "log") as server:

        def answers() -> bool:
            server.check_alive()
            return not send(port, request_for_a_row).errors

        wait_for(answers, 30, "the server")
        yield port


def test_two_thousand_requests_from_sixteen_callers_have_their_answers(
    port: int, request_for_a_row: bytes
) -> None:
    tally = send(
        port, request_for_a_row, requests=2000, connections=16, expected=b'"probabilities":'
    )

    assert len(tally.latencies) == 2000
    assert tally.errors == 0
