"""Where objects are kept: a directory on a laptop, a bucket in AWS, one layout in both."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

_JSON: Final = "application/json"
_AT_ONCE: Final = 10
"""How many objects are written at a time: as many connections as a boto3 client keeps."""


class Storage(Protocol):
    """Keeps objects by key; a key that is written again is replaced."""

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Write objects; once it returns, all of them are kept."""


class Client(Protocol):
    """What is needed of a boto3 client of S3."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Any:
        """Write an object."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Objects as files.

    Attributes
    ----------
    root : Path
        The folder that the keys are relative to.
    """

    root: Path

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Write objects, each by one rename, so that nobody reads half of it."""
        for key, content in objects.items():
            path = self.root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{uuid4().hex}")
            unfinished.write_bytes(content)
            unfinished.replace(path)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Objects in S3.

    Attributes
    ----------
    connect : callable
        Gives the client; called when objects are written, never before.
    name : str
        The bucket's name.
    prefix : str
        What all keys begin with, without a slash at its end; may be empty.
    """

    connect: Callable[[], Client]
    name: str
    prefix: str = ""

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Write objects, several at a time; raises the first error."""
        client = self.connect()

        def write(item: tuple[str, bytes]) -> None:
            key, content = item
            whole = f"{self.prefix}/{key}" if self.prefix else key
            client.put_object(Bucket=self.name, Key=whole, Body=content, ContentType=_JSON)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(write, objects.items()))


def opened(address: str, connect: Callable[[], Client]) -> Storage:
    """Give the storage at ``s3://bucket/prefix``, or in a directory."""
    if not address.startswith("s3://"):
        return Directory(Path(address))
    name, _, prefix = address.removeprefix("s3://").partition("/")
    return Bucket(connect, name, prefix.strip("/"))


def hour(moment: datetime) -> str:
    """Name the part of a layout that holds an hour, in UTC, as Hive and Firehose do."""
    return moment.astimezone(UTC).strftime("year=%Y/month=%m/day=%d/hour=%H")
