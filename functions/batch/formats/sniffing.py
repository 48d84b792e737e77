"""How an input is written, found from its head."""

import codecs
from typing import Final

from functions.batch.formats.csv_cells import Malformed, cells_of
from functions.batch.formats.layout import Format, Layout, require_columns
from functions.batch.formats.records import spans
from sklambda.errors import InputRefused
from sklambda.signature import Signature

HEAD: Final = 2**20
"""So many bytes of an input are its head."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_QUOTE: Final = '"'


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
