import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.batch.formats import parquet_footer
from functions.batch.formats.layout import Layout
from functions.batch.formats.parquet_footer import RowGroup
from functions.batch.formats.parquet_reader import layout
from functions.batch.formats.readers import open_reader
from functions.batch.formats.slices import EncodedSlice, Slice
from functions.batch.formats.sql import identifier, literal
from sklambda.errors import InputRefused
from sklambda.signature import Feature, Signature
from sklambda.storage import Directory
from tests.support.random_tables import (
    TARGET,
    WORDS,
    assert_same_rows,
    expected,
    faults_of,
    signatures,
)

TYPES: dict[str, st.SearchStrategy[Any]] = {
    "double": st.none() | st.floats(),
    "float": st.none() | st.floats(width=32),
    "tinyint": st.none() | st.integers(-128, 127),
    "bigint": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    "ubigint": st.none() | st.integers(0, 2**64 - 1),
    "boolean": st.none() | st.booleans(),
    "varchar": st.none() | WORDS | st.sampled_from(["2026-11-22", "2026-11-22T10:00:00.5"]),
}
FITTING = {
    "number": ["double", "float", "bigint"],
    "integer": ["tinyint", "bigint", "double"],
    "boolean": ["boolean"],
    "category": ["varchar"],
    "text": ["varchar"],
    "datetime": ["varchar"],
}


def write(path: Path, query: str, more: str = "") -> Path:
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"copy ({query}) to '{path}' (format parquet {more})")
    return path


def read(path: Path, signature: Signature, first: int, after: int) -> EncodedSlice:
    part = Slice(path=path, rows=(first, after))
    return open_reader(layout(path, signature), signature, path.parent).read(part)


def row_groups(path: Path) -> tuple[RowGroup, ...]:
    storage = Directory(path.parent)
    stored = storage.find(path.name)
    assert stored is not None
    return parquet_footer.row_groups(parquet_footer.read(storage, stored))


def one_feature(kind: Any, **more: Any) -> Signature:
    feature = Feature(name="x", kind=kind, nullable=False, **more)
    return Signature(features=(feature,), target=TARGET)


type Drawn = tuple[Signature, list[str], list[tuple[Any, ...]]]


@st.composite
def tables(draw: st.DrawFn) -> Drawn:
    signature = draw(signatures())
    types = [draw(st.sampled_from([*FITTING[one.kind] * 4, *TYPES])) for one in signature.features]
    rows = draw(st.lists(st.tuples(*(TYPES[one] for one in types)), max_size=8))
    return signature, types, rows


def write_rows(path: Path, names: Sequence[str], types: Sequence[str], rows: Any) -> None:
    columns = ", ".join(f"{identifier(n)} {t}" for n, t in zip(names, types, strict=True))
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"create table t ({columns})")
        if rows:
            con.executemany(f"insert into t values ({', '.join('?' * len(names))})", rows)
        con.execute(f"copy t to {literal(str(path))} (format parquet)")


@settings(max_examples=100, deadline=None)
@given(table=tables())
def test_any_values_are_encoded_as_the_codec_encodes_them(table: Drawn) -> None:
    signature, types, rows = table
    values = [dict(zip(signature.names, row, strict=True)) for row in rows]
    X, faults = expected(signature, values)

    with TemporaryDirectory() as folder:
        path = Path(folder, "it's.parquet")
        write_rows(path, signature.names, types, rows)
        encoded = read(path, signature, 0, len(rows))

        assert (encoded.read, faults_of(encoded)) == (len(rows), faults)
        assert_same_rows(encoded, X)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("timestamp '2026-11-22 10:00:00'", 1795341600.0),
        ("timestamp_s '2026-11-22 10:00:00'", 1795341600.0),
        ("timestamp_ms '2026-11-22 10:00:00'", 1795341600.0),
        ("timestamp_ns '2026-11-22 10:00:00'", 1795341600.0),
        ("date '2026-11-22'", 1795305600.0),
        ("'2026-11-22'", 1795305600.0),
        ("timestamp '2026-11-22 10:00:00.5'", "too_precise"),
        ("timestamptz '2026-11-22 10:00:00+01'", "has_offset"),
        ("20261122", "type"),
        ("time '10:00:00'", "type"),
        ("null::timestamp", "null"),
        ("null::timestamptz", "null"),
    ],
)
def test_moments_are_counted(value: str, seconds: float | str, tmp_path: Path) -> None:
    path = write(tmp_path / "p", f"select {value} as x")

    encoded = read(path, one_feature("datetime", unit="s"), 0, 1)

    assert [one.code for one in encoded.rejects] or encoded.X[0, 0] == seconds
    assert [one.code for one in encoded.rejects] == ([seconds] if type(seconds) is str else [])


