"""Joins Parquet files without reading their pages: the row groups of one after those of another.

The new footer is made of those of the files; each row group keeps its bytes but for positions in
the file. Two optional fields of a row group are dropped: its number, which only encrypted files
need, and its page index, whose data is outside of the footer. Bloom filters are kept.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from functions.batch.formats import parquet_footer
from functions.batch.formats.parquet_footer import (
    MAGIC,
    ChunkField,
    ColumnField,
    FileField,
    Footer,
    RowGroupField,
)
from functions.batch.formats.thrift import (
    Struct,
    Value,
    WireType,
    from_struct,
    from_structs,
    integer,
    to_int,
    to_structs,
)
from sklambda.storage import Extent, Piece, Storage, Stored

_THREADS: Final = 10
_PAGES: Final = (
    ColumnField.DATA_PAGE,
    ColumnField.INDEX_PAGE,
    ColumnField.DICTIONARY_PAGE,
    ColumnField.BLOOM_FILTER,
)
_PAGE_INDEX: Final = (
    ChunkField.OFFSET_INDEX_OFFSET,
    ChunkField.OFFSET_INDEX_LENGTH,
    ChunkField.COLUMN_INDEX_OFFSET,
    ChunkField.COLUMN_INDEX_LENGTH,
)


def pieces(storage: Storage, files: Sequence[Stored]) -> list[Piece]:
    """Return the pieces from which `Storage.join` makes one Parquet file.

    Parameters
    ----------
    storage : Storage
        Holds the files.
    files : sequence of Stored
        Parquet files, in the order of their rows.

    Returns
    -------
    list of Piece
        The magic bytes, the data of each file that has some, and the new footer.

    Raises
    ------
    ValueError
        There is no file, or their columns differ.
    InputRefused
        A file is not Parquet.
    ObjectReplaced
        A file was replaced.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        footers = list(pool.map(partial(parquet_footer.read, storage), files))
    data = [
        Extent(stored, len(MAGIC), footer.start)
        for stored, footer in zip(files, footers, strict=True)
        if footer.start > len(MAGIC)
    ]
    return [MAGIC, *data, joined_tail(footers)]


def joined_tail(footers: Sequence[Footer]) -> bytes:
    """Return the end of the joined file: what follows the data of all files.

    Parameters
    ----------
    footers : sequence of Footer
        Of the files. The data of each is between its first four bytes and its footer.

    Raises
    ------
    ValueError
        There is no file, or their columns differ.
    InputRefused
        A footer is damaged.
    """
    if not footers:
        raise ValueError("expected at least one Parquet file to join, got none")
    joined = _JoinedFooter(footers[0].fields())
    for footer in footers:
        joined.add(footer)
    return joined.footer().tail


@dataclass(slots=True)
class _JoinedFooter:
    """Row groups stay bytes: as objects they would take ten times the memory."""

    first: Struct
    start: int = len(MAGIC)
    rows: int = 0
    groups: list[bytes] = field(default_factory=list)

    def add(self, footer: Footer) -> None:
        fields = footer.fields()
        for name in (FileField.SCHEMA, FileField.ORDERS):
            if fields.get(name) != self.first.get(name):
                raise ValueError("the columns of the Parquet files differ")
        by = self.start - len(MAGIC)
        with parquet_footer.refuse_damaged():
            groups = to_structs(fields.get(FileField.GROUPS))
            self.groups.extend(_shifted(group, by) for group in groups)
        self.start += footer.start - len(MAGIC)
        self.rows += to_int(fields.get(FileField.ROWS))

    def footer(self) -> Footer:
        groups = from_structs(self.groups, len(self.groups))
        changed = {FileField.ROWS: integer(self.rows), FileField.GROUPS: groups}
        return Footer(self.start, from_struct(self.first | changed))


def _shifted(group: Struct, by: int) -> bytes:
    group.pop(RowGroupField.ORDINAL, None)
    _shift(group, by, RowGroupField.FILE_OFFSET)
    columns = [_shifted_chunk(chunk, by) for chunk in to_structs(group.get(RowGroupField.COLUMNS))]
    return from_struct(group | {RowGroupField.COLUMNS: from_structs(columns, len(columns))})


def _shifted_chunk(chunk: Struct, by: int) -> bytes:
    column = parquet_footer.column_fields(chunk)
    for name in _PAGE_INDEX:
        chunk.pop(name, None)
    _shift(chunk, by, ChunkField.FILE_OFFSET)
    _shift(column, by, *_PAGES)
    return from_struct(chunk | {ChunkField.METADATA: Value(WireType.STRUCT, from_struct(column))})


def _shift(fields: Struct, by: int, *offsets: int) -> None:
    """Move positions; 0 means none, because a file begins with its magic bytes."""
    for name in offsets:
        if position := to_int(fields.get(name)):
            fields[name] = integer(position + by)
