"""What a storage is: it keeps objects by key, and what was read of one is never of two."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

JSON: Final = "application/json"
ANY: Final = "application/octet-stream"
CHUNK: Final = 1 << 20
"""How many bytes of a stream are given at a time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was when it was found.

    Attributes
    ----------
    key : str
        Where it is in its storage.
    size : int
        How many bytes it has.
    etag : str
        What changes with its content, without quotes. In a directory it is the SHA-256 of the
        content, so that the same file is the same object wherever it lies.
    version : str or None
        The version that S3 gave it, if it is known.
    modified : datetime or None
        When it was written, if it is known.
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
"""What objects are joined from."""


def length(piece: Piece) -> int:
    """Give how many bytes a piece has."""
    return piece.stop - piece.start if isinstance(piece, Extent) else len(piece)


class Storage(Protocol):
    """Keeps objects by key."""

    def put(self, objects: Mapping[str, bytes], media_type: str = JSON) -> None:
        """Write objects over what is there; once it returns, all of them are kept."""

    def find(self, key: str) -> Stored | None:
        """Give what is at a key, or None."""

    def list(self, prefix: str) -> Iterator[Stored]:
        """Give the objects whose keys begin with the prefix, in the order of their UTF-8.

        In a bucket none of them has a version: a listing does not tell it.
        """

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        """Give the bytes of an object from `start` until before `stop`, or its end.

        Raises
        ------
        ObjectReplaced
            If it is no longer what was found.
        OSError
            If fewer bytes came than there are.
        """

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Give the bytes of an object from `start`, in chunks of 1 MiB; raises as `read`."""

    def create(self, key: str, content: bytes | Path, media_type: str = ANY) -> bool:
        """Write an object, or a file's content, if nothing is at the key.

        Returns
        -------
        bool
            False if something was there. It may be this very object: when the answer to a
            first attempt is lost, the second one finds what the first one wrote.
        """

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = ANY) -> bool:
        """Write one object of pieces of this storage in their order, if nothing is at the key.

        Returns
        -------
        bool
            False if something was there, as `create` has it.

        Raises
        ------
        ObjectReplaced
            If an object that pieces are of is no longer what was found.
        """

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; what is not there is no error."""
