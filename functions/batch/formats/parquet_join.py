"""Joins Parquet files without reading their pages: the row groups of one behind those of another.

The footer of the whole is made of those of the parts, each row group's bytes as they were but for
the positions in the file. Two things that a row group may do without are left out: its number,
which only encrypted files need, and the index of its pages, which holds positions outside of the
footer. Bloom filters are kept.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from functions.batch.formats import parquet_footer
from functions.batch.formats.parquet_footer import MAGIC, Chunk, Column, File, Footer, Group
from functions.batch.formats.thrift import (
    Kind,
    Struct,
    Value,
    from_struct,
    from_structs,
    integer,
    to_int,
    to_structs,
)
from sklambda.storage import Extent, Piece, Storage, Stored

_AT_ONCE: Final = 10
_PAGES: Final = (Column.DATA_PAGE, Column.INDEX_PAGE, Column.DICTIONARY_PAGE, Column.BLOOM_FILTER)
_PAGE_INDEX: Final = (
    Chunk.OFFSET_INDEX_OFFSET,
    Chunk.OFFSET_INDEX_LENGTH,
    Chunk.COLUMN_INDEX_OFFSET,
    Chunk.COLUMN_INDEX_LENGTH,
)


def pieces(storage: Storage, parts: Sequence[Stored]) -> list[Piece]:
    """Give the pieces that `Storage.join` makes one Parquet file of.

    Parameters
    ----------
    storage : Storage
        Where the parts are.
    parts : sequence of Stored
        Parquet files, in the order that their rows are to have.

    Returns
    -------
    list of Piece
        The first bytes, the data of each part that has some, and the footer of the whole.

    Raises
    ------
    ValueError
        If there are no parts, or their columns differ.
    InputRefused
        If a part is no Parquet file.
    ObjectReplaced
        If a part is no longer what was found.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        footers = list(pool.map(partial(parquet_footer.read, storage), parts))
    data = [
        Extent(stored, len(MAGIC), footer.start)
        for stored, footer in zip(parts, footers, strict=True)
        if footer.start > len(MAGIC)
    ]
    return [MAGIC, *data, ending(footers)]


def ending(footers: Sequence[Footer]) -> bytes:
    """Give the end of the whole: what follows the data of all parts.

    Parameters
    ----------
    footers : sequence of Footer
        Of the parts. The data of each is from behind its first four bytes until its footer.

    Raises
    ------
    ValueError
        If there are no parts, or their columns differ.
    InputRefused
        If a footer cannot be read.
    """
    if not footers:
        raise ValueError("there is no Parquet file to join")
    whole = _Whole(footers[0].fields())
    for footer in footers:
        whole.add(footer)
    return whole.footer().ending


@dataclass(slots=True)
class _Whole:
    """Row groups are kept as bytes: as objects they would take ten times the memory."""

    first: Struct
    start: int = len(MAGIC)
    rows: int = 0
    groups: list[bytes] = field(default_factory=list)

    def add(self, footer: Footer) -> None:
        fields = footer.fields()
        for known in (File.SCHEMA, File.ORDERS):
            if fields.get(known) != self.first.get(known):
                raise ValueError("the columns of the Parquet files differ")
        by = self.start - len(MAGIC)
        with parquet_footer.whole():
            groups = to_structs(fields.get(File.GROUPS))
            self.groups.extend(_shifted(group, by) for group in groups)
        self.start += footer.start - len(MAGIC)
        self.rows += to_int(fields.get(File.ROWS))

    def footer(self) -> Footer:
        groups = from_structs(self.groups, len(self.groups))
        changed = {File.ROWS: integer(self.rows), File.GROUPS: groups}
        return Footer(self.start, from_struct(self.first | changed))


def _shifted(group: Struct, by: int) -> bytes:
    group.pop(Group.ORDINAL, None)
    _shift(group, by, Group.FILE_OFFSET)
    columns = [_shifted_chunk(chunk, by) for chunk in to_structs(group.get(Group.COLUMNS))]
    return from_struct(group | {Group.COLUMNS: from_structs(columns, len(columns))})


def _shifted_chunk(chunk: Struct, by: int) -> bytes:
    column = parquet_footer.column(chunk)
    for known in _PAGE_INDEX:
        chunk.pop(known, None)
    _shift(chunk, by, Chunk.FILE_OFFSET)
    _shift(column, by, *_PAGES)
    return from_struct(chunk | {Chunk.METADATA: Value(Kind.STRUCT, from_struct(column))})


def _shift(fields: Struct, by: int, *offsets: int) -> None:
    """Move positions; 0 is none, for the file's first bytes are there."""
    for known in offsets:
        if position := to_int(fields.get(known)):
            fields[known] = integer(position + by)
