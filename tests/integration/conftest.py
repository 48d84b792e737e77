"""AWS's S3, over HTTP; the emulator's needs no Docker engine."""

import contextlib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest

from sklambda.storage import Bucket
from tests.conftest import REPOSITORY
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.lambda_containers import tool, tool_environment

type BucketFactory = Callable[[], Bucket]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A boto3 client of an S3 that is empty when the tests begin."""
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
        PYTHONPATH=str(REPOSITORY),
    )
    command = [tool(".venv-emulator", "python3.13"), "-m", "tests.stack.ministack_server"]
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


@pytest.fixture(scope="session")
def bucket_factory(s3: Any) -> BucketFactory:
    """Make a bucket of its own, and a storage below a prefix of it."""
    numbers = count()

    def make() -> Bucket:
        name = f"bucket-{next(numbers)}"
        s3.create_bucket(Bucket=name)
        return Bucket(lambda: s3, name, "a prefix")

    return make


@pytest.fixture
def bucket(bucket_factory: BucketFactory) -> Bucket:
    """An empty bucket."""
    return bucket_factory()
