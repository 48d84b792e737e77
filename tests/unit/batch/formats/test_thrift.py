"""Thrift's compact protocol: what is read is written again unchanged; invalid bytes are refused."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.batch.formats.thrift import (
    Struct,
    ThriftInvalid,
    Value,
    WireType,
    from_struct,
    from_structs,
    integer,
    to_int,
    to_struct,
    to_structs,
)
from tests.support.parquet_files import write

INTEGERS = st.integers(-(2**63), 2**63 - 1)
NAMES = st.integers(-(2**15), 2**15 - 1)


def binary(content: bytes) -> Value:
    assert len(content) < 128
    return Value(WireType.BINARY, bytes([len(content)]) + content)


VALUES = st.recursive(
    st.one_of(
        INTEGERS.map(integer),
        st.sampled_from([Value(WireType.TRUE, b""), Value(WireType.FALSE, b"")]),
        st.binary(max_size=127).map(binary),
        st.binary(min_size=8, max_size=8).map(lambda content: Value(WireType.DOUBLE, content)),
        st.binary(min_size=16, max_size=16).map(lambda content: Value(WireType.UUID, content)),
        st.binary(max_size=14).map(
            lambda content: Value(
                WireType.LIST, bytes([len(content) << 4 | WireType.BYTE]) + content
            )
        ),
        st.sampled_from([b"\x00", b"\x01\x88\x01a\x01b", b"\x02\x58\x02\x01a\x04\x01b"]).map(
            lambda content: Value(WireType.MAP, content)
        ),
    ),
    lambda values: st.one_of(
        st.dictionaries(NAMES, values, max_size=5).map(
            lambda fields: Value(WireType.STRUCT, from_struct(fields))
        ),
        st.lists(st.dictionaries(NAMES, values, max_size=2).map(from_struct), max_size=3).map(
            lambda structs: from_structs(structs, len(structs))
        ),
    ),
    max_leaves=4,
)
STRUCTS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(INTEGERS)
def test_an_integer_is_read_as_it_was_written(number: int) -> None:
    assert to_int(integer(number)) == number


@given(STRUCTS)
def test_a_struct_is_read_as_it_was_written(fields: Struct) -> None:
    read = to_struct(from_struct(fields))

    assert read == fields
    assert list(read) == list(fields)


@given(STRUCTS, st.sampled_from([0, 1, 14, 15, 16, 300]))
def test_a_list_is_read_as_it_was_written(fields: Struct, count: int) -> None:
    structs = [fields, {}] * count

    content = from_structs(map(from_struct, structs), len(structs))

    assert list(to_structs(content)) == structs


@given(STRUCTS, st.data())
def test_what_is_cut_off_is_refused(fields: Struct, data: st.DataObject) -> None:
    content = from_struct(fields)
    end = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(ThriftInvalid):
        to_struct(content[:end])


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ThriftInvalid):
        fields = to_struct(content)
        for value in fields.values():
            with contextlib.suppress(ThriftInvalid):
                to_int(value)
            with contextlib.suppress(ThriftInvalid):
                list(to_structs(value))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x1c" * 100_000, id="too deep"),
        pytest.param(b"\x19" * 100_000, id="lists in lists"),
        pytest.param(b"\x19\xf3" + b"\xff" * 9 + b"\x7f", id="a long list"),
        pytest.param(b"\x18" + b"\xff" * 9 + b"\x7f", id="a long text"),
        pytest.param(b"\x16" + b"\xff" * 99, id="a long integer"),
        pytest.param(b"\x1b\xff\xff\x7f\x33", id="a long map"),
        pytest.param(b"\x1e\x00\x00", id="an unknown type"),
        pytest.param(b"\x00\x00", id="something more"),
    ],
)
def test_what_no_writer_writes_is_refused(content: bytes) -> None:
    with pytest.raises(ThriftInvalid):
        to_struct(content)


def test_a_footer_of_duckdb_stays_what_it_is(tmp_path: Path) -> None:
    write("SELECT i, i % 7 AS j, 'x' || i AS s FROM range(9000) AS t(i)", tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    footer = content[-8 - int.from_bytes(content[-8:-4], "little") : -8]

    assert from_struct(to_struct(footer)) == footer
