"""What a bucket asks of S3, over HTTP, and what it leaves there when S3 fails."""

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sklambda.errors import ObjectReplaced
from sklambda.storage import Bucket, Extent, Stored
from sklambda.storage.s3 import LEAST
from tests.conftest import REPOSITORY

type Fault = Callable[[str, dict[str, Any]], Any]
MEGABYTE = 1 << 20


@dataclass
class Client:
    """A client that remembers what it was asked, and fails where it is told to."""

    real: Any
    fault: Fault = lambda operation, asked: None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Any:
        real = getattr(self.real, operation)
        if operation == "exceptions":
            return real

        def call(**asked: Any) -> Any:
            self.calls.append((operation, asked))
            return self.fault(operation, asked) or real(**asked)

        return call

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [asked for name, asked in self.calls if name == operation]


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Operation")


def failing(bucket: Bucket, client: Client, operation: str, code: str, times: int = 1) -> Bucket:
    """Give the bucket with a client that refuses an operation some times."""
    left = [refused(code)] * times

    def fault(name: str, asked: dict[str, Any]) -> None:
        if name == operation and left:
            raise left.pop()

    client.fault = fault
    return Bucket(lambda: client, bucket.name, bucket.prefix)


def uploads(s3: Any, bucket: Bucket) -> list[Any]:
    unfinished: list[Any] = s3.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    return unfinished


def found(bucket: Bucket, key: str) -> Stored:
    stored = bucket.find(key)
    assert stored is not None
    return stored


@pytest.fixture
def client(s3: Any) -> Client:
    return Client(s3)


@pytest.fixture
def watched(bucket: Bucket, client: Client) -> Bucket:
    """The bucket, with two objects that are joined of large and small parts."""
    bucket.create("small", b"s" * 100)
    bucket.create("large", b"l" * (3 * LEAST))
    return Bucket(lambda: client, bucket.name, bucket.prefix)


def pieces(bucket: Bucket) -> list[Any]:
    small, large = found(bucket, "small"), found(bucket, "large")
    return [b"PAR1", Extent(large, 4, large.size), Extent(small, 0, 100), Extent(large, 0, LEAST)]


def size(asked: dict[str, Any]) -> int:
    if "Body" in asked:
        return len(asked["Body"])
    start, _, last = asked["CopySourceRange"].removeprefix("bytes=").partition("-")
    return int(last) - int(start) + 1


def test_parts_are_as_large_as_s3_wants(watched: Bucket, client: Client) -> None:
    assert watched.join("whole", pieces(watched))

    parts = client.asked("upload_part") + client.asked("upload_part_copy")
    sizes = [size(asked) for asked in sorted(parts, key=lambda asked: int(asked["PartNumber"]))]
    assert sum(sizes) == found(watched, "whole").size
    assert all(part >= LEAST for part in sizes[:-1])


def test_what_is_large_is_copied_and_never_read(watched: Bucket, client: Client) -> None:
    large = found(watched, "large")

    watched.join("whole", [Extent(large, 0, large.size), b"end"])

    (copy,) = client.asked("upload_part_copy")
    assert copy["CopySourceIfMatch"] == f'"{large.etag}"'
    assert not client.asked("get_object")


def test_what_is_small_is_written_at_once(watched: Bucket, client: Client) -> None:
    watched.join("whole", [b"a", Extent(found(watched, "small"), 0, 100)])

    (put,) = client.asked("put_object")
    assert put["IfNoneMatch"] == "*"
    assert not client.asked("create_multipart_upload")


