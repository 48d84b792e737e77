"""Objects in S3."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import batched
from math import ceil
from pathlib import Path
from typing import Any, Final, Protocol

from sklambda.errors import ObjectReplaced
from sklambda.storage.objects import ANY, CHUNK, JSON, Extent, Piece, Stored, length

LEAST: Final = 5 << 20
MOST: Final = 10_000
_LARGEST: Final = 5 << 30
_OF_FILE: Final = 8 << 20

type Read = Callable[[Stored, int, int], bytes]


@dataclass(frozen=True, slots=True)
class Copy:
    """A part that S3 copies."""

    extent: Extent


@dataclass(frozen=True, slots=True)
class Upload:
    """A part that is sent; its content is made only then."""

    content: Callable[[], bytes | bytearray]


type Part = Copy | Upload


def of_file(path: Path) -> list[Part]:
    """Give the parts of a file."""
    size = path.stat().st_size
    step = max(_OF_FILE, ceil(size / MOST))
    return [Upload(_range(path, start, step)) for start in range(0, size or 1, step)]


def of_pieces(pieces: Sequence[Piece], read: Read) -> list[Part]:
    """Give the parts of pieces that are joined in their order; at least one."""
    least = LEAST
    while len(groups := _groups(pieces, least)) > MOST:
        least *= 2
    return [
        Copy(group) if isinstance(group, Extent) else Upload(_gathered(group, read))
        for group in groups
    ]


def _groups(pieces: Iterable[Piece], least: int) -> list[Extent | list[Piece]]:
    cutter = _Cutter(least)
    for piece in pieces:
        cutter.add(piece)
    if cutter.held or not cutter.groups:
        cutter.flush()
    return cutter.groups


@dataclass(slots=True)
class _Cutter:
    least: int
    groups: list[Extent | list[Piece]] = field(default_factory=list)
    pending: list[Piece] = field(default_factory=list)
    held: int = 0

    def add(self, piece: Piece) -> None:
        """Copy what is large, after what is pending has got of it what it lacks."""
        lacking = self.least - self.held if self.held else 0
        if isinstance(piece, Extent) and length(piece) >= lacking + self.least:
            middle = piece.start + lacking
            self._hold(Extent(piece.stored, piece.start, middle))
            self.groups.extend(_copies(Extent(piece.stored, middle, piece.stop)))
        else:
            self._hold(piece)

    def flush(self) -> None:
        self.groups.append(self.pending)
        self.pending, self.held = [], 0

    def _hold(self, piece: Piece) -> None:
        if length(piece):
            self.pending.append(piece)
            self.held += length(piece)
        if self.held >= self.least:
            self.flush()


def _copies(extent: Extent) -> Iterator[Extent]:
    step = ceil(length(extent) / ceil(length(extent) / _LARGEST))
    for start in range(extent.start, extent.stop, step):
        yield Extent(extent.stored, start, min(start + step, extent.stop))


def _gathered(pieces: Iterable[Piece], read: Read) -> Callable[[], bytearray]:
    def content() -> bytearray:
        whole = bytearray()
        for piece in pieces:
            if isinstance(piece, Extent):
                whole += read(piece.stored, piece.start, piece.stop)
            else:
                whole += piece
        return whole

    return content


def _range(path: Path, start: int, size: int) -> Callable[[], bytes]:
    def content() -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)

    return content


_PARTS_AT_ONCE: Final = 10
"""How many parts are on their way: what is held of them in memory, and a client's connections."""
_PAUSES: Final = (0.2, 0.4, 0.8, 1.6, 3.2)
_TAKEN: Final = frozenset({"412", "PreconditionFailed"})
_CONTENDED: Final = frozenset({"409", "ConditionalRequestConflict", "NoSuchUpload"})
"""Begin again. An upload is unknown, too, when the answer to its completion was lost."""
_REPLACED: Final = _TAKEN | {"404", "NoSuchKey", "NoSuchVersion"}


@dataclass(frozen=True, slots=True)
class Upcoming:
    """An object that is to be.

    Attributes
    ----------
    client : Client
        Of S3.
    place : dict
        Its bucket and key.
    media_type : str
        Of its content.
    pinned : callable
        Gives the bucket, key and version of an object that a part is copied from.
    """

    client: Any
    place: dict[str, str]
    media_type: str
    pinned: Callable[[Stored], dict[str, str]]


def published(upcoming: Upcoming, parts: Sequence[Part]) -> bool:
    """Write an object of its parts; False if something is there."""
    write = _put if len(parts) == 1 and isinstance(parts[0], Upload) else _write_parts
    for pause in (*_PAUSES, None):
        try:
            write(upcoming, parts)
            return True
        except upcoming.client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _TAKEN:
                return False
            if code not in _CONTENDED or pause is None:
                raise
        time.sleep(pause * (1 + os.urandom(1)[0] / 0xFF) / 2)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def unreplaced(client: Any, stored: Stored) -> Iterator[None]:
    """Say of an object that S3 does not have as it was found that it was replaced."""
    try:
        yield
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _REPLACED:
            raise ObjectReplaced(stored.key) from error
        raise


def _put(upcoming: Upcoming, parts: Sequence[Part]) -> None:
    (part,) = parts
    assert isinstance(part, Upload)
    named = upcoming.place | {"ContentType": upcoming.media_type}
    upcoming.client.put_object(**named, Body=part.content(), IfNoneMatch="*")


def _write_parts(upcoming: Upcoming, parts: Sequence[Part]) -> None:
    client, place = upcoming.client, upcoming.place
    begun = client.create_multipart_upload(**place, ContentType=upcoming.media_type)
    place = place | {"UploadId": begun["UploadId"]}
    try:
        with ThreadPoolExecutor(_PARTS_AT_ONCE) as pool:
            numbered = enumerate(parts, 1)
            done = list(pool.map(lambda one: _write_part(upcoming, place, *one), numbered))
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": done}, IfNoneMatch="*")
    except BaseException:
        with suppress(client.exceptions.ClientError):  # what went wrong before is what counts
            client.abort_multipart_upload(**place)
        raise


def _write_part(
    upcoming: Upcoming, place: dict[str, str], number: int, part: Part
) -> dict[str, Any]:
    """Send or copy a part; S3 wants its checksums back, if it gave any."""
    named = place | {"PartNumber": number}
    if isinstance(part, Copy):
        told = _copy(upcoming, named, part)
    else:
        told = upcoming.client.upload_part(**named, Body=part.content())
    sums = {name: told[name] for name in told if name.startswith("Checksum")}
    return {"PartNumber": number, "ETag": told["ETag"], **sums}


def _copy(upcoming: Upcoming, named: dict[str, Any], part: Copy) -> Any:
    stored, start, stop = part.extent.stored, part.extent.start, part.extent.stop
    with unreplaced(upcoming.client, stored):
        told = upcoming.client.upload_part_copy(
            **named,
            CopySource=upcoming.pinned(stored),
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=f'"{stored.etag}"',
        )
    return told["CopyPartResult"]


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
