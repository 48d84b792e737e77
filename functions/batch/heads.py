"""How an input is written, found from its head."""

import codecs
from collections import Counter
from collections.abc import Sequence
from typing import Final

from functions.batch.layout import Format, Layout
from functions.batch.reading import ROW
from functions.batch.records import spans
from functions.batch.tables.cells import Malformed, cells_of
from sklambda.errors import InputRefused
from sklambda.signature import Signature

HEAD: Final = 2**20
"""So many bytes of an input are its head."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_QUOTE: Final = '"'
_MOST_NAMED: Final = 5


def found(head: bytes, format: Format, delimiter: str | None, signature: Signature) -> Layout:
    """Find how CSV or JSON Lines is written.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of the input, decompressed, or all of it if it is shorter.
    format : {"csv", "json_lines"}
        What it is.
    delimiter : str or None
        What stands between the cells of CSV, where that is known.
    signature : Signature
        Whose features a header must name, in any order; it may name other columns too.

    Raises
    ------
    InputRefused
        There is nothing in it, it is not UTF-8, or its header will not do.
    """
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    _require_text(head)
    if format == "json_lines":
        return Layout("json_lines", start=mark)
    if delimiter is not None:
        return _layout(head, mark, _single_byte(delimiter), signature)
    return _sniffed(head, mark, signature)


def _require_text(head: bytes) -> None:
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise InputRefused("empty", "there is nothing in it")
    if b"\0" in head or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputRefused("not_utf8", "it is not text in UTF-8")


def _single_byte(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise InputRefused("delimiter", "the delimiter must be one character of ASCII")
    return delimiter


def _sniffed(head: bytes, mark: int, signature: Signature) -> Layout:
    """Take the delimiter by which the header names the most features."""
    wanted = {*signature.names, signature.row_id}

    def named(delimiter: str) -> int:
        try:
            return len(wanted.intersection(_header(head, mark, delimiter)[0]))
        except InputRefused:
            return 0

    return _layout(head, mark, max(_DELIMITERS, key=named), signature)


def _layout(head: bytes, mark: int, delimiter: str, signature: Signature) -> Layout:
    names, start = _header(head, mark, delimiter)
    columns = tuple(name or f"column_{place}" for place, name in enumerate(names, 1))
    require_columns(columns, signature)
    return Layout("csv", columns, delimiter, _QUOTE, start)


def _header(head: bytes, mark: int, delimiter: str) -> tuple[list[str], int]:
    """Give the cells of the first record, and where the next one begins."""
    content = head[mark:]
    layout = Layout("csv", delimiter=delimiter, quote=_QUOTE)
    found = spans(content, layout)
    if not len(found.starts):
        raise InputRefused("empty", "there is nothing in it")
    start, end = int(found.starts[0]), int(found.ends[0])
    if end == len(content) and len(head) >= HEAD:
        raise InputRefused("header_too_long", "the header does not end within 1 MiB")
    after = end + (2 if content[end : end + 2] == b"\r\n" else 1)
    return _names(content[start:end], layout), mark + min(after, len(content))


def _names(record: bytes, layout: Layout) -> list[str]:
    try:
        return [cell or "" for cell in cells_of(record, layout)]
    except Malformed as malformed:
        raise InputRefused("header", f"the header {malformed}") from None


def require_columns(columns: Sequence[str], signature: Signature) -> None:
    """Raise `InputRefused` unless each feature is one of the columns, and no two have one name."""
    absent = [name for name in signature.names if name not in columns]
    if len(absent) == len(signature.names):
        detail = "no column is named as a feature is"
        raise InputRefused("no_header", detail + _alike(absent, columns))
    if absent:
        detail = f"there is no column {_list(absent)}"
        raise InputRefused("columns_absent", detail + _alike(absent, columns))
    # A table of the database has no two names that differ in nothing but capitals.
    counts = Counter(name.lower() for name in (*columns, ROW))
    doubled = [place for place, name in enumerate(columns, 1) if counts[name.lower()] > 1]
    if doubled:
        places = ", ".join(map(str, doubled[:_MOST_NAMED]))
        raise InputRefused(
            "columns_doubled", f"the columns {places} have the same name, capitals aside"
        )


def _alike(absent: Sequence[str], columns: Sequence[str]) -> str:
    """Point to columns whose names differ by blanks or capitals; theirs might be values."""
    known = {_folded(name) for name in columns}
    near = [name for name in absent if _folded(name) in known]
    return f"; {_list(near)} is there with other blanks or capitals" if near else ""


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_MOST_NAMED]) + more
