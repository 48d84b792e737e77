"""Objects are kept by key, in a directory or in a bucket."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from sklambda.errors import ObjectReplaced
from sklambda.storage import Bucket, Directory, Extent, Stored, hour_folder, open_storage
from tests.support.evidence import wait_for


@dataclass
class Client:
    """Remembers what S3 would keep."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        assert ContentType == "application/json"
        with self.lock:
            self.objects[Bucket, Key] = Body


def refuse() -> Any:
    raise AssertionError("nobody wrote anything")


def test_a_directory_keeps_objects_as_files_and_nothing_else(tmp_path: Path) -> None:
    storage = Directory(tmp_path)

    storage.put({"a/b.json": b"1", "c.json": b"2"})
    storage.put({"a/b.json": b"3"})

    assert files(tmp_path) == {"a/b.json", "c.json"}
    assert (tmp_path / "a/b.json").read_bytes() == b"3"


def test_a_file_is_the_same_object_wherever_it_lies(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    storage.put({"a": b"1", "b": b"1", "c": b"2"})

    a, b, c = (found.etag for found in storage.list(""))

    assert a == b == sha256(b"1").hexdigest() != c


def test_a_file_that_is_changed_in_place_is_another_object(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    for k in range(20):
        (tmp_path / "a").write_bytes(b"%03d" % k)
        found = storage.find("a")
        assert found is not None
        assert storage.read(found) == b"%03d" % k

        (tmp_path / "a").write_bytes(b"new")

        with pytest.raises(ObjectReplaced, match="a"):
            storage.read(found)


def test_a_file_is_digested_once(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    (tmp_path / "a").write_bytes(b"1")
    os.utime(tmp_path / "a", ns=(0, 0))
    wait_for(lambda: storage.find("a") and storage._digests, 10, "a digest that is kept")

    storage.find("a")

    assert len(storage._digests) == 1


def test_what_is_not_finished_is_neither_listed_nor_left(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    storage.put({"a": b"1"})
    lost = Stored("gone", 1, "0")

    with pytest.raises(ObjectReplaced):
        storage.join("b", [b"1", Extent(lost, 0, 1)])

    assert files(tmp_path) == {"a"}
    (tmp_path / ".0.unfinished").write_bytes(b"killed")
    assert [one.key for one in storage.list("")] == ["a"]


@pytest.mark.parametrize("key", ["/etc/passwd", "../a", "a/../../b"])
def test_no_key_leads_out_of_a_directory(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be relative, without"):
        Directory(tmp_path).find(key)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("address", "key"), [("s3://kept/in/here/", "in/here/a.json"), ("s3://kept", "a.json")]
)
def test_a_bucket_keeps_objects_below_its_prefix(address: str, key: str) -> None:
    client: Any = Client()

    open_storage(address, lambda: client).put({"a.json": b"1"})

    assert client.objects == {("kept", key): b"1"}


def test_a_bucket_keeps_many_objects() -> None:
    client: Any = Client()

    Bucket(lambda: client, "kept").put({f"{k}.json": b"1" for k in range(100)})

    assert len(client.objects) == 100


def test_an_error_of_the_bucket_is_not_lost() -> None:
    def fail() -> Any:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Bucket(fail, "kept").put({"a.json": b"1"})


def test_no_client_is_made_before_something_is_written() -> None:
    open_storage("s3://kept", refuse)


def test_what_is_no_address_of_a_bucket_is_a_directory(tmp_path: Path) -> None:
    assert open_storage(str(tmp_path), refuse) == Directory(tmp_path)


def test_an_hour_is_one_of_utc() -> None:
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))

    assert (
        hour_folder(moment)
        == hour_folder(moment.astimezone(UTC))
        == "year=2026/month=11/day=21/hour=23"
    )
