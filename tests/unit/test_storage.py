"""Objects are kept by key, in a directory or in a bucket."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from sklambda.storage import Bucket, Directory, hour, opened


@dataclass
class Client:
    """Remembers what S3 would keep."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        assert ContentType == "application/json"
        with self.lock:
            self.objects[Bucket, Key] = Body


def refuse() -> Client:
    raise AssertionError("nobody wrote anything")


def test_a_directory_keeps_objects_as_files_and_nothing_else(tmp_path: Path) -> None:
    storage = Directory(tmp_path)

    storage.put({"a/b.json": b"1", "c.json": b"2"})
    storage.put({"a/b.json": b"3"})

    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert files == {"a/b.json", "c.json"}
    assert (tmp_path / "a/b.json").read_bytes() == b"3"


@pytest.mark.parametrize(
    ("address", "key"), [("s3://kept/in/here/", "in/here/a.json"), ("s3://kept", "a.json")]
)
def test_a_bucket_keeps_objects_below_its_prefix(address: str, key: str) -> None:
    client = Client()

    opened(address, lambda: client).put({"a.json": b"1"})

    assert client.objects == {("kept", key): b"1"}


def test_a_bucket_keeps_many_objects() -> None:
    client = Client()

    Bucket(lambda: client, "kept").put({f"{k}.json": b"1" for k in range(100)})

    assert len(client.objects) == 100


def test_an_error_of_the_bucket_is_not_lost() -> None:
    def fail() -> Client:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Bucket(fail, "kept").put({"a.json": b"1"})


def test_no_client_is_made_before_something_is_written() -> None:
    opened("s3://kept", refuse)


def test_what_is_no_address_of_a_bucket_is_a_directory(tmp_path: Path) -> None:
    assert opened(str(tmp_path), refuse) == Directory(tmp_path)


def test_an_hour_is_one_of_utc() -> None:
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert hour(moment) == hour(moment.astimezone(UTC)) == "year=2026/month=11/day=21/hour=23"
