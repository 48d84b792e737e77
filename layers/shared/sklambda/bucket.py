"""Objects in S3."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any, Final, Protocol

from sklambda.multipart import Upcoming, published, unreplaced
from sklambda.objects import ANY, CHUNK, JSON, Piece, Stored
from sklambda.parts import Part, Upload, of_file, of_pieces

_AT_ONCE: Final = 10
"""How many objects are written at a time: as many connections as a boto3 client keeps."""
_LISTED: Final = 1000
_FETCHED: Final = 8 * CHUNK
"""How much of a stream is asked for at a time: nobody leaves a connection open while working."""
_ABSENT: Final = frozenset({"404", "NoSuchKey"})


class Client(Protocol):
    """What is needed of a boto3 client of S3; each method takes what S3 calls its parameters."""

    @property
    def exceptions(self) -> Any:
        """The kinds of errors, of which ``ClientError`` is the base."""

    def put_object(self, **asked: Any) -> Any:
        """Write an object."""

    def head_object(self, **asked: Any) -> Any:
        """Describe an object."""

    def get_object(self, **asked: Any) -> Any:
        """Read an object."""

    def list_objects_v2(self, **asked: Any) -> Any:
        """List a thousand objects."""

    def delete_objects(self, **asked: Any) -> Any:
        """Remove up to a thousand objects."""

    def create_multipart_upload(self, **asked: Any) -> Any:
        """Begin an object of parts."""

    def upload_part(self, **asked: Any) -> Any:
        """Write a part."""

    def upload_part_copy(self, **asked: Any) -> Any:
        """Write a part that is a range of an object."""

    def complete_multipart_upload(self, **asked: Any) -> Any:
        """Make an object of the parts."""

    def abort_multipart_upload(self, **asked: Any) -> Any:
        """Remove the parts."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Objects in S3.

    Whoever uses it may list the bucket: S3 says of an absent key that it is forbidden otherwise.

    Attributes
    ----------
    connect : callable
        Gives the client; called when objects are asked for, never before.
    name : str
        The bucket's name.
    prefix : str
        What all keys begin with, without a slash at its end; may be empty.
    """

    connect: Callable[[], Client]
    name: str
    prefix: str = ""

    def put(self, objects: Mapping[str, bytes], media_type: str = JSON) -> None:
        """Write objects, several at a time; raises the first error."""
        client = self.connect()

        def write(item: tuple[str, bytes]) -> None:
            client.put_object(**self._at(item[0]), Body=item[1], ContentType=media_type)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(write, objects.items()))

    def find(self, key: str) -> Stored | None:
        """Give what is at a key, or None."""
        client = self.connect()
        try:
            head = client.head_object(**self._at(key))
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return _stored(key, head["ContentLength"], head)

    def list(self, prefix: str) -> Iterator[Stored]:
        """Give the objects whose keys begin with the prefix, in the order of their UTF-8."""
        client, more = self.connect(), dict[str, str]()
        base = len(self._whole(""))
        while True:
            page = client.list_objects_v2(Bucket=self.name, Prefix=self._whole(prefix), **more)
            for one in page.get("Contents", ()):
                yield _stored(one["Key"][base:], one["Size"], one)
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        """Give the bytes of an object from `start` until before `stop`, or its end."""
        end = stored.size if stop is None else min(stop, stored.size)
        if start >= end:
            return b""
        client = self.connect()
        asked = {"Range": f"bytes={start}-{end - 1}", "IfMatch": f'"{stored.etag}"'}
        with unreplaced(client, stored):
            got = client.get_object(**self._pinned(stored), **asked)
        content: bytes = got["Body"].read()
        if len(content) != end - start:
            raise OSError(f"{stored.key}: {len(content)} of {end - start} bytes came")
        return content

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Give the bytes of an object from `start`, in chunks of 1 MiB."""
        for position in range(start, stored.size, _FETCHED):
            content = self.read(stored, position, position + _FETCHED)
            for place in range(0, len(content), CHUNK):
                yield content[place : place + CHUNK]

    def create(self, key: str, content: bytes | Path, media_type: str = ANY) -> bool:
        """Write an object, or a file's content, if nothing is at the key."""
        if isinstance(content, Path):
            return self._publish(key, of_file(content), media_type)
        return self._publish(key, [Upload(lambda: content)], media_type)

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = ANY) -> bool:
        """Write one object of pieces in their order, if nothing is at the key."""
        return self._publish(key, of_pieces(pieces, self.read), media_type)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; what is not there is no error."""
        client = self.connect()
        for some in batched(keys, _LISTED, strict=False):
            asked = {"Objects": [{"Key": self._whole(key)} for key in some], "Quiet": True}
            done = client.delete_objects(Bucket=self.name, Delete=asked)
            for error in done.get("Errors", ()):
                raise OSError(f"{error.get('Key')} was not removed: {error.get('Code')}")

    def _publish(self, key: str, parts: Sequence[Part], media_type: str) -> bool:
        return published(Upcoming(self.connect(), self._at(key), media_type, self._pinned), parts)

    def _whole(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self._whole(key)}

    def _pinned(self, stored: Stored) -> dict[str, str]:
        version = {"VersionId": stored.version} if stored.version else {}
        return self._at(stored.key) | version


def _stored(key: str, size: int, told: Mapping[str, Any]) -> Stored:
    etag = told["ETag"].strip('"')
    return Stored(key, size, etag, told.get("VersionId"), told["LastModified"])
