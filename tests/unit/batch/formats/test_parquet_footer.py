"""Some row groups of a Parquet object are read as they are in it, and nothing else is needed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.batch.formats import parquet_footer
from functions.batch.formats.parquet_footer import Footer, RowGroup
from sklambda.errors import InputRefused, ObjectReplaced
from sklambda.storage import Directory, Stored
from tests.support.parquet_files import read, write

GROUP = 2048
ROWS = 10_000
QUERY = f"""
SELECT i AS number, i % 5 AS few, hash(i)::VARCHAR AS text, [i, i + 1] AS many
FROM range({ROWS}) AS t(i)
"""
RANGE = """
SELECT * FROM read_parquet($1, file_row_number = true)
WHERE file_row_number >= {} AND file_row_number < {}
"""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    folder = tmp_path_factory.mktemp("parquet")
    write(QUERY, folder / "a", row_group_size=GROUP)
    return Directory(folder)


@pytest.fixture
def stored(storage: Directory) -> Stored:
    found = storage.find("a")
    assert found is not None
    return found


@pytest.fixture
def footer(storage: Directory, stored: Stored) -> Footer:
    return parquet_footer.read(storage, stored)


@pytest.fixture
def groups(footer: Footer) -> tuple[RowGroup, ...]:
    return parquet_footer.row_groups(footer)


def test_row_groups_are_those_that_duckdb_sees(
    storage: Directory, groups: tuple[RowGroup, ...]
) -> None:
    expected = read(
        """SELECT row_group_num_rows,
                  min(coalesce(dictionary_page_offset, data_page_offset)),
                  sum(total_compressed_size)
           FROM parquet_metadata($1) GROUP BY row_group_id, 1 ORDER BY row_group_id""",
        storage.root / "a",
    )

    assert [(one.rows, one.start, one.stop - one.start) for one in groups] == expected
    assert sum(group.rows for group in groups) == ROWS


@pytest.mark.parametrize("number", range(5))
def test_the_rows_of_a_row_group_are_read_without_the_others(
    storage: Directory,
    stored: Stored,
    footer: Footer,
    groups: tuple[RowGroup, ...],
    number: int,
    tmp_path: Path,
) -> None:
    parquet_footer.fetch(storage, stored, footer, [groups[number]], tmp_path / "part")

    start, stop = number * GROUP, min((number + 1) * GROUP, ROWS)
    for rows_ in [(start, stop), (start + 1, stop - 1), (start + 700, start + 701)]:
        query = RANGE.format(*rows_)
        rows = read(query, tmp_path / "part")
        assert rows == read(query, storage.root / "a")
        assert [row[0] for row in rows] == list(range(*rows_))


def test_rows_of_neighbours_are_read_together(
    storage: Directory,
    stored: Stored,
    footer: Footer,
    groups: tuple[RowGroup, ...],
    tmp_path: Path,
) -> None:
    parquet_footer.fetch(storage, stored, footer, groups[1:3], tmp_path / "part")

    query = RANGE.format(GROUP + 10, 3 * GROUP - 10)
    assert read(query, tmp_path / "part") == read(query, storage.root / "a")


def test_all_row_groups_are_the_whole_but_for_what_is_between(
    storage: Directory,
    stored: Stored,
    footer: Footer,
    groups: tuple[RowGroup, ...],
    tmp_path: Path,
) -> None:
    parquet_footer.fetch(storage, stored, footer, groups, tmp_path / "part")

    everything = "SELECT * FROM read_parquet($1)"
    assert read(everything, tmp_path / "part") == read(everything, storage.root / "a")


def test_a_row_group_that_was_not_fetched_is_nothing_that_can_be_read(
    storage: Directory,
    stored: Stored,
    footer: Footer,
    groups: tuple[RowGroup, ...],
    tmp_path: Path,
) -> None:
    parquet_footer.fetch(storage, stored, footer, groups[:1], tmp_path / "part")

    with pytest.raises(Exception, match=r"(?i)page|protocol|corrupt|read"):
        read(RANGE.format(0, GROUP + 1), tmp_path / "part")


def test_the_disk_holds_the_row_groups_alone(
    storage: Directory, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    large = Directory(tmp_path_factory.mktemp("large"))
    query = "SELECT hash(i) AS a, hash(i + 1) AS b FROM range(2000000) AS t(i)"
    write(query, large.root / "a", row_group_size=100_000)
    stored = large.find("a")
    assert stored is not None
    footer = parquet_footer.read(large, stored)
    groups = parquet_footer.row_groups(footer)
    group, first = groups[7], sum(before.rows for before in groups[:7])

    parquet_footer.fetch(large, stored, footer, [group], tmp_path / "part")

    status = (tmp_path / "part").stat()
    assert status.st_size == stored.size > 30_000_000
    assert status.st_blocks * 512 < (group.stop - group.start) + 100_000
    query = RANGE.format(first, first + group.rows)
    assert read(query, tmp_path / "part") == read(query, large.root / "a")


def test_a_footer_that_is_longer_than_the_first_question_is_read(tmp_path: Path) -> None:
    storage = Directory(tmp_path)
    columns = ", ".join(f"i AS column_{number}" for number in range(1000))
    write(f"SELECT {columns} FROM range(3) AS t(i)", tmp_path / "a")
    stored = storage.find("a")
    assert stored is not None

    footer = parquet_footer.read(storage, stored)

    assert len(footer.content) > 64 << 10
    assert (tmp_path / "a").read_bytes()[footer.start :] == footer.tail
    assert [group.rows for group in parquet_footer.row_groups(footer)] == [3]


def test_an_object_that_was_replaced_is_not_fetched(tmp_path: Path) -> None:
    storage = Directory(tmp_path / "moved")
    (tmp_path / "moved").mkdir()
    write("SELECT 1 AS a", tmp_path / "moved/a")
    stored = storage.find("a")
    assert stored is not None
    footer = parquet_footer.read(storage, stored)
    write("SELECT 2 AS a", tmp_path / "moved/a")

    with pytest.raises(ObjectReplaced):
        parquet_footer.fetch(
            storage, stored, footer, parquet_footer.row_groups(footer), tmp_path / "part"
        )


def row_groups_of(storage: Directory, content: bytes) -> tuple[RowGroup, ...]:
    storage.put({"other": content})
    stored = storage.find("other")
    assert stored is not None
    return parquet_footer.row_groups(parquet_footer.read(storage, stored))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda whole: b"", "too short"),
        (lambda whole: b"a,b\n1,2\n" * 100, "end is missing"),
        (lambda whole: gzip.compress(whole), "end is missing"),
        (lambda whole: whole[:-1], "end is missing"),
        (lambda whole: whole[: len(whole) // 2], "end is missing"),
        (lambda whole: whole[:-4] + b"PARE", "encrypted"),
        (lambda whole: whole[:-8] + b"\xff\xff\xff\x7fPAR1", "longer than the file"),
        (lambda whole: whole[:-8] + b"\x00\x00\x00\x00PAR1", "damaged"),
        (lambda whole: whole[:-9] + b"\x0f" + whole[-8:], "damaged"),
        (
            lambda whole: whole[-8 - int.from_bytes(whole[-8:-4], "little") - 4 :],
            "points outside of its data",
        ),
    ],
)
def test_what_is_not_parquet_is_refused(
    storage: Directory, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    spoiled = spoil((storage.root / "a").read_bytes())

    with pytest.raises(InputRefused, match=reason) as refusal:
        row_groups_of(storage, spoiled)

    assert refusal.value.code == "not_parquet"


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET force_mbedtls_unsafe = true")
        connection.execute("PRAGMA add_parquet_key('key', '0123456789112345')")
        connection.execute(
            f"COPY (SELECT 1) TO '{tmp_path / 'a'}' "
            "(FORMAT parquet, ENCRYPTION_CONFIG {footer_key: 'key'})"
        )

    with pytest.raises(InputRefused, match="encrypted"):
        row_groups_of(Directory(tmp_path), (tmp_path / "a").read_bytes())


@given(st.integers(1, 3000), st.integers(0, 255))
def test_a_damaged_footer_is_read_or_refused(storage: Directory, place: int, byte: int) -> None:
    whole = bytearray((storage.root / "a").read_bytes())
    whole[-place] = byte

    try:
        groups = row_groups_of(storage, bytes(whole))
    except InputRefused:
        return
    assert all(4 <= group.start <= group.stop < len(whole) for group in groups)
