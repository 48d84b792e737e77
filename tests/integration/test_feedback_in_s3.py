"""Outcomes reach a bucket, over HTTP; the emulator's S3 needs no Docker engine."""

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.background_process import free_port, running
from tests.conftest import REPOSITORY, Trained
from tests.evidence import wait_for
from tests.lambda_containers import tool, tool_environment
from tests.unit.observed import observe

TIME = "2026-11-22T10:15:00+01:00"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("emulator")
    port = free_port("127.0.0.1")
    endpoint = f"http://127.0.0.1:{port}"
    environment = tool_environment(
        STATE_DIR=str(folder),
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        LAMBDA_EXECUTOR="local",
        IOT_MTLS_ENABLED="0",
    )
    command = [
        tool(".venv-emulator", "python3.13"),
        str(REPOSITORY / "tests/stack/ministack_server.py"),
    ]
    with running(command, environment, folder / "log") as server:

        def healthy() -> bool:
            server.check_alive()
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"{endpoint}/_ministack/health").close()
                return True
            return False

        wait_for(healthy, 60, "the AWS emulator")
        yield boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


def test_outcomes_are_objects_of_their_hour_and_a_repetition_is_none(
    s3: Any, churn: Trained
) -> None:
    s3.create_bucket(Bucket="kept")
    observed = observe(churn.package, lambda: s3, feedback_store="s3://kept/here")
    outcomes = [{"prediction_id": f"a-{k}", "outcome": "Yes", "time": TIME} for k in range(30)]

    answers = [observed.client.post("/feedback", json={"outcomes": outcomes}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    found = s3.list_objects_v2(Bucket="kept")["Contents"]
    assert {str(Path(one["Key"]).parent) for one in found} == {
        "here/outcomes/year=2026/month=11/day=22/hour=09"
    }
    assert len(found) == 30
