"""Compressed bodies: what is read, what is refused, and when a response is compressed."""

import gzip
import random
import zlib
from contextlib import suppress
from functools import partial
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.predict.http.encodings import compress, decode
from functions.predict.http.exchange import parse_qualities
from functions.predict.http.problems import ProblemRaised
from functions.predict.http.response import Response

CONTENT = b'{"instances": [{"tenure": 5}]}' * 100
LIMIT = len(CONTENT)


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


gzipped = partial(gzip.compress, mtime=0)  # every process collects the same cases


def _size(value: str | bytes) -> str:
    """Return the name of a case."""
    return value if isinstance(value, str) else f"{len(value)} bytes"


@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        ("gzip", gzipped(CONTENT)),
        ("GZip", gzipped(CONTENT)),
        ("x-gzip", gzipped(CONTENT)),
        ("gzip", gzipped(CONTENT[:50]) + gzipped(CONTENT[50:]) + b"\0\0"),
        ("deflate", zlib.compress(CONTENT)),
        ("deflate", raw_deflate(CONTENT)),
        ("deflate, gzip", gzipped(zlib.compress(CONTENT))),
        ("identity", CONTENT),
        ("identity, gzip", gzipped(CONTENT)),
        ("", CONTENT),
    ],
    ids=_size,
)
def test_a_body_is_read_in_each_form(codings: str, packed: bytes) -> None:
    assert decode(packed, codings, LIMIT) == CONTENT


@pytest.mark.parametrize("codings", ["br", "zstd", "gzip, br", "gzip, gzip, gzip", "*"])
def test_another_coding_is_refused_with_those_that_are_read(codings: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        decode(gzipped(CONTENT), codings, LIMIT)

    assert (raised.value.status, raised.value.kind) == (415, "unsupported-encoding")
    assert raised.value.headers == {"accept-encoding": "gzip, deflate"}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"{}",
        CONTENT,
        gzipped(CONTENT)[:-9],
        zlib.compress(CONTENT)[:-5],
        gzipped(CONTENT) + b"more",
        zlib.compress(CONTENT) + b"more",
        raw_deflate(CONTENT) + b"more",
    ],
    ids=_size,
)
def test_a_body_that_has_not_its_coding_is_a_bad_request(coding: str, packed: bytes) -> None:
    with pytest.raises(ProblemRaised) as raised:
        decode(packed, coding, LIMIT)

    assert (raised.value.status, raised.value.kind) == (400, "not-compressed")


@pytest.mark.parametrize(
    ("codings", "packed"),
    [
        ("gzip", gzipped(bytes(20_000_000))),
        ("gzip", gzipped(bytes(600)) * 5000),
        ("deflate", zlib.compress(bytes(20_000_000))),
        ("gzip, gzip", gzipped(gzipped(bytes(20_000_000)))),
    ],
    ids=_size,
)
def test_no_more_than_the_limit_is_unpacked(codings: str, packed: bytes) -> None:
    with pytest.raises(ProblemRaised) as raised:
        decode(packed, codings, 200_000)

    assert (raised.value.status, raised.value.members) == (413, {"limit": 200_000})


@given(packed=st.binary(max_size=200), coding=st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_read_or_refused(packed: bytes, coding: str) -> None:
    for content in (packed, gzipped(b"x")[:10] + packed):
        with suppress(ProblemRaised):
            decode(content, coding, LIMIT)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("*", "gzip"),
        ("br", None),
        ("gzip;q=0", None),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=nonsense", None),
    ],
)
def test_a_response_is_compressed_as_the_client_accepts(accepted: str, coding: str | None) -> None:
    response = Response(CONTENT)

    compress(response, parse_qualities(accepted))

    assert response.headers.get("content-encoding") == coding
    assert decode(response.content, coding or "", LIMIT) == CONTENT


def test_what_does_not_become_shorter_stays() -> None:
    packed = gzipped(CONTENT)
    response = Response(packed)

    compress(response, {"gzip": 1.0})

    assert (response.content, response.headers) == (packed, {})


@given(lengths=st.lists(st.integers(0, 9000), max_size=6), padding=st.integers(0, 5000))
def test_all_members_of_gzip_are_read_wherever_they_end(lengths: list[int], padding: int) -> None:
    parts = [random.Random(length).randbytes(length) for length in lengths or [1]]
    packed = b"".join(map(gzipped, parts)) + bytes(padding)

    assert decode(packed, "gzip", 100_000) == b"".join(parts)


def test_many_empty_members_take_no_time_for_each_other() -> None:
    packed = gzipped(b"") * 100_000  # copying the rest for each took 5 seconds

    started = process_time()
    unpacked = decode(packed, "gzip", LIMIT)

    assert unpacked == b""
    assert process_time() - started < 3, "the time grows with the square of the members"
