"""CSV as columns of cells, by the records and rules that batch scoring reads with."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sklambda.errors import InputRefused
from sklambda.reading import sniffing
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import Cell, MalformedRecord, spans, split_cells
from sklambda.reading.rules import Reading
from training.errors import DataError

_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|", " ": "blank"}
_FEW: Final = 5
_LINES_BEFORE: Final = (
    ": where other lines stand before the header, state how many as `data.read.skip`, or the sign "
    "that they begin with as `data.read.comment`"
)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The cells of a CSV file.

    Attributes
    ----------
    columns : mapping of str to list of str or None
        [n] cells each, None for an empty one without quotes.
    dialect : Dialect
        How its records are written.
    encoding : str
        Of its bytes.
    """

    columns: Mapping[str, list[Cell]]
    dialect: Dialect
    encoding: str

    def __str__(self) -> str:
        dialect = self.dialect
        delimiter = _NAMES.get(dialect.delimiter, repr(dialect.delimiter))
        parts = ["CSV", f"delimiter {delimiter}", self.encoding.upper()]
        if dialect.quote != '"':
            parts.append(f"quote {dialect.quote}" if dialect.quote else "no quotes")
        if dialect.escape is not None:
            parts.append(f"escape {dialect.escape}")
        return ", ".join(parts)


def read(content: bytes, reading: Reading, wanted: Collection[str] = ()) -> CsvTable:
    """Return the cells of a file.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    reading : Reading
        The rules.
    wanted : collection of str
        Columns that the header is expected to name.

    Raises
    ------
    DataError
        It is empty or no text, a record is malformed or has another number of cells than the
        header, or a column has no name or the name of another. No value is repeated.
    """
    encoding = sniffing.encoding_of(content, reading)
    text = _in_utf8(content, encoding)
    try:
        found = sniffing.sniff(text[: sniffing.HEAD], reading, wanted)
    except InputRefused as refused:
        raise DataError(refused.detail) from None
    _check_names(found)
    records = _records(text, found)
    cells = zip(*records, strict=True) if records else ([] for _ in found.columns)
    columns = {name: [*column] for name, column in zip(found.columns, cells, strict=True)}
    return CsvTable(columns, found.dialect, encoding)


def _in_utf8(content: bytes, encoding: str) -> bytes:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"line {line} is not {encoding.upper()}: save the file in UTF-8, or state its encoding "
            'by `data.read.encoding`, such as "cp1252"'
        ) from None
    return content if encoding == "utf-8" else text.encode()


def _check_names(found: sniffing.Sniffed) -> None:
    if not all(name.strip() for name in found.columns):
        raise DataError(
            "the first line leaves a column without a name, as pandas does when it writes row "
            "numbers: to_csv(..., index=False)"
        )
    doubled = [name for name, count in Counter(found.columns).items() if count > 1]
    if doubled:
        names = ", ".join(f"`{name}`" for name in doubled[:_FEW])
        raise DataError(f"the first line names {names} twice")
    if found.has_header and all(_is_number(name) for name in found.columns):
        raise DataError(
            "the first line has numbers for names: where the file has no header, list its columns "
            "in `data.read.names`"
        )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _records(text: bytes, found: sniffing.Sniffed) -> Sequence[list[Cell]]:
    content, width = text[found.start :], len(found.columns)
    if (rows := _plain_records(content, found.dialect, width)) is not None:
        return rows
    where = spans(content, found.dialect)
    records: list[list[Cell]] = []
    for start, end in zip(where.starts.tolist(), where.ends.tolist(), strict=True):
        try:
            cells = split_cells(content[start:end], found.dialect)
        except MalformedRecord as error:
            raise DataError(f"{_place(text, found.start + start)} {error}") from None
        if len(cells) != width:
            lines = _LINES_BEFORE if len(records) < _FEW and len(cells) > width else ""
            raise DataError(
                f"{_place(text, found.start + start)} has {len(cells)} cells, and the header names "
                f"{width} columns{lines}"
            )
        records.append(cells)
    return records


def _plain_records(content: bytes, dialect: Dialect, width: int) -> list[list[Cell]] | None:
    """Return the records of content without quotes, escapes, comments and blanks to remove.

    None where there are some, or where a record is none of `width` cells: the way for these is the
    way for all, only slower.
    """
    plain = dialect.is_plain(content) and dialect.is_scanned(content) and not dialect.trim
    if not plain or b"\r" in content or b"\0" in content:
        return None
    lines = filter(None, content.decode().split("\n"))
    rows = [line.split(dialect.delimiter) for line in lines]
    if any(len(row) != width for row in rows):
        return None
    return [[cell or None for cell in row] for row in rows]


def _place(text: bytes, position: int) -> str:
    return f"the record of line {text.count(b'\n', 0, position) + 1}"
