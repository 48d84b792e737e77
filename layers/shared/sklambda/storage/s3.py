"""Stores objects in S3."""

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
    """A part that is uploaded; its content is made when it is sent."""

    content: Callable[[], bytes | bytearray]


type Part = Copy | Upload


def of_file(path: Path) -> list[Part]:
    """Return the parts of a file."""
    size = path.stat().st_size
    step = max(_OF_FILE, ceil(size / MOST))
    return [Upload(_range(path, start, step)) for start in range(0, size or 1, step)]


def of_pieces(pieces: Sequence[Piece], read: Read) -> list[Part]:
    """Return the parts, at least one, of pieces that are joined in their order."""
    least = LEAST
    while len(groups := _groups(pieces, least)) > MOST:
        least *= 2
    return [
        Copy(group) if isinstance(group, Extent) else Upload(_joined(group, read))
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
        """Copy a large piece, after its start has filled up the pending part."""
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


def _joined(pieces: Iterable[Piece], read: Read) -> Callable[[], bytearray]:
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
"""The number of parts that are sent at a time: it limits memory and connections."""
_PAUSES: Final = (0.2, 0.4, 0.8, 1.6, 3.2)
_EXISTS: Final = frozenset({"412", "PreconditionFailed"})
_CONTENDED: Final = frozenset({"409", "ConditionalRequestConflict", "NoSuchUpload"})
"""Start again. An upload is unknown, too, when the response to its completion was lost."""
_REPLACED: Final = _EXISTS | {"404", "NoSuchKey", "NoSuchVersion"}


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object that is written.

    Attributes
    ----------
    client : Client
        The client of S3.
    place : dict
        The bucket and the key.
    media_type : str
        The media type of the content.
    pinned : callable
        Returns the bucket, key and version of an object that a part is copied from.
    """

    client: Any
    place: dict[str, str]
    media_type: str
    pinned: Callable[[Stored], dict[str, str]]


def publish(new: NewObject, parts: Sequence[Part]) -> bool:
    """Write an object of its parts; returns False if the key exists."""
    write = _put if len(parts) == 1 and isinstance(parts[0], Upload) else _write_parts
    for pause in (*_PAUSES, None):
        try:
            write(new, parts)
            return True
        except new.client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _EXISTS:
                return False
            if code not in _CONTENDED or pause is None:
                raise
        time.sleep(pause * (1 + os.urandom(1)[0] / 0xFF) / 2)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def raising_replaced(client: Any, stored: Stored) -> Iterator[None]:
    """Raise `ObjectReplaced` where S3 has not the object that was found."""
    try:
        yield
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _REPLACED:
            raise ObjectReplaced(stored.key) from error
        raise


def _put(new: NewObject, parts: Sequence[Part]) -> None:
    (part,) = parts
    assert isinstance(part, Upload)
    named = new.place | {"ContentType": new.media_type}
    new.client.put_object(**named, Body=part.content(), IfNoneMatch="*")


def _write_parts(new: NewObject, parts: Sequence[Part]) -> None:
    client, place = new.client, new.place
    upload = client.create_multipart_upload(**place, ContentType=new.media_type)
    place = place | {"UploadId": upload["UploadId"]}
    try:
        with ThreadPoolExecutor(_PARTS_AT_ONCE) as pool:
            numbered = enumerate(parts, 1)
            done = list(pool.map(lambda one: _write_part(new, place, *one), numbered))
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": done}, IfNoneMatch="*")
    except BaseException:
        with suppress(client.exceptions.ClientError):  # the first error is the one to report
            client.abort_multipart_upload(**place)
        raise


def _write_part(new: NewObject, place: dict[str, str], number: int, part: Part) -> dict[str, Any]:
    """Upload or copy a part; returns what completes the upload, with the checksums of S3."""
    named = place | {"PartNumber": number}
    if isinstance(part, Copy):
        response = _copy(new, named, part)
    else:
        response = new.client.upload_part(**named, Body=part.content())
    sums = {name: response[name] for name in response if name.startswith("Checksum")}
    return {"PartNumber": number, "ETag": response["ETag"], **sums}


def _copy(new: NewObject, named: dict[str, Any], part: Copy) -> Any:
    stored, start, stop = part.extent.stored, part.extent.start, part.extent.stop
    with raising_replaced(new.client, stored):
        response = new.client.upload_part_copy(
            **named,
            CopySource=new.pinned(stored),
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=f'"{stored.etag}"',
        )
    return response["CopyPartResult"]


_AT_ONCE: Final = 10
"""The number of objects that are written at a time: the connections of a boto3 client."""
_LISTED: Final = 1000
_FETCHED: Final = 8 * CHUNK
"""The bytes of a stream that are requested at a time: no connection is open between them."""
_ABSENT: Final = frozenset({"404", "NoSuchKey"})


class Client(Protocol):
    """The methods of a boto3 client of S3 that are used, with the parameters of its API."""

    @property
    def exceptions(self) -> Any:
        """The classes of errors; ``ClientError`` is their base."""

    def put_object(self, **parameters: Any) -> Any:
        """Write an object."""

    def head_object(self, **parameters: Any) -> Any:
        """Describe an object."""

    def get_object(self, **parameters: Any) -> Any:
        """Read an object."""

    def list_objects_v2(self, **parameters: Any) -> Any:
        """List a thousand objects."""

    def delete_objects(self, **parameters: Any) -> Any:
        """Remove up to a thousand objects."""

    def create_multipart_upload(self, **parameters: Any) -> Any:
        """Start an upload of parts."""

    def upload_part(self, **parameters: Any) -> Any:
        """Upload a part."""

    def upload_part_copy(self, **parameters: Any) -> Any:
        """Copy a range of an object as a part."""

    def complete_multipart_upload(self, **parameters: Any) -> Any:
        """Make an object of the uploaded parts."""

    def abort_multipart_upload(self, **parameters: Any) -> Any:
        """Remove the uploaded parts."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Stores objects in S3.

    It needs the permission to list the bucket: without it S3 answers 403 for an absent key.

    Attributes
    ----------
    connect : callable
        Returns the client; called at the first access.
    name : str
        The name of the bucket.
    prefix : str
        The prefix of all keys, without a slash at its end; may be empty.
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
        """Return the object at a key, or None."""
        client = self.connect()
        try:
            head = client.head_object(**self._at(key))
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return _stored(key, head["ContentLength"], head)

    def list(self, prefix: str) -> Iterator[Stored]:
        """Return the objects whose keys begin with the prefix, in the order of their UTF-8."""
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
        """Return the bytes of an object from `start` until before `stop`, or its end."""
        end = stored.size if stop is None else min(stop, stored.size)
        if start >= end:
            return b""
        client = self.connect()
        condition = {"Range": f"bytes={start}-{end - 1}", "IfMatch": f'"{stored.etag}"'}
        with raising_replaced(client, stored):
            response = client.get_object(**self._pinned(stored), **condition)
        content: bytes = response["Body"].read()
        if len(content) != end - start:
            raise OSError(f"{stored.key}: {len(content)} of {end - start} bytes arrived")
        return content

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Return the bytes of an object from `start`, in chunks of 1 MiB."""
        for position in range(start, stored.size, _FETCHED):
            content = self.read(stored, position, position + _FETCHED)
            for place in range(0, len(content), CHUNK):
                yield content[place : place + CHUNK]

    def create(self, key: str, content: bytes | Path, media_type: str = ANY) -> bool:
        """Write an object, or the content of a file, unless the key exists."""
        if isinstance(content, Path):
            return self._publish(key, of_file(content), media_type)
        return self._publish(key, [Upload(lambda: content)], media_type)

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = ANY) -> bool:
        """Write one object of pieces in their order, unless the key exists."""
        return self._publish(key, of_pieces(pieces, self.read), media_type)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; an absent one is no error."""
        client = self.connect()
        for some in batched(keys, _LISTED):
            listing = {"Objects": [{"Key": self._whole(key)} for key in some], "Quiet": True}
            response = client.delete_objects(Bucket=self.name, Delete=listing)
            for error in response.get("Errors", ()):
                raise OSError(f"{error.get('Key')} could not be removed: {error.get('Code')}")

    def _publish(self, key: str, parts: Sequence[Part], media_type: str) -> bool:
        return publish(NewObject(self.connect(), self._at(key), media_type, self._pinned), parts)

    def _whole(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self._whole(key)}

    def _pinned(self, stored: Stored) -> dict[str, str]:
        version = {"VersionId": stored.version} if stored.version else {}
        return self._at(stored.key) | version


def _stored(key: str, size: int, response: Mapping[str, Any]) -> Stored:
    etag = response["ETag"].strip('"')
    return Stored(key, size, etag, response.get("VersionId"), response["LastModified"])
