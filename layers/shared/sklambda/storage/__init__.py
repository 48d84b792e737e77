"""Storage of objects: a directory on a laptop, a bucket in AWS, with the same keys."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sklambda.storage.objects import Directory, Extent, Piece, Storage, Stored
from sklambda.storage.s3 import Bucket, Client

__all__ = [
    "Bucket",
    "Client",
    "Directory",
    "Extent",
    "Piece",
    "Storage",
    "Stored",
    "hour_folder",
    "open_storage",
]


def open_storage(address: str, connect: Callable[[], Client]) -> Storage:
    """Return the storage at ``s3://bucket/prefix``, or in a directory."""
    if not address.startswith("s3://"):
        return Directory(Path(address))
    name, _, prefix = address.removeprefix("s3://").partition("/")
    return Bucket(connect, name, prefix.strip("/"))


def hour_folder(moment: datetime) -> str:
    """Return the folder of an hour, in UTC, as Hive and Firehose name it."""
    return moment.astimezone(UTC).strftime("year=%Y/month=%m/day=%d/hour=%H")