@pytest.mark.parametrize("kind", ["number", "integer", "boolean", "category"])
@pytest.mark.parametrize(
    "value",
    ["date '2026-11-22'", "timestamptz '2026-11-22 10:00:00+01'", "[1]", "{'a': 1}", "'a'::blob"],
)
def test_a_value_of_a_foreign_type_is_a_fault(kind: str, value: str, tmp_path: Path) -> None:
    path = write(tmp_path / "p", f"select {value} as x")

    encoded = read(path, one_feature(kind), 0, 1)

    assert [one.code for one in encoded.rejects] == ["type"]


@pytest.mark.parametrize("text", ["0.1", "1.005", "-3", "12345678901234.5678", "9007199254740993"])
def test_a_decimal_is_its_nearest_number(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "p", f"select '{text}'::decimal(38, 4) as x")

    encoded = read(path, one_feature("number"), 0, 1)

    assert encoded.X[0, 0] == float(Decimal(text))


def test_enumerations_are_texts(tmp_path: Path) -> None:
    path = write(tmp_path / "p", "select unnest(['b', 'a', 'b'])::enum('a', 'b') as x")

    encoded = read(path, one_feature("category", vocabulary=("a", "b")), 0, 3)

    assert encoded.X[:, 0].tolist() == [1, 0, 1]


def test_rows_are_read_from_their_row_groups_alone(tmp_path: Path) -> None:
    query = "select range::double as x, {'deep': [range]} as extra from range(10000)"
    path = write(tmp_path / "p", query, ", row_group_size 2048")
    found = row_groups(path)
    content = bytearray(path.read_bytes())
    for group in found[:2] + found[3:]:
        content[group.start : group.stop] = bytes(group.stop - group.start)
    path.write_bytes(content)

    encoded = read(path, one_feature("number"), 4096 + 10, 6144)

    assert [group.rows for group in found] == [2048, 2048, 2048, 2048, 1808]
    assert encoded.X[:, 0].tolist() == [float(row) for row in range(4106, 6144)]
    assert encoded.con.execute("select extra from records limit 1").fetchall() == [
        ({"deep": [4106]},)
    ]


@pytest.mark.parametrize("rows", [(2000, 2100), (9_000, 20_000)])
def test_rows_that_are_not_there_are_no_rows(rows: tuple[int, int], tmp_path: Path) -> None:
    query = "select range::double as x from range(10000)"
    path = write(tmp_path / "p", query, ", row_group_size 2048")
    group, content = row_groups(path)[1], bytearray(path.read_bytes())
    content[group.start : group.stop] = bytes(group.stop - group.start)
    path.write_bytes(content)

    with pytest.raises(InputRefused) as refused:
        read(path, one_feature("number"), *rows)
    assert refused.value.code == "damaged"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ("1 as y", "no_header"),
        ("1 as x, 2 as yy, 3 as zz", "columns_doubled"),
        ("1 as x, 2 as file_row_number", "column_reserved"),
    ],
)
def test_columns_that_will_not_do_are_refused(columns: str, code: str, tmp_path: Path) -> None:
    path = write(tmp_path / "p", f"select {columns}")
    path.write_bytes(path.read_bytes().replace(b"zz", b"YY"))  # which DuckDB would not write

    with pytest.raises(InputRefused) as refused:
        layout(path, one_feature("number"))
    assert refused.value.code == code


def test_the_layout_names_columns_and_not_what_is_in_them(tmp_path: Path) -> None:
    path = write(tmp_path / "p", "select {'a': 1, 'b': [{'c': 2}]} as s, map {1: 2} as m, 3 as x")

    assert layout(path, one_feature("number")) == Layout("parquet", ("s", "m", "x"))


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(b"a,b\n1,2\n")

    for read_file in (lambda: layout(path, one_feature("number")), lambda: row_groups(path)):
        with pytest.raises(InputRefused) as refused:
            read_file()
        assert refused.value.code == "not_parquet"


def test_missing_numbers_are_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "p", "select unnest([1.0::double, null, 'nan']) as x")
    feature = Feature(name="x", kind="number", nullable=True)

    encoded = read(path, Signature(features=(feature,), target=TARGET), 0, 3)

    np.testing.assert_array_equal(encoded.X[:, 0], [1, math.nan, math.nan])
