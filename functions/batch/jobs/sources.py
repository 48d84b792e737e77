"""The decompressed bytes of an input."""

import codecs
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Final, Protocol

import zstandard

from sklambda.errors import InputRefused
from sklambda.reading.suffixes import Compression
from sklambda.storage import Storage, Stored

_STEP: Final = 1024
"""Bytes decompressed at a time: few enough that their content fits in memory."""


class Source(Protocol):
    """The decompressed bytes of an input."""

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Return bytes from `start`, and whether the input ends with them.

        Raises
        ------
        InputRefused
            The input is truncated or damaged.
        ObjectReplaced
            The input was replaced.
        """


class PlainSource:
    """An uncompressed input: any range of it can be read.

    Parameters
    ----------
    storage : Storage
        Holds the input.
    stored : Stored
        The input.
    """

    def __init__(self, storage: Storage, stored: Stored) -> None:
        self._storage, self._stored = storage, stored

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Return bytes from `start`, and whether the input ends with them."""
        stop = min(start + length, self._stored.size)
        if start >= stop:
            return b"", True
        return self._storage.read(self._stored, start, stop), stop == self._stored.size


class StreamedSource:
    """A compressed or encoded input: read from its beginning, and again from there to go back.

    Parameters
    ----------
    open_stream : callable
        Returns the content from its beginning, in chunks of which none is empty.
    """

    def __init__(self, open_stream: Callable[[], Iterator[bytes]]) -> None:
        self._open = open_stream
        self._rewind()

    def _rewind(self) -> None:
        self._chunks = self._open()
        self._position, self._buffer = 0, bytearray()

    def read(self, start: int, length: int) -> tuple[bytes, bool]:
        """Return bytes from `start`, and whether the input ends with them."""
        if start < self._position:
            self._rewind()
        self._skip_to(start)
        # One byte more shows whether the input goes on.
        while len(self._buffer) <= length and (chunk := next(self._chunks, b"")):
            self._buffer += chunk
        return bytes(self._buffer[:length]), len(self._buffer) <= length

    def _skip_to(self, start: int) -> None:
        while self._position + len(self._buffer) < start:
            self._position += len(self._buffer)
            self._buffer = bytearray(next(self._chunks, b""))
            if not self._buffer:
                return
        del self._buffer[: start - self._position]
        self._position = start


def open_source(
    storage: Storage, stored: Stored, compression: Compression, encoding: str = "utf-8"
) -> Source:
    """Open an input; its bytes are read in UTF-8, whatever its encoding."""
    if compression == "none" and encoding == "utf-8":
        return PlainSource(storage, stored)

    def chunks() -> Iterator[bytes]:
        found: Iterator[bytes] = iter(storage.stream(stored))
        if compression != "none":
            found = _decompress(found, _DECOMPRESSORS[compression])
        return found if encoding == "utf-8" else _transcode(found, encoding)

    return StreamedSource(chunks)


def _transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Convert content to UTF-8; yields no empty chunk."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chain(chunks, (b"",)):
            if text := decoder.decode(chunk, final=not chunk):
                yield text.encode()
    except UnicodeError:
        raise InputRefused("not_decodable", f"the file is not text in {encoding}") from None


def _gzip() -> Any:
    return zlib.decompressobj(wbits=31)


def _zstd() -> Any:
    return zstandard.ZstdDecompressor().decompressobj()


_DECOMPRESSORS: Final[dict[Compression, Callable[[], Any]]] = {"gzip": _gzip, "zstd": _zstd}


def _decompress(chunks: Iterator[bytes], decompressor: Callable[[], Any]) -> Iterator[bytes]:
    """Decompress members or frames one after the other; yields no empty chunk."""
    current: Any = None
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP):
            rest = chunk[start : start + _STEP]
            while rest:
                current = current or decompressor()
                if content := _decompress_step(current, rest):
                    yield content
                rest = current.unused_data
                if current.eof:
                    current = None
    if current is not None:
        raise InputRefused("truncated", "the compressed input is truncated")


def _decompress_step(current: Any, chunk: bytes) -> bytes:
    try:
        content: bytes = current.decompress(chunk)
    except (zlib.error, zstandard.ZstdError):
        raise InputRefused("damaged", "the compressed input is damaged") from None
    return content
