"""CSV tables: how each cell is parsed, and which bodies are refused."""

import csv
from io import StringIO
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.predict.dialects.invocations import csv_tables
from functions.predict.dialects.invocations.tables import Table
from functions.predict.http.exchange import Limits
from functions.predict.http.problems import ProblemRaised
from sklambda.codec.codec import EXACT_INTEGER
from sklambda.reading.rules import Reading
from sklambda.reading.values import MISSING
from sklambda.signature import Feature, Signature, Target

LIMITS = Limits(rows=100, bytes=100_000)
SIGNATURE = Signature(
    features=(
        Feature(name="number", kind="number", nullable=True),
        Feature(name="whole", kind="integer", nullable=True),
        Feature(name="flag", kind="boolean", nullable=True),
        Feature(name="kind, or so", kind="category", nullable=True, vocabulary=("", "a")),
        Feature(name="moment", kind="datetime", nullable=False, unit="us"),
    ),
    target=Target(task="regression", scores="value", outputs=("y",)),
    row_id="id",
)
HEADER = 'number,whole,flag,"kind, or so",moment\n'
ROW = "1.5,2,true,a,2026-11-22\n"

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
    lambda text: text == "" or text not in MISSING
)
records = st.tuples(
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(-EXACT_INTEGER, EXACT_INTEGER),
    st.none() | st.booleans(),
    st.none() | texts,
    st.datetimes().map(lambda moment: moment.isoformat()),
)


def read(text: str | bytes, header: bool | None = None) -> Table:
    content = text if isinstance(text, bytes) else text.encode()
    return csv_tables.read(content, SIGNATURE, SIGNATURE.cell_parsers, LIMITS, header)


def value(name: str, cell: str) -> Any:
    cells = dict.fromkeys(SIGNATURE.names, "") | {name: cell}
    [row] = read(HEADER + ",".join(cells.values()) + "\n").rows
    return row[name]


@given(
    rows=st.lists(records, min_size=1, max_size=5),
    named=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_NOTNULL, csv.QUOTE_STRINGS]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_what_is_written_is_read_again(
    rows: list[tuple[Any, ...]], named: bool, end: str, quoting: Any, mark: str
) -> None:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerows([SIGNATURE.names, *rows] if named else rows)

    table = read(mark + text.getvalue(), header=named)

    expected = [dict(zip(SIGNATURE.names, row, strict=True)) for row in rows]
    assert repr(table.rows) == repr(expected)
    assert not table.faults
    assert not table.coerced


@given(st.binary(max_size=60) | texts.map(str.encode))
def test_any_bytes_are_a_table_or_a_problem(content: bytes) -> None:
    try:
        kind = "" if read(content).rows else "nothing"
    except ProblemRaised as raised:
        kind = raised.kind

    assert kind in {"", "not-csv", "body-invalid"}


@pytest.mark.parametrize("cell", ["1e3", "-0.0", " 12 ", "+.5", "1234567890123456789e2"])
def test_a_number_is_what_float_says(cell: str) -> None:
    assert repr(value("number", cell)) == repr(float(cell))


def test_words_of_pandas_are_missing_and_infinity_is_left_to_the_codec() -> None:
    assert [value(name, "NA") for name in SIGNATURE.names] == [None] * 5
    assert value("number", "-inf") == -inf


def test_a_whole_number_keeps_all_its_digits() -> None:
    assert value("number", "123456789012345678901") == 123456789012345678901
    assert value("whole", str(EXACT_INTEGER + 1)) == EXACT_INTEGER + 1
    assert value("whole", "5.0") == 5.0


@pytest.mark.parametrize(("cell", "said"), [("True", True), ("false", False), ("TRUE", True)])
def test_a_boolean_is_a_word(cell: str, said: bool) -> None:
    assert value("flag", cell) is said


def test_1_and_0_are_booleans_that_had_to_be_changed() -> None:
    table = read("1,1,1,a,2026-11-22\n1,1,true,a,2026-11-22\n1,1,0,a,2026-11-22\n")

    assert [row["flag"] for row in table.rows] == [True, True, False]
    assert table.coerced == [(0, "flag"), (2, "flag")]


@pytest.mark.parametrize("name", SIGNATURE.names)
def test_an_empty_cell_is_null(name: str) -> None:
    assert value(name, "") is None


def test_quotes_around_nothing_are_the_empty_text_of_a_category_and_else_null() -> None:
    assert value("kind, or so", '""') == ""
    assert [value(name, '""') for name in ("number", "whole", "flag", "moment")] == [None] * 4


