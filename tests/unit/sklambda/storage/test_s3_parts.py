"""The parts of an object in S3 are as S3 wants them, and make up its pieces."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklambda.storage import Extent, Piece, Stored
from sklambda.storage.s3 import LEAST, MOST, Copy, Part, of_pieces

LARGEST = 5 << 30
SIZES = st.sampled_from(
    [0, 1, 4, LEAST - 1, LEAST, LEAST + 1, 2 * LEAST - 1, 2 * LEAST, LARGEST, LARGEST + 1]
)
type Range = tuple[int, int]


def parts_of(sizes: list[int]) -> list[tuple[Part, list[Range]]]:
    """Cut pieces that lie behind one another, and tell the ranges that each part is made of."""
    reads = list[Range]()

    def read(stored: Stored, start: int, stop: int) -> bytes:
        reads.append((start, stop))
        return b""

    def made(part: Part) -> list[Range]:
        if isinstance(part, Copy):
            return [(part.extent.start, part.extent.stop)]
        reads.clear()
        part.content()
        return reads.copy()

    ends = accumulate(sizes, initial=0)
    pieces: list[Piece] = [Extent(Stored("a", 0, "b"), *ends) for ends in pairwise(ends)]
    return [(part, made(part)) for part in of_pieces(pieces, read)]


def size(ranges: list[Range]) -> int:
    return sum(stop - start for start, stop in ranges)


@given(st.lists(SIZES, max_size=30))
def test_parts_make_up_the_pieces_in_their_order(sizes: list[int]) -> None:
    ranges = [one for _, made in parts_of(sizes) for one in made]

    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert size(ranges) == sum(sizes)


@given(st.lists(SIZES, max_size=30))
def test_all_parts_but_the_last_are_as_large_as_s3_wants_and_none_is_too_large(
    sizes: list[int],
) -> None:
    parts = [size(made) for _, made in parts_of(sizes)]

    assert all(part >= LEAST for part in parts[:-1])
    assert max(parts) <= LARGEST


@given(st.lists(SIZES, max_size=30))
def test_little_is_held_of_what_is_read(sizes: list[int]) -> None:
    read = [size(made) for part, made in parts_of(sizes) if not isinstance(part, Copy)]

    assert max(read, default=0) < 3 * LEAST


def test_pieces_that_are_large_enough_are_copied() -> None:
    parts = parts_of([4, 100 * LEAST, 100 * LEAST, 100])

    assert [isinstance(part, Copy) for part, _ in parts] == [False, True, True, False]


@pytest.mark.parametrize("each", [1000, LEAST])
def test_there_are_never_more_parts_than_s3_takes(each: int) -> None:
    parts = parts_of([4, *[each] * 2 * MOST, 100])

    assert len(parts) <= MOST
    assert all(size(made) >= LEAST for _, made in parts[:-1])


def test_nothing_is_one_part() -> None:
    ((part, made),) = parts_of([])

    assert not isinstance(part, Copy)
    assert not made
