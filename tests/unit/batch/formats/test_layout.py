import pytest

from functions.batch.formats.layout import Layout, sniff
from sklambda.errors import InputRefused
from sklambda.reading.sniffing import HEAD
from sklambda.signature import Feature, Signature
from tests.support.random_tables import TARGET

SIGNATURE = Signature(
    features=tuple(
        Feature(name=name, kind="number", nullable=True) for name in ("tenure", "a b", "two\nlines")
    ),
    target=TARGET,
    row_id="id",
)


def test_columns_stand_in_any_order_beside_others() -> None:
    head = b'id,"two\nlines",extra,tenure,a b\n1,2,3,4,5\n'

    assert sniff(head, "csv", None, SIGNATURE) == Layout(
        "csv", ("id", "two\nlines", "extra", "tenure", "a b"), ",", '"', 32
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n\n"])
def test_the_delimiter_is_found(delimiter: str, end: str, before: str) -> None:
    names = ("tenure", "x,y;z", "a b", "two\nlines")
    header = before + delimiter.join(f'"{name}"' for name in names) + end

    layout = sniff((header + "1").encode(), "csv", None, SIGNATURE)

    assert layout == Layout("csv", names, delimiter, '"', len(header.encode()))


def test_the_stated_delimiter_wins() -> None:
    head = b'tenure~a b~"two\nlines"~w,x,y,z'

    assert sniff(head, "csv", "~", SIGNATURE).columns == ("tenure", "a b", "two\nlines", "w,x,y,z")


def test_a_column_without_a_name_gets_one() -> None:
    head = b',tenure,a b,"two\nlines"\n'

    assert sniff(head, "csv", None, SIGNATURE).columns[0] == "column_1"


def test_a_header_alone_is_a_table_without_rows() -> None:
    head = b'tenure,a b,"two\nlines"'

    assert sniff(head, "csv", None, SIGNATURE).start == len(head)


def test_json_lines_begin_behind_a_byte_order_mark() -> None:
    assert sniff(b"\xef\xbb\xbf{}\n", "json_lines", None, SIGNATURE) == Layout(
        "json_lines", start=3
    )


@pytest.mark.parametrize(
    ("head", "code", "detail"),
    [
        (b"", "empty", "the file is empty"),
        (b"\xef\xbb\xbf\n\n \n", "empty", "the file is empty"),
        ("tenure,a b\n".encode("utf-16"), "not_utf8", "the file must be text in UTF-8"),
        (b"tenure,\0\n", "not_utf8", "the file must be text in UTF-8"),
        (b"tenure,\xff\n", "header", "the header is not UTF-8"),
        (b"1,2,3\n", "no_header", "no column matches a feature; is the header line missing?"),
        (
            b"tenure, A B\n",
            "columns_absent",
            "missing columns: `a b`, `two\nlines`; "
            "the input spells `a b` with other blanks or case",
        ),
        (
            b'x,tenure,a b,"two\nlines",X\n',
            "columns_doubled",
            "columns 1, 5 have the same name (case is ignored)",
        ),
        (
            b'"tenure"x,a b,"two\nlines"\n',
            "header",
            "the header has a cell with more behind its closing quote, or with none",
        ),
        (b'tenure,a b,"two\nlines,' + b"x" * HEAD, "header_too_long", None),
    ],
)
def test_an_unsuitable_input_is_refused(head: bytes, code: str, detail: str | None) -> None:
    with pytest.raises(InputRefused) as refused:
        sniff(head[:HEAD], "csv", None, SIGNATURE)

    assert refused.value.code == code
    assert detail in (None, refused.value.detail)


@pytest.mark.parametrize("delimiter", ["", "ab", "§", '"', "\n", "\0"])
def test_a_delimiter_is_one_character_of_ascii(delimiter: str) -> None:
    with pytest.raises(InputRefused, match="one ASCII character"):
        sniff(b"tenure\n", "csv", delimiter, SIGNATURE)
