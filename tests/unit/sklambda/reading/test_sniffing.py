"""What the first bytes of a file tell."""

import pytest

from sklambda.errors import InputRefused
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import spans, split_cells
from sklambda.reading.rules import Reading
from sklambda.reading.sniffing import encoding_of, find_dialect, sniff

NAMES = ("city", "price", "note")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("wanted", [NAMES, ("note",), ()])
def test_the_delimiter_is_the_one_that_fits(delimiter: str, wanted: tuple[str, ...]) -> None:
    rows = [NAMES, ("a b", "1", "x"), ("c", "2", "y")]
    head = "\n".join(map(delimiter.join, rows)).encode()

    found = sniff(head, Reading(), wanted)

    assert (found.dialect.delimiter, found.columns) == (delimiter, NAMES)


def test_a_comma_in_numbers_is_no_delimiter() -> None:
    found = sniff(b"city;price\na;1,5\nb;2,5\n", Reading(), ())

    assert found.columns == ("city", "price")


@pytest.mark.parametrize(
    ("head", "escape"),
    [
        (b'city,note\na,"say \\"so\\", x"\nb,c\n', "\\"),
        (b'city,note\na,"C:\\\\"\nb,c\n', None),
        (b'city,note\na,"say ""so"""\nb,c\n', None),
        (b'city,note\na,"path\\"\nb,c\n', None),
    ],
)
def test_a_backslash_escapes_where_only_then_all_records_fit(
    head: bytes, escape: str | None
) -> None:
    assert find_dialect(head, Reading(), ()).escape == escape


def test_lines_before_the_header_and_comments_are_no_records() -> None:
    head = b"exported by x\n\n# units: m\ncity,price\n# more\na,1\n"

    found = sniff(head, Reading(skip=2, comment="#"), ())

    assert found.columns == ("city", "price")
    assert head[found.start :].startswith(b"# more")


def test_a_file_without_a_header_has_the_stated_names() -> None:
    found = sniff(b"a,1\nb,2\n", Reading(names=("city", "price")), ())

    assert (found.columns, found.start, found.has_header) == (("city", "price"), 0, False)


def test_new_rows_without_a_header_lack_the_target() -> None:
    reading = Reading(names=("city", "price", "sold"))

    found = sniff(b"a,1\nsold,2\n", reading, ("city", "price"))

    assert (found.columns, found.start) == (("city", "price"), 0)


def test_a_cell_of_the_first_record_may_be_a_name() -> None:
    reading = Reading(names=("city", "price", "note"))

    found = sniff(b"note;1;x,y\nb;2;z\n", reading, ("note",))

    assert (found.dialect.delimiter, found.has_header) == (";", False)


def test_a_first_line_of_the_stated_names_is_a_header() -> None:
    found = sniff(b"price,city\n1,a\n", Reading(names=("city", "price")), ())

    assert (found.columns, found.has_header) == (("price", "city"), True)


@pytest.mark.parametrize(
    ("encoding", "stated", "expected"),
    [
        ("utf-8", None, "utf-8"),
        ("utf-8-sig", None, "utf-8"),
        ("utf-16", None, "utf-16"),
        ("utf-32", None, "utf-32"),
        ("latin-1", "latin-1", "iso8859-1"),
        ("utf-16", "latin-1", "utf-16"),
    ],
)
def test_a_mark_tells_the_encoding_before_what_is_stated(
    encoding: str, stated: str | None, expected: str
) -> None:
    assert encoding_of("city\n".encode(encoding), Reading(encoding=stated)) == expected


@pytest.mark.parametrize("head", [b"", b" \n", b"\xef\xbb\xbf\n", b"# x\n"])
def test_a_file_without_a_record_is_empty(head: bytes) -> None:
    with pytest.raises(InputRefused, match="the file is empty"):
        sniff(head, Reading(comment="#"), ())


@pytest.mark.parametrize("delimiter", ["\t", " "])
def test_blanks_that_are_the_delimiter_are_not_removed(delimiter: str) -> None:
    rows = [("a", "", '"u"'), ("b", "c", '" v "')]
    content = "\n".join(map(delimiter.join, rows)).encode()
    dialect = Dialect(delimiter=delimiter, trim=True)

    found = [split_cells(record, dialect) for record in spans(content, dialect).split(content)]

    assert found == [["a", None, "u"], ["b", "c", "v"]]
