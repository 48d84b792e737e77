"""Jobs over HTTP: dropped twice, at once, and while S3 throttles, breaks off and changes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import IncompleteReadError

from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.options import Options
from functions.batch.jobs.run import run
from functions.batch.service import Callbacks, Service
from sklambda.errors import ObjectReplaced
from sklambda.predictor import Predictor
from sklambda.storage import Bucket, Storage
from tests.conftest import REPOSITORY, Trained
from training.examples.churn.sample import generate

AT_ONCE = 6
KEY = "inbox/june + july/ünïcödé.csv"
ROWS = 400
MANY_ROWS = 100_000_000
MOST_MEGABYTES = 50
PART = Options(part_bytes=8192)

type Forgery = Callable[[AWSPreparedRequest], AWSResponse | None]


class Function:
    """The function, with a bucket of the emulator."""

    def __init__(self, client: Any, bucket: str, predictor: Predictor, scratch: Path) -> None:
        self.client, self.bucket = client, bucket
        scratch.mkdir()
        self.context = Context(predictor, Bucket(lambda: client, bucket), self._open, scratch)
        callbacks = Callbacks(lambda event: None)
        self.service = Service(self.context, bucket, PART, callbacks)

    def _open(self, address: str) -> tuple[Storage, str]:
        name, _, key = address.removeprefix("s3://").partition("/")
        return Bucket(lambda: self.client, name), key

    def drop(self, rows: int = ROWS, seed: int = 4) -> None:
        content = generate(rows, seed=seed).to_csv(index=False).encode()
        self.client.put_object(Bucket=self.bucket, Key=KEY, Body=content)

    def dropped(self) -> dict[str, Any]:
        """Handle the event of the dropped file."""
        event = json.loads((REPOSITORY / "events/batch-dropped.json").read_text())
        event["detail"] |= {"bucket": {"name": self.bucket}, "object": {"key": KEY}}
        return self.service.handle(event, lambda: 900.0)

    def published_objects(self) -> dict[str, bytes]:
        """Return all objects but the input."""
        storage = self.context.storage
        found = (stored for stored in storage.list("") if stored.key != KEY)
        return {stored.key: storage.read(stored) for stored in found}

    def scored(self) -> bytes:
        [content] = (
            it for key, it in self.published_objects().items() if key.startswith("scored/")
        )
        return content


@pytest.fixture
def client(s3: Any) -> Iterator[Any]:
    """A client of the test's own, whose responses it may forge."""
    client = boto3.client(
        "s3",
        endpoint_url=s3.meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()


@pytest.fixture
def name(s3: Any, request: pytest.FixtureRequest) -> str:
    name = f"batch-{abs(hash(request.node.name))}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def function(client: Any, name: str, predictor: Predictor, tmp_path: Path) -> Function:
    return Function(client, name, predictor, tmp_path / "scratch")


@pytest.fixture(scope="module")
def expected(s3: Any, churn: Trained, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The scored file of an undisturbed run."""
    s3.create_bucket(Bucket="batch-undisturbed")
    scratch = tmp_path_factory.mktemp("batch") / "scratch"
    function = Function(s3, "batch-undisturbed", Predictor.open(churn.package), scratch)
    function.drop()
    assert function.dropped()["status"] == "scored"
    return function.scored()


class Forged(BytesIO):
    """A body as urllib3 has it."""

    def stream(self, amt: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(amt):
            yield chunk


def forged_response(
    request: AWSPreparedRequest, status: int, body: bytes, **headers: str
) -> AWSResponse:
    return AWSResponse(request.url, status, headers, Forged(body))


def forge(client: Any, forgery: Forgery) -> None:
    """Return forged responses, where there are some, before requests reach S3."""
    client.meta.events.register(
        "before-send.s3", lambda request, **_: forgery(request), unique_id="forge"
    )


def test_an_event_that_comes_twice_changes_nothing(function: Function, expected: bytes) -> None:
    function.drop()
    first = function.dropped()
    published = function.published_objects()

    second = function.dropped()

    assert second == first
    assert function.published_objects() == published
    assert function.scored() == expected


def test_events_at_the_same_time_have_one_result(
    client: Any, name: str, predictor: Predictor, tmp_path: Path, expected: bytes
) -> None:
    functions = [Function(client, name, predictor, tmp_path / f"{n}") for n in range(AT_ONCE)]
    functions[0].drop()
    barrier = Barrier(AT_ONCE)

    def dropped(function: Function) -> dict[str, Any]:
        barrier.wait()
        return function.dropped()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(dropped, functions))

    assert [one for one in answers if one != answers[0]] == []
    assert answers[0]["rows"] == {"read": ROWS, "scored": ROWS, "rejected": 0}
    assert sorted(key.partition("/")[0] for key in functions[0].published_objects()) == [
        "jobs",
        "scored",
    ]
    assert functions[0].scored() == expected


def test_an_input_that_is_replaced_meanwhile_is_another_job(function: Function) -> None:
    function.drop(seed=1)
    outline = opening.outline_job(function.context, f"s3://{function.bucket}/{KEY}", PART)

    with pytest.raises(ObjectReplaced):
        run(function.context, outline, report=lambda part: function.drop(seed=2))
    folders = {key.partition("/")[0] for key in function.published_objects()}
    answer = function.dropped()

    assert folders == {"work"}
    assert answer["status"] == "scored"
    assert answer["job"] != outline.id


def test_throttled_requests_are_made_again(function: Function, expected: bytes) -> None:
    function.drop()
    throttled: list[str] = []
    requests = 0

    def now_and_then(request: AWSPreparedRequest) -> AWSResponse | None:
        nonlocal requests
        requests += 1
        if requests % 9:
            return None
        throttled.append(request.method)
        body = b"<Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>"
        return forged_response(request, 503, body)

    forge(function.client, now_and_then)
    answer = function.dropped()

    assert len(throttled) > 3
    assert answer["status"] == "scored"
    assert function.scored() == expected


def test_a_body_that_breaks_off_publishes_nothing(function: Function, expected: bytes) -> None:
    function.drop()
    broken = 0

    def break_off(request: AWSPreparedRequest) -> AWSResponse | None:
        nonlocal broken
        if request.method != "GET" or "inbox" not in request.url or broken:
            return None
        broken += 1
        start, end = request.headers["Range"].decode().removeprefix("bytes=").split("-")
        length = int(end) - int(start) + 1
        return forged_response(
            request, 206, b"x" * (length // 2), **{"Content-Length": str(length)}
        )

    forge(function.client, break_off)
    with pytest.raises((IncompleteReadError, OSError)):
        function.dropped()
    published = function.published_objects()
    answer = function.dropped()

    assert [key for key in published if not key.startswith("work/")] == []
    assert answer["status"] == "scored"
    assert function.scored() == expected


def test_many_rows_are_planned_in_the_memory_of_one_part(churn: Trained, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.plan_of_many_rows"]
    arguments = [str(churn.package), str(tmp_path), str(MANY_ROWS)]

    run = subprocess.run(
        [*command, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    plan = json.loads(run.stdout)
    assert plan["records"] == MANY_ROWS
    assert plan["parts"] == pytest.approx(10_000, abs=10)
    assert plan["contiguous"]
    assert plan["bytes"] > 1e9
    assert plan["megabytes"] < MOST_MEGABYTES