OPERATIONS = [
    "create_multipart_upload",
    "get_object",
    "upload_part",
    "upload_part_copy",
    "complete_multipart_upload",
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failure_anywhere_leaves_nothing(
    s3: Any, watched: Bucket, client: Client, operation: str
) -> None:
    made = pieces(watched)
    broken = failing(watched, client, operation, "AccessDenied")

    with pytest.raises(ClientError, match="AccessDenied"):
        broken.join("whole", made)

    assert watched.find("whole") is None
    assert uploads(s3, watched) == []


def test_who_comes_second_leaves_nothing(s3: Any, watched: Bucket) -> None:
    watched.create("whole", b"first")

    assert not watched.join("whole", pieces(watched))
    assert uploads(s3, watched) == []


def test_a_part_that_was_replaced_is_not_copied(s3: Any, watched: Bucket) -> None:
    large = found(watched, "large")
    watched.put({"large": b"L" * (3 * LEAST)})

    with pytest.raises(ObjectReplaced, match="large"):
        watched.join("whole", [Extent(large, 0, large.size)])

    assert uploads(s3, watched) == []


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "NoSuchUpload"])
def test_a_conflict_is_tried_again(s3: Any, watched: Bucket, client: Client, code: str) -> None:
    made = pieces(watched)
    contended = failing(watched, client, "complete_multipart_upload", code, 2)

    assert contended.join("whole", made)
    assert len(client.asked("create_multipart_upload")) == 3
    assert uploads(s3, watched) == []


def test_a_conflict_is_not_tried_for_ever(bucket: Bucket, client: Client) -> None:
    contended = failing(bucket, client, "put_object", "ConditionalRequestConflict", 99)

    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        contended.create("a", b"1")

    assert len(client.asked("put_object")) == 6


@pytest.mark.parametrize("operation", ["head_object", "get_object", "put_object"])
def test_what_is_forbidden_is_an_error(bucket: Bucket, client: Client, operation: str) -> None:
    bucket.put({"a": b"1"})
    forbidden = failing(bucket, client, operation, "AccessDenied")

    with pytest.raises(ClientError, match="AccessDenied"):
        forbidden.create("b", forbidden.read(found(forbidden, "a")))


def test_a_body_that_is_cut_short_is_an_error(bucket: Bucket, client: Client) -> None:
    bucket.put({"a": b"0123"})
    client.fault = lambda operation, asked: (
        {"Body": io.BytesIO(b"01")} if operation == "get_object" else None
    )
    cut = Bucket(lambda: client, bucket.name, bucket.prefix)

    with pytest.raises(OSError, match="2 of 4 bytes"):
        cut.read(found(cut, "a"))


def test_an_object_of_a_versioned_bucket_is_read_as_it_was_found(s3: Any, bucket: Bucket) -> None:
    s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    bucket.put({"a": b"first"})
    stored = found(bucket, "a")
    bucket.put({"a": b"other"})

    assert stored.version is not None
    assert bucket.read(stored) == b"first"
    assert bucket.join("b", [Extent(stored, 0, 5)])
    assert bucket.read(found(bucket, "b")) == b"first"


JOIN = """
import resource, sys
import boto3
from sklambda.storage import Bucket, Extent

s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="test", aws_secret_access_key="test")
bucket = Bucket(lambda: s3, sys.argv[2], "a prefix")
part = bucket.find("part")
bucket.join("warm", [b"0" * 6_000_000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert bucket.join("whole", [Extent(part, 0, part.size)] * 200)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * (1 if sys.platform == "darwin" else 1024))
"""


def test_memory_is_bounded_by_the_parts_on_their_way(s3: Any, bucket: Bucket) -> None:
    bucket.create("part", bytes(MEGABYTE))
    command = [sys.executable, "-c", JOIN, s3.meta.endpoint_url, bucket.name]
    environment = {"PYTHONPATH": str(REPOSITORY / "layers/shared")}

    run = subprocess.run(command, capture_output=True, check=True, env=environment, text=True)

    assert found(bucket, "whole").size == 200 * MEGABYTE
    assert int(run.stdout) < 150 * MEGABYTE


def test_a_file_is_sent_in_parts_that_are_read_when_they_are_sent(
    bucket: Bucket, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(20 * MEGABYTE))

    Bucket(lambda: client, bucket.name).create("a", tmp_path / "file")

    sizes = sorted(size(asked) for asked in client.asked("upload_part"))
    assert sizes == [4 * MEGABYTE, 8 * MEGABYTE, 8 * MEGABYTE]
