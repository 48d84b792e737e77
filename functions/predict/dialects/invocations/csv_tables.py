"""Tables in CSV, read by the rules of the package's signature, as batch scoring reads them."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import StringIO
from math import isfinite
from typing import Final

from functions.predict.dialects.invocations.tables import INVALID, Header, Table, from_lists
from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from functions.predict.http.json_reader import utf8
from sklambda.errors import InputRefused
from sklambda.reading import sniffing
from sklambda.reading.dialect import Dialect
from sklambda.reading.records import Cell, MalformedRecord, plain_records, spans, split_cells
from sklambda.reading.rules import Reading
from sklambda.reading.values import BINARY_DIGITS
from sklambda.signature import Signature

type Parse = Callable[[Cell], object]

_BLANKS: Final = (b" ", b"\t")


def read(
    content: bytes,
    signature: Signature,
    parsers: Mapping[str, Parse],
    limits: Limits,
    header: bool | None,
) -> Table:
    """Read a table.

    Parameters
    ----------
    content : bytes
        Text, with or without a byte order mark, in UTF-8 or the encoding of the signature's rules.
    signature : Signature
        The features, their order where there is no header, and the rules of reading.
    parsers : mapping of str to callable
        `Signature.cell_parsers`, which are made once.
    limits : Limits
        Limits of the request.
    header : bool or None
        Whether the first line is a header; None detects it: at least half of its cells must be
        names of features.

    Raises
    ------
    ProblemRaised
        The content is not CSV, or has too many rows or none.
    """
    reading = signature.reading
    content = _decoded(content, reading)
    if not content.strip():
        raise _no_rows()
    try:
        dialect = sniffing.find_dialect(
            content[: sniffing.HEAD], reading, signature.admitted, len(signature.names)
        )
    except InputRefused as refused:
        raise problems.not_csv(refused.detail) from None
    # One record above the limit shows that it is exceeded; another may be the header.
    rows = content[sniffing.begin_of(content, reading) :]
    most = limits.rows + 2
    cells = plain_records(rows, dialect, most) or list(_records(rows, dialect, most))
    if header or (header is None and _is_header(cells[:1], signature)):
        names, cells = [cell or "" for cell in cells[0]] if cells else [], cells[1:]
    else:
        names, cells = _of_no_header(cells, signature)
    limits.require_rows(len(cells))
    if not cells:
        raise _no_rows()
    table = from_lists(cells, Header.of(names, signature, "header"), (), by_name=True)
    blanks = not reading.trim and any(map(content.__contains__, _BLANKS))
    padded = list(_padded(table)) if blanks else []
    return replace(_parse_cells(table, signature, parsers), padded=padded)


def _of_no_header(
    cells: list[list[Cell]], signature: Signature
) -> tuple[list[str], list[list[Cell]]]:
    """Return the columns by their place, without those that no client sends, as the target."""
    reading, admitted = signature.reading, signature.admitted
    names = sniffing.columns_of(reading, admitted, len(cells[0]) if cells else 0)
    sent = [place for place, name in enumerate(names) if name in admitted]
    if len(sent) in (0, len(names)):
        return list(names or signature.names), cells
    rows = [[row[place] for place in sent] if len(row) == len(names) else [] for row in cells]
    return [names[place] for place in sent], rows


def _no_rows() -> problems.ProblemRaised:
    return problems.body_invalid(("", "type", "must contain at least one row"))


def _decoded(content: bytes, reading: Reading) -> bytes:
    """Return the content in UTF-8, without a byte order mark."""
    encoding = sniffing.encoding_of(content, reading)
    if encoding != "utf-8":
        try:
            return content.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise problems.not_csv(f"byte {error.start} is not {encoding}") from None
    content = utf8(content, problems.not_csv)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise problems.not_csv(f"byte {error.start} is not UTF-8") from None
    return content


def _records(content: bytes, dialect: Dialect, most: int) -> Iterator[list[Cell]]:
    """Return the cells of each record that is no blank line."""
    found = spans(content, dialect)
    for start, end in zip(found.starts[:most].tolist(), found.ends[:most].tolist(), strict=True):
        try:
            yield split_cells(content[start:end], dialect)
        except MalformedRecord as error:
            line = content.count(b"\n", 0, start) + 1
            raise problems.not_csv(f"the record of line {line} {error}") from None


def _is_header(lines: Sequence[Sequence[Cell]], signature: Signature) -> bool:
    names = signature.admitted
    stripped = ([cell and cell.strip(" \t") for cell in line] for line in lines)
    return any(2 * sum(cell in names for cell in line) >= len(line) for line in stripped)


def _padded(table: Table) -> Iterator[tuple[int, str]]:
    """Return the row and the feature of each cell that begins or ends with a blank.

    A blank after a comma belongs to the cell (RFC 4180), which few who write one know.
    """
    for k, row in enumerate(table.rows):
        if row is not INVALID:
            for name, cell in row.items():
                if isinstance(cell, str) and cell != cell.strip(" \t"):
                    yield k, name


def _parse_cells(table: Table, signature: Signature, parsers: Mapping[str, Parse]) -> Table:
    """Parse the cells in place; one that cannot be parsed stays a text, which the codec refuses."""
    booleans = {name for name, kind in signature.kinds.items() if kind == "boolean"}
    coerced = []
    for k, row in enumerate(table.rows):
        if row is INVALID:
            continue
        for name, cell in row.items():
            if name in parsers:
                row[name] = parsers[name](cell)
                if name in booleans and cell in BINARY_DIGITS:
                    coerced.append((k, name))
    return replace(table, coerced=coerced)


def write(predictions: Iterable[object]) -> bytes:
    """Write one line per prediction, without a header; several values become several cells."""
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_cells, predictions))
    return text.getvalue().encode()


def _cells(prediction: object) -> list[object]:
    if isinstance(prediction, list):
        return [cell for part in prediction for cell in _cells(part)]
    if isinstance(prediction, bool):
        return [str(prediction).lower()]
    if isinstance(prediction, float) and not isfinite(prediction):
        return [None]
    return [prediction]