@pytest.mark.parametrize(
    ("name", "cell"), [("number", "12 kg"), ("whole", "x"), ("flag", "2"), ("number", "1_000")]
)
def test_a_cell_that_is_no_value_stays_a_text_for_the_codec_to_refuse(name: str, cell: str) -> None:
    assert value(name, cell) == cell


@pytest.mark.parametrize(
    "text",
    [
        ROW,
        HEADER + ROW,
        "\n" + HEADER + "\n\n" + ROW + "\n",
        'moment,"kind, or so",flag,whole,number\n2026-11-22,a,true,2,1.5',
        'id,number,whole,flag,"kind, or so",moment\n7,' + ROW,
    ],
    ids=["no header", "header", "blank lines", "another order", "row id"],
)
def test_the_first_line_tells_whether_it_is_a_header(text: str) -> None:
    [row] = read(text).rows

    expected = [1.5, 2, True, "a", "2026-11-22"]
    assert [row[name] for name in SIGNATURE.names] == expected


@pytest.mark.parametrize(
    "text", ["7,1.5,2,true,a,2026-11-22,yes\n", "7,1.5,2,true,a,2026-11-22\n"], ids=["all", "new"]
)
@pytest.mark.parametrize("header", [None, False])
def test_rows_without_a_header_have_the_stated_names(text: str, header: bool | None) -> None:
    reading = Reading(names=("id", *SIGNATURE.names, "target"))

    signature = SIGNATURE.replace(read=reading)

    table = csv_tables.read(text.encode(), signature, signature.cell_parsers, LIMITS, header)

    [row] = table.rows
    assert not table.faults
    assert [row[name] for name in SIGNATURE.names] == [1.5, 2, True, "a", "2026-11-22"]


def test_what_the_media_type_says_of_the_header_counts() -> None:
    assert len(read(HEADER + ROW, header=False).rows) == 2
    assert read(ROW + ROW, header=True).faults[0][:2] == ("/header/0", "unknown_feature")


def test_a_header_is_checked_whole_and_none_of_its_names_is_repeated() -> None:
    table = read("number,number,nubmer,whole,flag,id\n1,1,1,1,true,7\n")

    assert [fault[:2] for fault in table.faults] == [
        ("/header/2", "unknown_feature"),
        ("/header/0", "doubled"),
        ("/header/1", "doubled"),
        ("/header", "absent"),
        ("/header", "absent"),
    ]
    assert "nubmer" not in repr(table.faults)


def test_a_line_of_another_length_is_a_fault_and_the_others_are_read() -> None:
    table = read("1,2,true,a\n" + ROW + "label," + ROW)

    assert {row: fault[:2] for row, fault in table.unread.items()} == {
        0: ("/0", "length"),
        2: ("/2", "length"),
    }
    assert table.faults == []
    assert table.rows[1]["number"] == 1.5


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"1,\xff", "byte 2 is not UTF-8"),
        (b'1,"a" b\n', "the record of line 1 has a cell with more behind its closing quote"),
        (
            b'1,2\n3,"a\n',
            "the record of line 2 has a cell with more behind its closing quote, or with none",
        ),
    ],
)
def test_what_is_no_csv_is_reported_by_its_place(content: bytes, place: str) -> None:
    with pytest.raises(ProblemRaised) as raised:
        read(content)

    assert (raised.value.status, raised.value.kind) == (400, "not-csv")
    assert place in raised.value.detail


@pytest.mark.parametrize("content", [b"", b"\n\n", HEADER.encode()])
def test_no_row_is_a_fault(content: bytes) -> None:
    with pytest.raises(ProblemRaised) as raised:
        read(content)

    assert raised.value.kind == "body-invalid"


def test_more_rows_than_the_limit_are_not_even_read() -> None:
    assert len(read(HEADER + ROW * 100).rows) == 100
    for text in (ROW * 101, HEADER + ROW * 101, ROW * 101 + 'no "csv'):
        with pytest.raises(ProblemRaised) as raised:
            read(text)
        assert raised.value.kind == "too-many-rows"


def test_answers_are_written_a_line_each() -> None:
    written = csv_tables.write(["a,b", 0.1, True, None, inf, -1, [[0.25, 0.75], ["x", 'q"']], "\n"])

    assert written == b'"a,b"\n0.1\ntrue\n""\n""\n-1\n0.25,0.75,x,"q"""\n"\n"\n'
