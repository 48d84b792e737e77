"""Joined Parquet files hold the rows of their parts in order, for every reader."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.batch.formats import parquet_footer, parquet_join
from functions.batch.formats.parquet_footer import (
    ChunkField,
    ColumnField,
    FileField,
    Footer,
    RowGroupField,
)
from functions.batch.formats.thrift import (
    Struct,
    Value,
    WireType,
    from_struct,
    from_structs,
    integer,
    to_int,
    to_struct,
    to_structs,
)
from sklambda.errors import InputRefused
from sklambda.storage import Directory, Stored
from tests.support.parquet_files import TYPES, read, texts, write

ROWS = """
SELECT i AS number, i %% 5 AS few, 'text ' || i AS text,
       CASE WHEN i %% 3 = 0 THEN 'a' END AS missing, i / 7 AS fraction,
       [i, i + 1] AS many, {'a': i, 'b': 'x' || i} AS nested
FROM range(%d, %d) AS t(i)
"""
COMPRESSIONS = ["uncompressed", "snappy", "zstd", "gzip", "lz4_raw", "brotli"]


def joined(storage: Directory, names: Sequence[str]) -> Path:
    parts = [found(storage, name) for name in names]
    assert storage.join("whole", parquet_join.pieces(storage, parts))
    return storage.root / "whole"


def found(storage: Directory, name: str) -> Stored:
    stored = storage.find(name)
    assert stored is not None
    return stored


@pytest.fixture
def storage(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_whole_has_the_rows_of_its_parts(
    storage: Directory, compression: str, version: str
) -> None:
    ends = [0, 1, 3000, 3000, 12_000]
    for number, (start, stop) in enumerate(pairwise(ends)):
        options = {"compression": compression, "parquet_version": version, "row_group_size": 2048}
        write(ROWS % (start, stop), storage.root / str(number), **options)
    write(ROWS % (0, 12_000), storage.root / "expected")

    whole = joined(storage, "0123")

    assert texts(whole) == texts(storage.root / "expected")
    assert read("SELECT count(*) FROM read_parquet($1)", whole) == [(12_000,)]


def test_all_types_survive(storage: Directory) -> None:
    write(TYPES, storage.root / "a")
    write(TYPES, storage.root / "b", compression="zstd")

    whole = joined(storage, "ab")

    assert len(texts(whole)) == 6
    assert texts(whole) == texts(storage.root / "a") * 2


PARTS = st.lists(
    st.tuples(
        st.integers(0, 5000), st.sampled_from(COMPRESSIONS), st.sampled_from([2048, 100_000])
    ),
    min_size=1,
    max_size=5,
)


@given(PARTS)
@settings(max_examples=20, deadline=None)
def test_any_parts_make_a_whole(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, str, int]]
) -> None:
    storage, start = Directory(tmp_path_factory.mktemp("parts")), 0
    for number, (count, compression, size) in enumerate(parts):
        query = ROWS % (start, start + count)
        write(query, storage.root / str(number), compression=compression, row_group_size=size)
        start += count

    whole = joined(storage, [str(number) for number in range(len(parts))])

    numbers = read("SELECT number, text FROM read_parquet($1)", whole)
    assert numbers == [(number, f"text {number}") for number in range(start)]


def test_one_part_stays_as_it_is(storage: Directory) -> None:
    write(ROWS % (0, 5000), storage.root / "a", row_group_size=2048)

    assert joined(storage, "a").read_bytes() == (storage.root / "a").read_bytes()


def test_more_row_groups_than_a_short_list_holds_are_joined(storage: Directory) -> None:
    write(ROWS % (7, 8), storage.root / "a")

    whole = joined(storage, ["a"] * 300)

    assert read("SELECT number FROM read_parquet($1)", whole) == [(7,)] * 300


def test_bloom_filters_are_those_of_their_row_groups(storage: Directory) -> None:
    names = [str(number) for number in range(6)]
    for number, name in enumerate(names):
        query = f"SELECT (i % 50) * 1000 + {number} AS few FROM range(4096) AS t(i)"
        write(query, storage.root / name, row_group_size=2048)

    whole = joined(storage, names)

    probe = """SELECT row_group_id FROM parquet_bloom_probe($1, 'few', %d)
               WHERE NOT bloom_filter_excludes"""
    for number in range(6):
        found = {group for (group,) in read(probe % (7000 + number), whole)}
        assert found >= {2 * number, 2 * number + 1}
        assert len(found) < 6
        lookup = f"SELECT count(*) FROM read_parquet($1) WHERE few = {7000 + number}"
        assert read(lookup, whole) == read(lookup, storage.root / str(number))


def test_statistics_are_those_of_their_row_groups(storage: Directory) -> None:
    for number in range(3):
        start = 2000 * number
        write(ROWS % (start, start + 2000), storage.root / str(number))

    whole = joined(storage, "012")

    query = """SELECT stats_min::BIGINT, stats_max::BIGINT FROM parquet_metadata($1)
               WHERE path_in_schema = 'number'"""
    assert read(query, whole) == [(0, 1999), (2000, 3999), (4000, 5999)]


@pytest.mark.parametrize(
    "other", ["SELECT 1 AS b", "SELECT '1' AS a", "SELECT 1 AS a, 2 AS b", "SELECT 1::BIGINT AS a"]
)
def test_parts_of_other_columns_are_refused(storage: Directory, other: str) -> None:
    write("SELECT 1 AS a", storage.root / "a")
    write(other, storage.root / "b")

    with pytest.raises(ValueError, match="columns"):
        joined(storage, "ab")


def test_no_parts_are_refused(storage: Directory) -> None:
    with pytest.raises(ValueError, match="at least one Parquet file to join, got none"):
        joined(storage, "")


def test_what_is_not_parquet_is_refused(storage: Directory) -> None:
    write("SELECT 1 AS a", storage.root / "a")
    storage.put({"b": b"not Parquet, but as long as its magic and tail"})

    with pytest.raises(InputRefused, match="Parquet"):
        joined(storage, "ab")


def test_what_other_writers_write_is_moved_or_left_out(storage: Directory) -> None:
    write("SELECT 1 AS a", storage.root / "a")
    footer = parquet_footer.read(storage, found(storage, "a"))
    annotated = Footer(footer.start, with_offsets(footer, 100))

    ending = parquet_join.joined_tail([annotated, annotated])

    by = footer.start - 4
    for number, (group, chunk, column) in enumerate(parsed(ending)):
        assert to_int(group[RowGroupField.FILE_OFFSET]) == 100 + number * by
        assert to_int(chunk[ChunkField.FILE_OFFSET]) == 100 + number * by
        assert to_int(column[ColumnField.INDEX_PAGE]) == 100 + number * by
        assert to_int(column[ColumnField.DICTIONARY_PAGE]) == 0
        assert column[99] == Value(WireType.BINARY, b"\x03new")
        assert RowGroupField.ORDINAL not in group
        assert not chunk.keys() & {4, 5, 6, 7}


def parsed(ending: bytes) -> Iterator[tuple[Struct, Struct, Struct]]:
    for group in to_structs(to_struct(ending[:-8])[FileField.GROUPS]):
        (chunk,) = to_structs(group[RowGroupField.COLUMNS])
        yield group, chunk, to_struct(chunk[ChunkField.METADATA].content)


def with_offsets(footer: Footer, position: int) -> bytes:
    """Add to the only column what DuckDB does not write."""
    ((group, chunk, column),) = parsed(footer.tail)
    at = integer(position)
    column |= {10: at, 11: integer(0), 99: Value(WireType.BINARY, b"\x03new")}
    chunk |= {2: at, 3: Value(WireType.STRUCT, from_struct(column)), 4: at, 5: at, 6: at, 7: at}
    group |= {1: from_structs([from_struct(chunk)], 1), 5: at, 7: Value(WireType.I16, b"\x02")}
    whole = footer.fields() | {4: from_structs([from_struct(group)], 1)}
    return from_struct(whole)
