"""What a scored file repeats of its input, as expressions of SQL over the table ``records`` r."""

from dataclasses import dataclass
from typing import Final

from functions.batch.layout import Format, Layout
from functions.batch.slices import Answering
from functions.batch.tables.sql import identifier, literal
from sklambda.errors import InputRefused
from sklambda.signature import Kind, Signature

_TYPES: Final[dict[Kind, str]] = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A column of the input that the scored file repeats.

    Attributes
    ----------
    name : str
        What it is called.
    sql : str
        Its values.
    """

    name: str
    sql: str


def kept(layout: Layout, answering: Answering, signature: Signature) -> list[Kept]:
    """Give the columns that are repeated, in the order of the input where it has one.

    Raises
    ------
    InputRefused
        A column is to be kept that the input does not have.
    """
    if layout.format != "json_lines":
        return [
            Kept(name, f"r.{identifier(name)}") for name in _columns(layout, answering, signature)
        ]
    members = _members(answering, signature)
    return [Kept(name, _member(name, answering.format, signature.kinds)) for name in members]


def _columns(layout: Layout, answering: Answering, signature: Signature) -> list[str]:
    asked = _asked(answering)
    if asked is None:
        return [*layout.columns]
    absent = [name for name in asked if name not in layout.columns]
    if absent:
        raise InputRefused("not_kept", f"there is no column {absent[0]!r} to keep")
    return [name for name in layout.columns if name in asked or name == signature.row_id]


def _members(answering: Answering, signature: Signature) -> list[str]:
    asked = _asked(answering)
    names = list(signature.names) if asked is None else asked
    identity = [] if signature.row_id is None else [signature.row_id]
    return [*identity, *(name for name in dict.fromkeys(names) if name not in identity)]


def _asked(answering: Answering) -> list[str] | None:
    """List the columns that were asked for; None for all that there are."""
    if isinstance(answering.keep, str):
        return None if answering.keep == "all" else []
    return [*answering.keep]


def _member(name: str, into: Format, kinds: dict[str, Kind]) -> str:
    """Take a member of the JSON object in the column ``line``."""
    pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
    if into == "json_lines":
        return f"json_extract(r.line, {pointer})"
    text = f"json_extract_string(r.line, {pointer})"
    kind = _TYPES.get(kinds[name]) if name in kinds and into == "parquet" else None
    return f"CAST({text} AS {kind})" if kind else text
