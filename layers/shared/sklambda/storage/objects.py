"""The protocol of a storage: objects by key; a read never mixes two versions of an object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

JSON: Final = "application/json"
ANY: Final = "application/octet-stream"
CHUNK: Final = 1 << 20
"""The bytes of a chunk of a stream."""


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
