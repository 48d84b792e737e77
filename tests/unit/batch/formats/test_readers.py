import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.batch.formats.layout import Layout
from functions.batch.formats.readers import Reader, open_reader
from functions.batch.formats.slices import Slice
from sklambda.signature import Feature, Signature
from tests.support.random_tables import (
    CELLS,
    TARGET,
    assert_same_rows,
    expected,
    faults_of,
    signatures,
)

LAYOUT = Layout("json_lines")
SIGNATURE = Signature(
    features=(
        Feature(name="n", kind="number", nullable=True),
        Feature(name="w", kind="category", nullable=False, vocabulary=("yes", "no")),
    ),
    target=TARGET,
    row_id="id",
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["yes", "", "2026-11-22", "1"]),
    st.just([1]),
)


@pytest.fixture
def lines_reader(tmp_path: Path) -> Reader:
    return open_reader(LAYOUT, SIGNATURE, tmp_path)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Signature, list[dict[str, Any]]]:
    signature = draw(signatures())
    fitting = {
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
        "integer": st.integers(-9, 9),
        "boolean": st.booleans(),
    }
    members = {
        one.name: st.one_of(fitting.get(one.kind, CELLS[one.kind]), VALUES)
        for one in signature.features
    }
    extras = {"extra": VALUES, "row id": VALUES}
    row = st.fixed_dictionaries(members, optional=extras) | st.fixed_dictionaries(
        {}, optional=members | extras
    )
    return signature, draw(st.lists(row, max_size=8))


@settings(max_examples=100, deadline=None)
@given(table=tables(), ascii_alone=st.booleans())
def test_any_objects_are_encoded_as_the_codec_encodes_them(
    table: tuple[Signature, list[dict[str, Any]]], ascii_alone: bool
) -> None:
    signature, rows = table
    lines = [json.dumps(row, ensure_ascii=ascii_alone) for row in rows]
    own = [{name: row[name] for name in signature.names if name in row} for row in rows]
    X, faults = expected(signature, own)

    with TemporaryDirectory() as folder:
        content = "".join(line + "\r\n\n" for line in lines).encode()
        encoded = open_reader(LAYOUT, signature, Path(folder)).read(Slice(content))

        assert (encoded.read, faults_of(encoded)) == (len(rows), faults)
        assert_same_rows(encoded, X)
        stored = encoded.con.execute("select line from records").fetchall()
        assert [json.loads(line) for (line,) in stored] == rows


def test_what_is_no_object_is_malformed(lines_reader: Reader) -> None:
    lines = [b'{"n": 1, "w": "yes"}', b"[1]", b'{"n": NaN, "w": "no"}', b'{"n": \xff}', b"{"]
    lines += [b'{"n": 2, "w": "no"} {}', b'{"n": 3, "w": "no", "x": "' + b"x" * 2**20 + b'"}']

    encoded = lines_reader.read(Slice(b"\n".join([*lines, lines[0]])))

    assert encoded.places.tolist() == [0, 7]
    assert faults_of(encoded) == [
        (1, None, "malformed", "is not an object"),
        *((place, None, "malformed", "is not JSON") for place in (2, 3, 4, 5)),
        (6, None, "malformed", "is longer than 1 MiB"),
    ]


def test_a_value_that_was_refused_is_at_hand(lines_reader: Reader) -> None:
    content = b'{"n": "1,5", "w": null, "id": 1}\n{"n": [1], "w": 2.5}\n{"w": "other"}'

    encoded = lines_reader.read(Slice(content))

    assert [(one.place, one.column, one.code, one.value) for one in encoded.rejects] == [
        (0, "n", "type", "1,5"),
        (0, "w", "null", None),
        (1, "n", "type", "[1]"),
        (1, "w", "type", "2.5"),
        (2, "n", "absent", None),
        (2, "w", "unseen_category", "other"),
    ]


def test_a_slice_without_records_is_read(lines_reader: Reader) -> None:
    encoded = lines_reader.read(Slice(b"\n \n"))

    assert (encoded.read, encoded.X.shape, encoded.rejects) == (0, (0, 2), [])
