import csv
import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.batch.formats.layout import Layout
from functions.batch.formats.readers import Reader, open_reader
from functions.batch.formats.slices import Slice
from sklambda.reading.records import spans
from sklambda.signature import Feature, Signature
from tests.support.random_tables import TARGET, faults_of

NUMBER = Feature(name="n", kind="number", nullable=True)
WORD = Feature(name="w", kind="category", nullable=True, vocabulary=("yes", "no"))
SIGNATURE = Signature(features=(NUMBER, WORD), target=TARGET, row_id="id")
LAYOUT = Layout("csv", ("id", "n", "w"))


@pytest.fixture
def csv_reader(tmp_path: Path) -> Reader:
    return open_reader(LAYOUT, SIGNATURE, tmp_path)


def cells_of(record: bytes, width: int) -> list[str | None] | None:
    """Read a record as Python does; None if it is malformed."""
    try:
        text = io.StringIO(record.decode(), newline="")
        (cells,) = csv.reader(text, strict=True, quoting=csv.QUOTE_NOTNULL)
    except (csv.Error, UnicodeDecodeError):
        return None
    return cells if len(cells) == width and b"\0" not in record else None  # type: ignore[return-value]


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.text('ab,"\n\r \t\ufeff\0é#\\', max_size=20), max_size=5),
    width=st.integers(1, 3),
    broken=st.booleans(),
)
@example(texts=["\ufeffa", "b\nc"], width=1, broken=False)
@example(texts=['a, "b"\n', "b,c"], width=2, broken=False)
def test_each_record_is_read_as_python_reads_it_or_malformed(
    texts: list[str], width: int, broken: bool
) -> None:
    names = ("x", "y", "z")[:width]
    feature = Feature(name="x", kind="category", nullable=True, accepts_unseen=True)
    content = "\n".join(texts).encode().replace("é".encode(), b"\xff" if broken else "é".encode())
    layout = Layout("csv", names)
    read = [cells_of(record, width) for record in spans(content, layout.dialect).split(content)]

    with TemporaryDirectory() as folder:
        signature = Signature(features=(feature,), target=TARGET)
        encoded = open_reader(layout, signature, Path(folder)).read(Slice(content))

        assert encoded.read == len(read)
        assert encoded.places.tolist() == [place for place, one in enumerate(read) if one]
        assert [one.place for one in encoded.rejects] == [
            place for place, one in enumerate(read) if not one
        ]
        stored = encoded.con.execute(f"select {', '.join(names)} from records").fetchall()
        assert [list(row) for row in stored] == [one for one in read if one]


def test_a_malformed_record_is_rejected_and_its_neighbours_are_scored(csv_reader: Reader) -> None:
    content = (
        b'a,1,yes\nb,2\nc,3,no,4\nd,"4"x,no\n\ne,5,"no"\nf,\xff,no\ng,7\x00,no\nh,8, "no"\n'
        b'i,9,5" disk\nj,1,no,\n\xef\xbb\xbfk,2,no\nl,3,"no\n'
    )

    encoded = csv_reader.read(Slice(content))

    assert encoded.read == 12
    assert encoded.places.tolist() == [0, 4, 7, 8, 10]
    assert faults_of(encoded) == [
        (1, None, "malformed", "has 2 cells instead of 3"),
        (2, None, "malformed", "has 4 cells instead of 3"),
        (3, None, "malformed", "has a cell with more behind its closing quote, or with none"),
        (5, None, "malformed", "is not UTF-8"),
        (6, None, "malformed", "holds a NUL byte"),
        (7, "w", "unseen_category", "is not a known category"),
        (8, "w", "unseen_category", "is not a known category"),
        (9, None, "malformed", "has 4 cells instead of 3"),
        (11, None, "malformed", "has a cell with more behind its closing quote, or with none"),
    ]
    stored = encoded.con.execute("select id, w from records").fetchall()
    assert stored == [
        ("a", "yes"),
        ("e", "no"),
        ("h", ' "no"'),
        ("i", '5" disk'),
        ("\ufeffk", "no"),
    ]


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfk,2,no\n", b'a,1, "no"\n', b'a,1,"no" \n', b"a,1,no,\n", b'a,1,"no']
)
def test_records_that_duckdb_would_misread_are_repaired(csv_reader: Reader, content: bytes) -> None:
    good = b"a,1,yes\n"

    alone = csv_reader.read(Slice(content))
    stored = alone.con.execute("select id, w from records").fetchall()
    beside = csv_reader.read(Slice(good + content))

    assert (alone.read, beside.read) == (1, 2)
    assert [one.code for one in alone.rejects] == [one.code for one in beside.rejects]
    assert stored == beside.con.execute("select id, w from records offset 1").fetchall()
    assert alone.rejects or stored == [("\ufeffk", "no")]


def test_many_malformed_records_take_little_time(csv_reader: Reader) -> None:
    content = b"a,1\n" * 100_000

    started = time.perf_counter()
    encoded = csv_reader.read(Slice(content))

    assert time.perf_counter() - started < 10
    assert (encoded.read, len(encoded.rejects), len(encoded.X)) == (100_000, 100_000, 0)


def test_a_record_above_a_mebibyte_is_malformed(csv_reader: Reader) -> None:
    encoded = csv_reader.read(Slice(b"a,1,yes\nb,2," + b"x" * 2**20 + b"\nc,3,no\n"))

    assert faults_of(encoded) == [(1, None, "malformed", "is longer than 1 MiB")]
    assert encoded.places.tolist() == [0, 2]
