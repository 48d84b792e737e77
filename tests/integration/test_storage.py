"""A directory and a bucket, over HTTP, keep objects alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from sklambda.errors import ObjectReplaced
from sklambda.storage import Bucket, Directory, Extent, Piece, Storage, Stored
from sklambda.storage.s3 import LEAST

AT_ONCE = 16
KEYS = ["a b/c+d=e%20f.csv", "ünïcödé/日本語.csv", "q?x&y#z", "plain"]


@pytest.fixture(params=["directory", "bucket"])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "directory":
        return Directory(request.getfixturevalue("tmp_path") / "kept")
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket


def kept(storage: Storage, key: str, content: bytes) -> Stored:
    assert storage.create(key, content)
    return found(storage, key)


def found(storage: Storage, key: str) -> Stored:
    stored = storage.find(key)
    assert stored is not None
    return stored


def content(storage: Storage, key: str) -> bytes:
    return b"".join(storage.stream(found(storage, key)))


def bytes_of(seed: int, size: int) -> bytes:
    return (b"%d," % seed * (size // 2 + 1))[:size]


def at_once(act: Any) -> list[Any]:
    barrier = Barrier(AT_ONCE)

    def one(number: int) -> Any:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_nothing_is_found_where_nothing_is(storage: Storage) -> None:
    storage.put({"folder/a": b"1"})

    assert storage.find("folder") is None
    assert storage.find("folder/a/b") is None
    assert storage.find("other/a") is None
    assert list(storage.list("other/")) == []


@pytest.mark.parametrize("key", KEYS)
def test_any_key_is_found_read_listed_joined_and_removed(storage: Storage, key: str) -> None:
    stored = kept(storage, key, b"0123456789")

    assert (stored.key, stored.size) == (key, 10)
    assert [(one.key, one.size, one.etag) for one in storage.list(key[:3])] == [
        (key, 10, stored.etag)
    ]
    assert storage.read(stored, 2, 5) == b"234"
    assert storage.join(f"{key} joined", [Extent(stored, 5, 10), b"-", Extent(stored, 0, 5)])
    assert content(storage, f"{key} joined") == b"56789-01234"
    storage.remove([key, "never there"])
    assert storage.find(key) is None


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, None, b"0123"), (1, 3, b"12"), (2, 99, b"23"), (2, 2, b""), (4, None, b"")],
)
def test_a_range_is_read(storage: Storage, start: int, stop: int | None, expected: bytes) -> None:
    stored = kept(storage, "a", b"0123")

    assert storage.read(stored, start, stop) == expected


def test_an_empty_object_is_an_object(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")

    assert storage.create("a", b"")
    assert storage.create("b", tmp_path / "empty")
    assert storage.join("c", [])
    assert [storage.read(stored) for stored in storage.list("")] == [b"", b"", b""]


def test_a_stream_begins_anywhere_and_holds_little_at_a_time(storage: Storage) -> None:
    whole = bytes_of(1, 20_000_001)
    stored = kept(storage, "a", whole)

    chunks = list(storage.stream(stored, 5))

    assert b"".join(chunks) == whole[5:]
    assert max(map(len, chunks)) == 1 << 20


@pytest.mark.parametrize("new", [b"other", b"longer than it was", b""])
def test_an_object_that_is_replaced_is_not_read_or_joined(storage: Storage, new: bytes) -> None:
    stored = kept(storage, "a", b"first")
    storage.put({"a": new})

    with pytest.raises(ObjectReplaced, match=r"\Aa\Z"):
        storage.read(stored, 0, 3)
    with pytest.raises(ObjectReplaced, match=r"\Aa\Z"):
        storage.join("b", [Extent(stored, 0, 3)])
    assert storage.find("b") is None


def test_an_object_that_is_removed_is_not_read(storage: Storage) -> None:
    stored = kept(storage, "a", b"first")
    storage.remove(["a"])

    with pytest.raises(ObjectReplaced, match="a"):
        storage.read(stored)


def test_a_stream_ends_when_its_object_is_replaced(storage: Storage) -> None:
    stream = storage.stream(kept(storage, "a", bytes_of(1, 20 << 20)))
    next(stream)
    storage.put({"a": bytes_of(2, 20 << 20)})

    with pytest.raises(ObjectReplaced, match="a"):
        list(stream)


def test_what_is_there_is_not_created_again(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes_of(1, 20 << 20))
    kept(storage, "a", b"first")

    assert not storage.create("a", b"second")
    assert not storage.create("a", tmp_path / "large")
    assert not storage.join("a", [b"second"])
    assert content(storage, "a") == b"first"


@pytest.mark.parametrize("size", [1, 8 << 20, (8 << 20) + 1, 40_000_000])
def test_a_file_is_created(storage: Storage, tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(bytes_of(1, size))

    assert storage.create("a", tmp_path / "file", "text/csv")
    assert content(storage, "a") == bytes_of(1, size)


def test_a_race_to_create_has_one_winner(storage: Storage) -> None:
    won = at_once(lambda number: storage.create("a", b"%d" % number))

    assert sum(won) == 1
    assert content(storage, "a") == b"%d" % won.index(True)


@pytest.mark.parametrize("size", [100, 6 << 20])
def test_a_race_to_join_has_one_winner(storage: Storage, size: int) -> None:
    stored = kept(storage, "part", bytes_of(1, size))

    won = at_once(lambda number: storage.join("a", [b"%d," % number, Extent(stored, 0, size)]))

    assert sum(won) == 1
    assert content(storage, "a") == b"%d," % won.index(True) + bytes_of(1, size)


def pieces(storage: Storage, sizes: list[int]) -> Iterator[tuple[Piece, bytes]]:
    for number, size in enumerate(sizes):
        whole = bytes_of(number, size + 10)
        stored = kept(storage, f"parts/{number}", whole)
        yield Extent(stored, 3, 3 + size), whole[3 : 3 + size]
        yield b"|", b"|"


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([1, 0, 2], id="small"),
        pytest.param([LEAST, LEAST, 3 * LEAST], id="large"),
        pytest.param([3, 3 * LEAST, 3, LEAST + 1, 2 * LEAST, LEAST - 1, LEAST - 1, 7], id="mixed"),
        pytest.param([500_000] * 30, id="many"),
    ],
)
def test_what_is_joined_is_its_pieces_behind_one_another(
    storage: Storage, sizes: list[int]
) -> None:
    made = list(pieces(storage, sizes))

    assert storage.join("whole", [piece for piece, _ in made], "text/csv")
    assert content(storage, "whole") == b"".join(part for _, part in made)


def test_a_listing_has_all_keys_in_their_order_and_below_the_prefix_alone(
    storage: Storage,
) -> None:
    names = [f"in/{number % 7}/{number}" for number in range(1203)]
    storage.put(dict.fromkeys([*names, "in-a", "in.a", "inn/a", "in/é", "in/z z", "i"], b"1"))

    listed = [stored.key for stored in storage.list("in/")]

    assert listed == sorted([*names, "in/é", "in/z z"], key=str.encode)
    everything = [stored.key for stored in storage.list("")]
    assert everything == sorted(everything, key=str.encode)
    assert len(everything) == 1203 + 6
    assert [stored.key for stored in storage.list("in/3/10")] == [
        key for key in listed if key.startswith("in/3/10")
    ]


def test_many_objects_are_removed(storage: Storage) -> None:
    names = [f"parts/{number}" for number in range(1203)]
    storage.put(dict.fromkeys([*names, "kept"], b"1"))

    storage.remove(iter(names))

    assert [stored.key for stored in storage.list("")] == ["kept"]
