"""Tables in CSV (RFC 4180): the kind of its feature decides how a cell is parsed."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from io import StringIO
from itertools import islice
from math import isfinite
from typing import Final

from functions.predict.dialects.invocations.tables import INVALID, Header, Table, from_lists
from functions.predict.http import problems
from functions.predict.http.exchange import Limits
from functions.predict.http.json_reader import utf8
from sklambda.signature import Kind, Signature

type Cell = str | None
type Parse = Callable[[str], object]

_WORDS: Final = {"true": True, "false": False}
_BITS: Final = {"1": True, "0": False}
_BLANKS: Final = (b" ", b"\t")


def read(content: bytes, signature: Signature, limits: Limits, header: bool | None) -> Table:
    """Read a table.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark.
    signature : Signature
        The features, and their order where there is no header.
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
    lines = _lines(content)
    # One line above the limit shows that it is exceeded; another may be the header.
    cells = list(islice(lines, limits.rows + 2))
    if header or (header is None and _is_header(cells[:1], signature)):
        names, cells = [cell or "" for cell in cells[0]] if cells else [], cells[1:]
    else:
        names = list(signature.names)
    limits.require_rows(len(cells))
    if not cells:
        raise problems.body_invalid(("", "type", "must contain at least one row"))
    table = from_lists(cells, Header.of(names, signature, "header"), (), by_name=True)
    padded = list(_padded(table)) if any(map(content.__contains__, _BLANKS)) else []
    return replace(_parse_cells(table, signature.kinds), padded=padded)


def _lines(content: bytes) -> Iterator[list[Cell]]:
    """Return the cells of each line that is not blank; an empty cell without quotes is None."""
    try:
        text = StringIO(utf8(content, problems.not_csv).decode(), newline="")
    except UnicodeDecodeError as error:
        raise problems.not_csv(f"byte {error.start} is not UTF-8") from None
    reader = csv.reader(text, quoting=csv.QUOTE_NOTNULL, strict=True)
    try:
        yield from filter(None, reader)
    except csv.Error as error:
        raise problems.not_csv(f"line {reader.line_num}: {error}") from None


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


def _parse_cells(table: Table, kinds: dict[str, Kind]) -> Table:
    """Parse the cells in place; one that cannot be parsed stays a text, which the codec refuses."""
    parsers = {name: _PARSERS[kind] for name, kind in kinds.items() if kind in _PARSERS}
    coerced = []
    for k, row in enumerate(table.rows):
        if row is not INVALID:
            coerced += [(k, name) for name in _parse_row(row, parsers)]
    return replace(table, coerced=coerced)


def _parse_row(row: dict[str, object], parsers: dict[str, Parse]) -> Iterator[str]:
    """Parse the cells of a row; returns the names of those whose type was changed."""
    for name, cell in row.items():
        if cell is not None and name in parsers:
            row[name] = value = parsers[name](str(cell))
            if cell in _BITS and isinstance(value, bool):
                yield name


def _number(cell: str) -> object:
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def _integer(cell: str) -> object:
    try:
        return int(cell)  # a float would lose digits above 2^53
    except ValueError:
        return _number(cell)


def _boolean(cell: str) -> object:
    return (_WORDS | _BITS).get(cell.lower(), cell) if cell else None


def _datetime(cell: str) -> object:
    return cell or None


_PARSERS: Final[dict[Kind, Parse]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "datetime": _datetime,
}


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
