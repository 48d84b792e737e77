"""Compressed bodies: gzip and deflate, read within a limit and written where they are accepted."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from functions.predict.http import problems
from functions.predict.http.response import Response

SUPPORTED: Final = ("gzip", "deflate")

_GZIP: Final = 16 + zlib.MAX_WBITS
_ALIASES: Final = {"x-gzip": "gzip"}
_MAX_CODINGS: Final = 2
_PIECE_BYTES: Final = 4096
_LEVEL: Final = 1
"""The fastest: predictions become a sixth; a tenth less than that takes four times as long."""


def decode(content: bytes, codings: str, limit: int) -> bytes:
    """Return a body without its codings, as ``Content-Encoding`` lists them.

    Raises the problem of another coding, of content that has not the coding that it declares, and
    of content that is longer than the limit without it; no more than that is ever unpacked.
    """
    names = [_ALIASES.get(name, name) for name in _split(codings) if name != "identity"]
    if len(names) > _MAX_CODINGS or not set(names) <= set(SUPPORTED):
        raise problems.unsupported_encoding(SUPPORTED)
    for name in reversed(names):
        try:
            content = _DECODERS[name](content, limit)
        except zlib.error:
            raise problems.not_compressed(name) from None
    return content


def compress(response: Response, qualities: Mapping[str, float]) -> None:
    """Compress a response, if a coding is preferred and makes it shorter.

    `qualities` are those of the choices in ``Accept-Encoding``.
    """
    default = qualities.get("*", 0.0)
    plain = qualities.get("identity", 0.0)
    name = max(SUPPORTED, key=lambda each: qualities.get(each, default))
    quality = qualities.get(name, default)
    if quality <= 0 or quality < plain or "content-encoding" in response.headers:
        return
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP if name == "gzip" else zlib.MAX_WBITS)
    packed = packer.compress(response.content) + packer.flush()
    if len(packed) < len(response.content):
        response.content = packed
        response.headers["content-encoding"] = name


def _split(codings: str) -> list[str]:
    return [name for each in codings.split(",") if (name := each.strip().lower())]


def _gunzip(content: bytes, limit: int) -> bytes:
    """Unpack all members of a gzip file."""
    found, place = bytearray(), 0
    while True:
        place = _inflate(content, place, _GZIP, found, limit)
        # Padding, which gzip ignores too: no member begins with a zero.
        if not content[place : place + 1].strip(b"\0") and not content[place:].strip(b"\0"):
            return bytes(found)


def _inflate_either(content: bytes, limit: int) -> bytes:
    """Unpack deflate, with zlib's header as HTTP defines it, or without as some clients send it."""
    found = bytearray()
    try:
        end = _inflate(content, 0, zlib.MAX_WBITS, found, limit)
    except zlib.error:
        found.clear()
        end = _inflate(content, 0, -zlib.MAX_WBITS, found, limit)
    if end < len(content):
        raise zlib.error("bytes after the end")
    return bytes(found)


def _inflate(content: bytes, place: int, wbits: int, found: bytearray, limit: int) -> int:
    """Add to `found` what is unpacked of the stream at a place; return the place after it.

    It is read in pieces, since zlib copies what follows a stream: of a body of 200,000 empty
    streams that would be the rest of the body each time.
    """
    unpacker = zlib.decompressobj(wbits)
    while not unpacker.eof:
        piece = content[place : place + _PIECE_BYTES]
        if not piece:
            raise zlib.error("truncated")
        found += unpacker.decompress(piece, limit - len(found) + 1)
        if len(found) > limit:
            raise problems.too_many_bytes(limit)
        place += len(piece)
    return place - len(unpacker.unused_data)


_DECODERS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzip,
    "deflate": _inflate_either,
}
