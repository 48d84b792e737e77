"""The protocol of a storage: objects by key; a read never mixes two versions of an object.

A directory is a storage whose objects are files.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

from sklambda.errors import ObjectReplaced

JSON: Final = "application/json"
ANY: Final = "application/octet-stream"
CHUNK: Final = 1 << 20
"""The bytes of a chunk of a stream."""
_UNFINISHED: Final = ".unfinished"
_ABSENT: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_SETTLED: Final = 100_000_000
"""Nanoseconds after which another change of a file is visible in its times: ten clock ticks."""

type State = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object at the time it was found.

    Attributes
    ----------
    key : str
        The key in its storage.
    size : int
        The number of bytes.
    etag : str
        The ETag, without quotes. In a directory it is the SHA-256 of the content, so the same file
        is the same object in any folder.
    version : str or None
        The version in S3, if known.
    modified : datetime or None
        The time at which it was written, if known.
    """

    key: str
    size: int
    etag: str
    version: str | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes of an object from `start` until before `stop`."""

    stored: Stored
    start: int
    stop: int


type Piece = Extent | bytes
"""A piece of which objects are joined."""


def length(piece: Piece) -> int:
    """Return the number of bytes of a piece."""
    return piece.stop - piece.start if isinstance(piece, Extent) else len(piece)


class Storage(Protocol):
    """Stores objects by key."""

    def put(self, objects: Mapping[str, bytes], media_type: str = JSON) -> None:
        """Write objects, over existing ones; all of them are stored when it returns."""

    def find(self, key: str) -> Stored | None:
        """Return the object at a key, or None."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Return the objects whose keys begin with the prefix, in the order of their UTF-8.

        In a bucket they have no version, which listings do not contain.
        """

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes of an object from `start` until before `stop`, or its end.

        Raises
        ------
        ObjectReplaced
            The object was replaced or removed.
        OSError
            Fewer bytes arrived than the object has.
        """

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Return the bytes of an object from `start`, in chunks of 1 MiB; raises as `read`."""

    def create(self, key: str, content: bytes | Path, media_type: str = ANY) -> bool:
        """Write an object, or the content of a file, unless the key exists.

        Returns
        -------
        bool
            False if the key exists. It may be this very object: when the response to a first
            attempt is lost, the second one finds what the first one wrote.
        """

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = ANY) -> bool:
        """Write one object of pieces of this storage in their order, unless the key exists.

        Returns
        -------
        bool
            False if the key exists, as for `create`.

        Raises
        ------
        ObjectReplaced
            The object of a piece was replaced or removed.
        """

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; an absent one is no error."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Stores objects as files.

    Attributes
    ----------
    root : Path
        The folder that the keys are relative to.
    """

    root: Path
    _digests: dict[State, str] = field(default_factory=dict, compare=False, repr=False)
    _made: set[tuple[int, int]] = field(default_factory=set, compare=False, repr=False)

    def put(self, objects: Mapping[str, bytes], media_type: str = JSON) -> None:
        """Write objects, each by one rename, so a reader never sees half of one."""
        for key, content in objects.items():
            with self._unfinished(key) as (unfinished, path):
                unfinished.write_bytes(content)
                unfinished.replace(path)

    def find(self, key: str) -> Stored | None:
        """Return the object at a key, or None; reads all of it the first time."""
        try:
            with self._path(key).open("rb") as file:
                return self._stored(key, file)
        except _ABSENT:
            return None

    def list(self, prefix: str) -> Iterator[Stored]:
        """Return the objects whose keys begin with the prefix, in the order of their UTF-8."""
        folder = prefix.rpartition("/")[0]
        for key in self._keys(f"{folder}/" if folder else "", prefix):
            if stored := self.find(key):
                yield stored

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes of an object from `start` until before `stop`, or its end."""
        end = stored.size if stop is None else min(stop, stored.size)
        with self._same(stored) as file:
            file.seek(start)
            content = file.read(max(end - start, 0))
        if len(content) < end - start:
            raise ObjectReplaced(stored.key)
        return content

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Return the bytes of an object from `start`, in chunks of 1 MiB."""
        for position in range(start, stored.size, CHUNK):
            yield self.read(stored, position, position + CHUNK)

    def create(self, key: str, content: bytes | Path, media_type: str = ANY) -> bool:
        """Write an object, or the content of a file, unless the key exists.

        A file on the same disk becomes the object: it must not be changed afterwards.
        """

        def fill(unfinished: Path) -> None:
            if not isinstance(content, Path):
                unfinished.write_bytes(content)
                return
            with suppress(OSError):
                unfinished.hardlink_to(content)
                return
            with content.open("rb") as source, unfinished.open("wb") as file:
                file.writelines(iter(partial(source.read, CHUNK), b""))

        return self._publish(key, fill)

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = ANY) -> bool:
        """Write one object of pieces in their order, unless the key exists."""

        def fill(unfinished: Path) -> None:
            with unfinished.open("wb") as file:
                for piece in pieces:
                    file.writelines(self._chunks(piece))

        return self._publish(key, fill)

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; an absent one is no error. Folders stay, since other writers use them."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    def _chunks(self, piece: Piece) -> Iterator[bytes]:
        if not isinstance(piece, Extent):
            yield piece
            return
        for start in range(piece.start, piece.stop, CHUNK):
            yield self.read(piece.stored, start, min(start + CHUNK, piece.stop))

    def _publish(self, key: str, fill: Callable[[Path], object]) -> bool:
        with self._unfinished(key) as (unfinished, path):
            fill(unfinished)
            try:
                path.hardlink_to(unfinished)
            except FileExistsError:
                return False
            status = path.stat()
            self._made.add((status.st_dev, status.st_ino))
            return True

    @contextmanager
    def _unfinished(self, key: str) -> Iterator[tuple[Path, Path]]:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{uuid4().hex}{_UNFINISHED}")
        try:
            yield unfinished, path
        finally:
            unfinished.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        """Return the path of a key; refuses keys that leave the folder."""
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError(f"{key!r} must be relative, without ..")
        return self.root / key

    def _keys(self, folder: str, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(self._path(folder)) as entries:
                names = [f"{folder}{entry.name}{'/' * entry.is_dir()}" for entry in entries]
        except _ABSENT:
            return
        for name in sorted(names, key=os.fsencode):
            if not name.startswith(prefix) and not prefix.startswith(name):
                continue
            if name.endswith("/"):
                yield from self._keys(name, prefix)
            elif not name.endswith(_UNFINISHED):
                yield name

    @contextmanager
    def _same(self, stored: Stored) -> Iterator[BufferedReader]:
        try:
            with self._path(stored.key).open("rb") as file:
                if self._stored(stored.key, file).etag != stored.etag:
                    raise ObjectReplaced(stored.key)
                yield file
        except _ABSENT as error:
            raise ObjectReplaced(stored.key) from error

    def _stored(self, key: str, file: BufferedReader) -> Stored:
        status = os.fstat(file.fileno())
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        return Stored(key, status.st_size, self._digest(key, file), None, modified)

    def _digest(self, key: str, file: BufferedReader) -> str:
        """Return the digest of a file, which is read once for each state: every range needs it.

        Files that were created here are cached at once: other writers replace files as a whole.
        """
        state, now = _state(file), time.time_ns()
        if (known := self._digests.get(state)) is not None:
            return known
        digest = file_digest(file, "sha256").hexdigest()
        if _state(file) != state:
            raise ObjectReplaced(key)
        if state[:2] in self._made or now - max(state[-2:]) > _SETTLED:
            self._digests[state] = digest
        return digest


def _state(file: BufferedReader) -> State:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
