import csv
import io
import re
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklambda.errors import InputRefused
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import Cut, cut, spans

CSV = Dialect()
JSON = None
TEXTS = st.text('a,;"\n\r é', max_size=40)


def records_of(text: str) -> list[str]:
    """Cut a text into records letter by letter, and a malformed one into its lines."""
    records = [record for record in _lines(text) if record]
    lines = [re.split(r"\r\n|\n|\r", one) if is_malformed(one) else [one] for one in records]
    return [line for those in lines for line in those if line]


def is_malformed(record: str) -> bool:
    try:
        [*csv.reader(io.StringIO(record, newline=""), strict=True)]
    except csv.Error:
        return True
    return False


def _lines(text: str) -> Iterator[str]:
    line, state = "", "begins"  # begins, plain, quoted, closed
    for letter in text:
        if letter in "\r\n" and state != "quoted":
            yield line
            line, state = "", "begins"
            continue
        line += letter
        state = _after(letter, state)
    yield line


def _after(letter: str, state: str) -> str:
    if state == "quoted":
        return "closed" if letter == '"' else "quoted"
    if letter == ",":
        return "begins"
    return "quoted" if letter == '"' and state in ("begins", "closed") else "plain"


def pieces(
    content: bytes, layout: Dialect | None, cuts: Sequence[int]
) -> Iterator[tuple[bytes, int]]:
    """Read in blocks that end anywhere; yield whole records."""
    rest = b""
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        last = end == len(content)
        block = rest + content[start:end]
        found = cut(block, layout, last)
        yield block[: found.end], found.records
        rest = block[found.end :]
        if last:
            return


@settings(max_examples=500)
@given(text=TEXTS, data=st.data())
@pytest.mark.parametrize("layout", [CSV, JSON], ids=["csv", "json_lines"])
def test_any_cuts_give_the_records_of_one_pass(
    layout: Dialect | None, text: str, data: st.DataObject
) -> None:
    content = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, max(len(content) - 1, 0)), max_size=4)))
    whole = spans(content, layout).split(content)

    found = [*pieces(content, layout, cuts)]

    assert [record for piece, _ in found for record in spans(piece, layout).split(piece)] == whole
    assert sum(records for _, records in found) == len(whole)
    assert b"".join(piece for piece, _ in found) == content


@settings(max_examples=500)
@given(text=TEXTS)
def test_records_of_csv_are_those_found_letter_by_letter(text: str) -> None:
    content = text.encode()

    assert [record.decode() for record in spans(content, CSV).split(content)] == records_of(text)


@settings(max_examples=300)
@given(
    rows=st.lists(st.lists(st.text('ab,"\n\r é', max_size=5), min_size=2, max_size=2)),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_records_are_those_that_python_wrote(rows: list[list[str]], end: str, quoting: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    content = text.getvalue().encode()

    found = [record.decode() for record in spans(content, CSV).split(content)]

    assert [[*csv.reader(io.StringIO(one, newline=""), strict=True)] for one in found] == [
        [row] for row in rows
    ]


@pytest.mark.parametrize(
    ("content", "whole", "last"),
    [
        (b"", Cut(0, 0), Cut(0, 0)),
        (b"a,b", Cut(0, 0), Cut(3, 1)),
        (b"\n\na,b\r\n\r\nc", Cut(9, 1), Cut(10, 2)),
        (b'a,"x\ny"\nq', Cut(8, 1), Cut(9, 2)),
        (b'a,"x\nb,c\n', Cut(0, 0), Cut(9, 2)),
        (b'a,5" disk\nb,6"\nc,"\n"', Cut(15, 2), Cut(20, 3)),
        (b'"a"b"c,d"\n"x', Cut(10, 1), Cut(12, 2)),
        (b'a, "b\nc"\n', Cut(9, 2), Cut(9, 2)),
    ],
)
def test_the_last_record_is_whole_only_at_the_end(content: bytes, whole: Cut, last: Cut) -> None:
    assert cut(content, CSV, last=False) == whole
    assert cut(content, CSV, last=True) == last


def test_blank_lines_are_no_json() -> None:
    content = b'{"a": 1}\n\n \t\r\n {}\n'

    assert cut(content, JSON, last=False) == Cut(len(content), 2)


def test_a_quote_that_never_closes_is_refused_before_it_swallows_the_input() -> None:
    content = b'a,"b\n' + b"c,d\n" * (2**21 + 1)

    with pytest.raises(InputRefused) as refused:
        cut(content, CSV, last=False)
    assert refused.value.code == "record_too_long"


@pytest.mark.parametrize(
    ("line", "megabytes_per_second"),
    [
        (b"C0000001,Month-to-month,12.50,No,DSL,77\n", 300),
        (b"C0000001,Month-to-month,12.50,No,DSL,77\r\n", 200),
        (b'"C0000001","Month ""to"" month",12.50,"No, or",DSL,77\n', 30),
    ],
)
def test_cutting_is_fast(line: bytes, megabytes_per_second: int) -> None:
    content = line * (2**23 // len(line))

    def once() -> float:
        started = time.perf_counter()
        cut(content, CSV, last=False)
        return time.perf_counter() - started

    assert len(content) / 1e6 / min(once() for _ in range(5)) > megabytes_per_second / 4


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b'1,"Bob,x\n2,n,y\n3,m",z\n4,k,w\n', [b'1,"Bob,x', b"2,n,y", b'3,m",z', b"4,k,w"]),
        (b'1,"Bob,x\n2,n,y\n3,"Eve,z\n4,k,w', [b'1,"Bob,x', b"2,n,y", b'3,"Eve,z', b"4,k,w"]),
        (b'1,"Bob,x\r\n2,n,y\r\n3,m,z', [b'1,"Bob,x', b"2,n,y", b"3,m,z"]),
        (b'1,"two\nlines",x\n2,n,y', [b'1,"two\nlines",x', b"2,n,y"]),
        (b'1,"a, b\nc",x\n2,n,y', [b'1,"a, b\nc",x', b"2,n,y"]),
    ],
    ids=["at the end", "at the beginning", "never closed", "a text", "a text with a comma"],
)
def test_rows_cannot_hide_behind_a_stray_quote(content: bytes, records: list[bytes]) -> None:
    assert spans(content, Dialect(width=3)).split(content) == records


def test_rows_behind_a_stray_quote_are_those_of_any_cuts() -> None:
    content = b"".join(
        b'%d,"Bob,x\n' % row if row % 97 == 0 else b"%d,n,y\n" % row for row in range(1000)
    )

    found = [*pieces(content, Dialect(width=3), range(1000, len(content), 1000))]

    assert sum(records for _, records in found) == 1000
