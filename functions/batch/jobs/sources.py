"""The bytes of an input as it would be without compression."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import zstandard

from functions.batch.formats.layout import Compression
from sklambda.errors import InputRefused
from sklambda.storage import Storage, Stored

_STEP: Final = 1024
"""Bytes unpacked at a time: few enough that what they may become fits in memory."""


class Source(Protocol):
    """The bytes of an input."""

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Give bytes from `start`, and whether the input ends with them.

        Raises
        ------
        InputRefused
            The input is truncated or damaged.
        ObjectReplaced
            It is no longer what it was when it was found.
        """


class Plain:
    """An input that is not compressed: any range of it can be had.

    Parameters
    ----------
    storage : Storage
        Where it is.
    stored : Stored
        What it was when it was found.
    """

    def __init__(self, storage: Storage, stored: Stored) -> None:
        self._storage, self._stored = storage, stored

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Give bytes from `start`, and whether the input ends with them."""
        stop = min(start + length, self._stored.size)
        if start >= stop:
            return b"", True
        return self._storage.read(self._stored, start, stop), stop == self._stored.size


class Packed:
    """A compressed input: read from its beginning, and again from there to go back.

    Parameters
    ----------
    storage : Storage
        Where it is.
    stored : Stored
        What it was when it was found.
    compression : {"gzip", "zstd"}
        How it is compressed; any number of members or frames.
    """

    def __init__(self, storage: Storage, stored: Stored, compression: Compression) -> None:
        self._storage, self._stored, self._compression = storage, stored, compression
        self._rewind()

    def _rewind(self) -> None:
        chunks = self._storage.stream(self._stored)
        self._unpacked = _unpacked(chunks, _UNPACKERS[self._compression])
        self._position, self._held = 0, bytearray()

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Give bytes from `start`, and whether the input ends with them."""
        if start < self._position:
            self._rewind()
        self._drop(start)
        # One byte more tells whether there is one.
        while len(self._held) <= length and (piece := next(self._unpacked, b"")):
            self._held += piece
        return bytes(self._held[:length]), len(self._held) <= length

    def _drop(self, start: int) -> None:
        """Forget what is before `start`."""
        while self._position + len(self._held) < start:
            self._position += len(self._held)
            self._held = bytearray(next(self._unpacked, b""))
            if not self._held:
                return
        del self._held[: start - self._position]
        self._position = start


def _gzip() -> Any:
    return zlib.decompressobj(wbits=31)


def _zstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


_UNPACKERS: Final[dict[Compression, Callable[[], Any]]] = {"gzip": _gzip, "zstd": _zstd}


def _unpacked(chunks: Iterator[bytes], unpacker: Callable[[], Any]) -> Iterator[bytes]:
    """Unpack members or frames, one behind the other; gives pieces that are not empty."""
    current: Any = None
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP):
            rest = chunk[start : start + _STEP]
            while rest:
                current = current or unpacker()
                if piece := _step(current, rest):
                    yield piece
                rest = current.unused_data
                if current.eof:
                    current = None
    if current is not None:
        raise InputRefused("truncated", "the compressed input ends too early")


def _step(current: Any, content: bytes) -> bytes:
    try:
        piece: bytes = current.decompress(content)
    except (zlib.error, zstandard.ZstdError):
        raise InputRefused("damaged", "the compressed input is damaged") from None
    return piece


def source(storage: Storage, stored: Stored, compression: Compression) -> Source:
    """Open an input."""
    if compression == "none":
        return Plain(storage, stored)
    return Packed(storage, stored, compression)
