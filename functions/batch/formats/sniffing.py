"""The layout of CSV or JSON Lines, sniffed from the first bytes of an input."""

import codecs

from functions.batch.formats.layout import Layout, require_columns
from sklambda.errors import DocumentInvalid, InputRefused
from sklambda.reading import sniffing
from sklambda.reading.rules import Reading
from sklambda.reading.suffixes import Format
from sklambda.signature import Signature


def sniff(head: bytes, format: Format, delimiter: str | None, signature: Signature) -> Layout:
    """Find the layout of CSV or JSON Lines.

    Parameters
    ----------
    head : bytes
        The first `sklambda.reading.sniffing.HEAD` bytes of the input in UTF-8, decompressed, or
        all of a shorter one.
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
    reading = signature.reading if delimiter is None else _delimited(signature.reading, delimiter)
    if format == "json_lines":
        sniffing.require_text(head)
        marked = head.startswith(codecs.BOM_UTF8)
        return Layout("json_lines", start=len(codecs.BOM_UTF8) if marked else 0)
    found = sniffing.sniff(head, reading, signature.admitted)
    columns = tuple(name or f"column_{place}" for place, name in enumerate(found.columns, 1))
    require_columns(columns, signature)
    dialect = found.dialect
    return Layout(
        "csv",
        columns,
        dialect.delimiter,
        dialect.quote,
        found.start,
        dialect.escape,
        dialect.comment,
        dialect.trim,
    )


def _delimited(reading: Reading, delimiter: str) -> Reading:
    try:
        return reading.replace(delimiter=delimiter)
    except DocumentInvalid:
        raise InputRefused(
            "delimiter",
            "the delimiter must be one ASCII character, not a quote, a line end or NUL",
        ) from None
