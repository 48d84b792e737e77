"""The layout of CSV or JSON Lines, sniffed from the first bytes of an input."""

import codecs
from typing import Final

from functions.batch.formats.csv_repair import split_cells
from functions.batch.formats.layout import Format, Layout, require_columns
from functions.batch.formats.records import spans
from functions.batch.formats.slices import MalformedRecord
from sklambda.errors import InputRefused
from sklambda.signature import Signature

HEAD: Final = 2**20
"""Number of bytes that are sniffed."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_QUOTE: Final = '"'
_EMPTY: Final = "the file is empty"


def sniff(head: bytes, format: Format, delimiter: str | None, signature: Signature) -> Layout:
    """Find the layout of CSV or JSON Lines.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of the input, decompressed, or all of a shorter one.
    format : {"csv", "json_lines"}
        Its format.
    delimiter : str or None
        The delimiter of CSV, if it is stated.
    signature : Signature
        The header must name its features, in any order and among other columns.

    Raises
    ------
    InputRefused
        The input is empty or not UTF-8, or its header lacks a feature.
    """
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    _require_text(head)
    if format == "json_lines":
        return Layout("json_lines", start=start)
    if delimiter is not None:
        return _layout(head, start, _single_byte(delimiter), signature)
    return _layout(head, start, _sniffed_delimiter(head, start, signature), signature)


def _require_text(head: bytes) -> None:
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise InputRefused("empty", _EMPTY)
    if b"\0" in head or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputRefused("not_utf8", "the file must be text in UTF-8")


def _single_byte(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise InputRefused(
            "delimiter",
            "the delimiter must be one ASCII character, not a quote, a line end or NUL",
        )
    return delimiter


def _sniffed_delimiter(head: bytes, start: int, signature: Signature) -> str:
    """Return the delimiter with which the header names the most features."""
    wanted = signature.admitted

    def matches(delimiter: str) -> int:
        try:
            return len(wanted.intersection(_header(head, start, delimiter)[0]))
        except InputRefused:
            return 0

    return max(_DELIMITERS, key=matches)


def _layout(head: bytes, start: int, delimiter: str, signature: Signature) -> Layout:
    names, first_record = _header(head, start, delimiter)
    columns = tuple(name or f"column_{place}" for place, name in enumerate(names, 1))
    require_columns(columns, signature)
    return Layout("csv", columns, delimiter, _QUOTE, first_record)


def _header(head: bytes, start: int, delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the first record, and the position of the next one."""
    content = head[start:]
    layout = Layout("csv", delimiter=delimiter, quote=_QUOTE)
    found = spans(content, layout)
    if not len(found.starts):
        raise InputRefused("empty", _EMPTY)
    begin, end = int(found.starts[0]), int(found.ends[0])
    if end == len(content) and len(head) >= HEAD:
        raise InputRefused("header_too_long", "the header does not end within 1 MiB")
    after = end + (2 if content[end : end + 2] == b"\r\n" else 1)
    return _names(content[begin:end], layout), start + min(after, len(content))


def _names(record: bytes, layout: Layout) -> list[str]:
    try:
        return [cell or "" for cell in split_cells(record, layout)]
    except MalformedRecord as error:
        raise InputRefused("header", f"the header {error}") from None
