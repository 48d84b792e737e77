"""The footer of a Parquet file: what is where in it.

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

_CHUNK: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file says of itself.

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
    def ending(self) -> bytes:
        """The end of the file, from `start`."""
        return self.content + len(self.content).to_bytes(4, "little") + MAGIC

    def fields(self) -> Struct:
        """Give the fields of the ``FileMetaData``.

        Raises
        ------
        InputRefused
            If they cannot be read, or the file is encrypted.
        """
        with whole():
            fields = to_struct(self.content)
        if File.ENCRYPTION in fields:
            raise _refused("it is encrypted")
        return fields


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows that lie together.

    Attributes
    ----------
    rows : int
        How many they are.
    start : int
        The byte where their data begins.
    stop : int
        The byte behind their data.
    """

    rows: int
    start: int
    stop: int


def fetch(
    storage: Storage, stored: Stored, footer: Footer, groups: Iterable[RowGroup], path: Path
) -> None:
    """Write a file of which these row groups can be read, and no others.

    Its rows have the numbers that they have in the object, and it takes as much of the disk as
    the row groups and the footer do. Bloom filters and page indexes are not in it: it may be
    asked for rows by their numbers (``file_row_number`` of DuckDB), not by their values.

    Parameters
    ----------
    storage : Storage
        Where the object is.
    stored : Stored
        The object.
    footer : Footer
        Of the object.
    groups : iterable of RowGroup
        Those to fetch.
    path : Path
        The file; what is there is replaced.

    Raises
    ------
    ObjectReplaced
        If the object is no longer what was found.
    """
    with path.open("wb") as file:
        file.write(MAGIC)
        for group in groups:
            file.seek(group.start)
            for start in range(group.start, group.stop, _CHUNK):
                file.write(storage.read(stored, start, min(start + _CHUNK, group.stop)))
        file.seek(footer.start)
        file.write(footer.ending)


MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8
_GUESS: Final = 64 << 10
"""What is read at first: the footer of most files, so that one question is enough."""


class File(IntEnum):
    """Fields of ``FileMetaData``."""

    SCHEMA = 2
    ROWS = 3
    GROUPS = 4
    ORDERS = 7
    ENCRYPTION = 8


class Group(IntEnum):
    """Fields of ``RowGroup``."""

    COLUMNS = 1
    ROWS = 3
    FILE_OFFSET = 5
    ORDINAL = 7


class Chunk(IntEnum):
    """Fields of ``ColumnChunk``."""

    FILE_PATH = 1
    FILE_OFFSET = 2
    METADATA = 3
    OFFSET_INDEX_OFFSET = 4
    OFFSET_INDEX_LENGTH = 5
    COLUMN_INDEX_OFFSET = 6
    COLUMN_INDEX_LENGTH = 7
    CRYPTO = 8


class Column(IntEnum):
    """Fields of ``ColumnMetaData``."""

    COMPRESSED_SIZE = 7
    DATA_PAGE = 9
    INDEX_PAGE = 10
    DICTIONARY_PAGE = 11
    BLOOM_FILTER = 14


def read(storage: Storage, stored: Stored) -> Footer:
    """Read the footer of an object.

    Raises
    ------
    InputRefused
        If it is no Parquet file, or its end is missing, or it is encrypted.
    ObjectReplaced
        If it is no longer what was found.
    """
    if stored.size < len(MAGIC) + _TAIL:
        raise _refused("it is too short")
    guess = max(stored.size - _GUESS, 0)
    end = storage.read(stored, guess)
    size, magic = int.from_bytes(end[-_TAIL:-4], "little"), end[-4:]
    if magic != MAGIC:
        raise _refused("it is encrypted" if magic == _ENCRYPTED else "its end is missing")
    start = stored.size - _TAIL - size
    if start < len(MAGIC):
        raise _refused("its footer is longer than it is")
    if start < guess:
        return Footer(start, storage.read(stored, start, stored.size - _TAIL))
    return Footer(start, end[start - guess : -_TAIL])


def row_groups(footer: Footer) -> tuple[RowGroup, ...]:
    """Give the row groups of a file, in their order.

    Raises
    ------
    InputRefused
        If the footer is damaged, or says what cannot be.
    """
    with whole():
        groups = tuple(map(_row_group, to_structs(footer.fields().get(File.GROUPS))))
    for group in groups:
        if group.rows < 0 or not len(MAGIC) <= group.start <= group.stop <= footer.start:
            raise _refused("its footer tells of data that it does not have")
    return groups


def column(chunk: Struct) -> Struct:
    """Give the ``ColumnMetaData`` of a ``ColumnChunk``; `ThriftInvalid` if it is not here."""
    if Chunk.METADATA not in chunk or Chunk.CRYPTO in chunk:
        raise ThriftInvalid("a column is encrypted")
    if Chunk.FILE_PATH in chunk:
        raise ThriftInvalid("a column is in another file")
    return to_struct(chunk[Chunk.METADATA].content)


@contextmanager
def whole() -> Iterator[None]:
    """Refuse a file whose footer is not what it should be."""
    try:
        yield
    except ThriftInvalid as error:
        raise _refused(f"its footer is damaged: {error}") from error


def _row_group(group: Struct) -> RowGroup:
    spans = [_span(column(chunk)) for chunk in to_structs(group.get(Group.COLUMNS))]
    if not spans:
        raise ThriftInvalid("a row group has no columns")
    rows = to_int(group.get(Group.ROWS))
    return RowGroup(rows, min(start for start, _ in spans), max(stop for _, stop in spans))


def _span(fields: Struct) -> tuple[int, int]:
    """Find where a column's data is; old writers put 0 for no dictionary."""
    pages = (to_int(fields.get(Column.DICTIONARY_PAGE)), to_int(fields.get(Column.DATA_PAGE)))
    start = min((page for page in pages if page), default=0)
    return start, start + to_int(fields.get(Column.COMPRESSED_SIZE))


def _refused(reason: str) -> InputRefused:
    return InputRefused("not_parquet", f"The input cannot be read as Parquet: {reason}.")
