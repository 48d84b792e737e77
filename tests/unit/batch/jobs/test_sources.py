"""The decompressed bytes of an input, in any ranges."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from functions.batch.jobs.sources import PlainSource, StreamedSource, open_source
from sklambda.errors import InputRefused
from sklambda.reading.suffixes import Compression
from sklambda.storage import Directory, Stored

PACK: dict[Compression, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def stored(folder: Path, content: bytes) -> tuple[Directory, Stored]:
    storage = Directory(folder)
    storage.put({"a": content})
    found = storage.find("a")
    assert found is not None
    return storage, found


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_any_ranges_are_those_of_the_content(
    compression: Compression, tmp_path_factory: pytest.TempPathFactory
) -> None:
    @given(
        pieces=st.lists(st.binary(max_size=3000), max_size=4),
        ranges=st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 4000)), max_size=6),
    )
    def check(pieces: list[bytes], ranges: list[tuple[int, int]]) -> None:
        whole = b"".join(pieces)
        # Each piece is a member, or a frame, of its own.
        packed = b"".join(map(PACK[compression], pieces))
        folder = tmp_path_factory.mktemp("content")
        packed_source = open_source(*stored(folder, packed), compression)
        for start, length in ranges:
            content, ended = packed_source.read(start, length)
            assert content == whole[start : start + length]
            assert ended == (start + length >= len(whole))

    check()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("length", [1, 20, -1])
def test_what_is_cut_off_is_refused(compression: Compression, length: int, tmp_path: Path) -> None:
    packed = PACK[compression](bytes(range(256)) * 50)
    packed_source = open_source(*stored(tmp_path, packed[:length]), compression)

    with pytest.raises(InputRefused) as refused:
        packed_source.read(0, 100_000)

    assert refused.value.code == "truncated"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_is_damaged_is_refused(compression: Compression, tmp_path: Path) -> None:
    packed = bytearray(PACK[compression](bytes(range(256)) * 50))
    packed[:4] = b"none"

    with pytest.raises(InputRefused) as refused:
        open_source(*stored(tmp_path, bytes(packed)), compression).read(0, 10)

    assert refused.value.code == "damaged"


def test_a_highly_compressed_input_is_buffered_in_pieces(tmp_path: Path) -> None:
    packed = PACK["zstd"](bytes(50_000_000))
    packed_source = open_source(*stored(tmp_path, packed), "zstd")

    content, ended = packed_source.read(0, 1000)

    assert isinstance(packed_source, StreamedSource)
    assert (len(content), ended) == (1000, False)
    assert len(packed_source._buffer) < 35_000_000


def test_reading_behind_the_end_gives_nothing(tmp_path: Path) -> None:
    assert PlainSource(*stored(tmp_path, b"abc")).read(3, 5) == (b"", True)


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("encoding", ["utf-16", "iso8859-1"])
def test_bytes_are_read_in_utf8_whatever_the_encoding(
    tmp_path: Path, compression: Compression, encoding: str
) -> None:
    text = "Größe;naïve\n" * 400
    content = text.encode(encoding)
    packed = content if compression == "none" else PACK["gzip"](content)
    source = open_source(*stored(tmp_path, packed), compression, encoding)

    pieces = [source.read(start, 1000)[0] for start in range(0, len(text.encode()), 1000)]

    assert b"".join(pieces).decode() == text


def test_bytes_of_another_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="the file is not text in cp1252"):
        open_source(*stored(tmp_path, b"a\x81b"), "none", "cp1252").read(0, 10)
