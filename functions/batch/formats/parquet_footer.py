"""The footer of a Parquet file, and local copies of some of its row groups.

The format: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from functions.batch.formats.thrift import Struct, ThriftInvalid, to_int, to_struct, to_structs
from sklambda.errors import InputRefused
from sklambda.storage import Storage, Stored

MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8
_FIRST_READ: Final = 64 << 10
"""Holds the footer of most files, so that one request is enough."""
_CHUNK: Final = 8 << 20


class FileField(IntEnum):
    """Fields of ``FileMetaData``."""

    SCHEMA = 2
    ROWS = 3
    GROUPS = 4
    ORDERS = 7
    ENCRYPTION = 8


class RowGroupField(IntEnum):
    """Fields of ``RowGroup``."""

    COLUMNS = 1
    ROWS = 3
    FILE_OFFSET = 5
    ORDINAL = 7


class ChunkField(IntEnum):
    """Fields of ``ColumnChunk``."""

    FILE_PATH = 1
    FILE_OFFSET = 2
    METADATA = 3
    OFFSET_INDEX_OFFSET = 4
    OFFSET_INDEX_LENGTH = 5
    COLUMN_INDEX_OFFSET = 6
    COLUMN_INDEX_LENGTH = 7
    CRYPTO = 8


class ColumnField(IntEnum):
    """Fields of ``ColumnMetaData``."""

    COMPRESSED_SIZE = 7
    DATA_PAGE = 9
    INDEX_PAGE = 10
    DICTIONARY_PAGE = 11
    BLOOM_FILTER = 14


@dataclass(frozen=True, slots=True)
class Footer:
    """The footer of a Parquet file.

    Attributes
    ----------
    start : int
        The byte where it begins; the data is before it.
    content : bytes
        The ``FileMetaData``, in Thrift's compact protocol.
    """

    start: int
    content: bytes

    @property
    def tail(self) -> bytes:
        """The end of the file, from `start`."""
        return self.content + len(self.content).to_bytes(4, "little") + MAGIC

    def fields(self) -> Struct:
        """Read the fields of the ``FileMetaData``.

        Raises
        ------
        InputRefused
            The footer is damaged, or the file is encrypted.
        """
        with refuse_damaged():
            fields = to_struct(self.content)
        if FileField.ENCRYPTION in fields:
            raise _refused("it is encrypted")
        return fields


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group: rows whose data is in one range of the file.

    Attributes
    ----------
    rows : int
        Number of rows.
    start : int
        First byte of their data.
    stop : int
        The byte after their data.
    """

    rows: int
    start: int
    stop: int


def read(storage: Storage, stored: Stored) -> Footer:
    """Read the footer of an object.

    Raises
    ------
    InputRefused
        The object is not a Parquet file, or truncated, or encrypted.
    ObjectReplaced
        The object was replaced.
    """
    if stored.size < len(MAGIC) + _TAIL:
        raise _refused("it is too short")
    first = max(stored.size - _FIRST_READ, 0)
    end = storage.read(stored, first)
    size, magic = int.from_bytes(end[-_TAIL:-4], "little"), end[-4:]
    if magic != MAGIC:
        raise _refused("it is encrypted" if magic == _ENCRYPTED else "its end is missing")
    start = stored.size - _TAIL - size
    if start < len(MAGIC):
        raise _refused("its footer is longer than the file")
    if start < first:
        return Footer(start, storage.read(stored, start, stored.size - _TAIL))
    return Footer(start, end[start - first : -_TAIL])


def row_groups(footer: Footer) -> tuple[RowGroup, ...]:
    """Read the row groups of a file, in order.

    Raises
    ------
    InputRefused
        The footer is damaged, or points outside of the data.
    """
    with refuse_damaged():
        groups = tuple(map(_row_group, to_structs(footer.fields().get(FileField.GROUPS))))
    for group in groups:
        if group.rows < 0 or not len(MAGIC) <= group.start <= group.stop <= footer.start:
            raise _refused("its footer points outside of its data")
    return groups


def _row_group(group: Struct) -> RowGroup:
    spans = [_span(column_fields(chunk)) for chunk in to_structs(group.get(RowGroupField.COLUMNS))]
    if not spans:
        raise ThriftInvalid("a row group has no columns")
    rows = to_int(group.get(RowGroupField.ROWS))
    return RowGroup(rows, min(start for start, _ in spans), max(stop for _, stop in spans))


def _span(fields: Struct) -> tuple[int, int]:
    """Return the range of a column's data; old writers put 0 for no dictionary."""
    pages = (
        to_int(fields.get(ColumnField.DICTIONARY_PAGE)),
        to_int(fields.get(ColumnField.DATA_PAGE)),
    )
    start = min((page for page in pages if page), default=0)
    return start, start + to_int(fields.get(ColumnField.COMPRESSED_SIZE))


def column_fields(chunk: Struct) -> Struct:
    """Read the ``ColumnMetaData`` of a ``ColumnChunk``; raises `ThriftInvalid` if it is absent."""
    if ChunkField.METADATA not in chunk or ChunkField.CRYPTO in chunk:
        raise ThriftInvalid("a column is encrypted")
    if ChunkField.FILE_PATH in chunk:
        raise ThriftInvalid("a column is in another file")
    return to_struct(chunk[ChunkField.METADATA].content)


def fetch(
    storage: Storage, stored: Stored, footer: Footer, groups: Iterable[RowGroup], path: Path
) -> None:
    """Write a local file in which these row groups can be read, with holes for the others.

    Its rows have the same numbers as in the object. It takes as much of the disk as the row
    groups and the footer. Bloom filters and page indexes are not copied: rows may be selected by
    number (``file_row_number`` of DuckDB), not by value.

    Parameters
    ----------
    storage : Storage
        Holds the object.
    stored : Stored
        The object.
    footer : Footer
        Of the object.
    groups : iterable of RowGroup
        Those to fetch.
    path : Path
        The file; an existing one is replaced.

    Raises
    ------
    ObjectReplaced
        The object was replaced.
    """
    with path.open("wb") as file:
        file.write(MAGIC)
        for group in groups:
            file.seek(group.start)
            for start in range(group.start, group.stop, _CHUNK):
                file.write(storage.read(stored, start, min(start + _CHUNK, group.stop)))
        file.seek(footer.start)
        file.write(footer.tail)


@contextmanager
def refuse_damaged() -> Iterator[None]:
    """Raise `InputRefused` where a footer violates Thrift's protocol."""
    try:
        yield
    except ThriftInvalid as error:
        raise _refused(f"its footer is damaged: {error}") from error


def _refused(reason: str) -> InputRefused:
    return InputRefused("not_parquet", f"the file cannot be read as Parquet: {reason}")
