"""Cuts an input into parts: CSV and JSON Lines at the ends of records, Parquet by rows."""

from math import ceil
from pathlib import Path
from typing import Final

from functions.batch.formats import parquet_footer, parquet_reader
from functions.batch.formats.layout import Layout
from functions.batch.formats.parquet_footer import RowGroup
from functions.batch.formats.slices import Slice
from functions.batch.jobs.job import MAX_PARTS, Part
from functions.batch.jobs.sources import Source
from sklambda.reading import records
from sklambda.signature import Signature
from sklambda.storage import Storage, Stored

_EXPANSION: Final = 8
"""Approximate ratio of the length of decoded rows to that of their pages."""


class TextCutter:
    """Cuts an input of CSV or JSON Lines.

    Parameters
    ----------
    source : Source
        Its bytes.
    layout : Layout
        How it is laid out.
    part_bytes : int
        Length of a part, without a record that would be cut at its end.
    """

    def __init__(self, source: Source, layout: Layout, part_bytes: int) -> None:
        self._source, self._layout, self._bytes = source, layout, part_bytes
        self._cached: tuple[Part, bytes] | None = None

    @property
    def start(self) -> int:
        """Where the first part begins."""
        return self._layout.start

    def next_part(self, index: int, start: int, first: int) -> Part:
        """Cut the part that begins at `start`.

        Raises
        ------
        InputRefused
            A record is too long, or the input is damaged.
        """
        length = self._bytes
        while True:
            content, ended = self._source.read(start, length)
            cut = records.cut(content, self._layout.dialect, ended)
            if cut.end or ended:
                break
            length *= 2
        end = len(content) if ended else cut.end
        part = Part(
            index=index,
            start=start,
            stop=start + end,
            first=first,
            records=cut.records,
            last=ended,
        )
        self._cached = part, content[:end]
        return part

    def read(self, part: Part) -> Slice:
        """Read the records of a part."""
        if self._cached is None or self._cached[0] != part:
            content, _ = self._source.read(part.start, part.stop - part.start)
            self._cached = part, content
        return Slice(content=self._cached[1], first=part.first, header=part.index == 0)


class ParquetCutter:
    """Cuts an input of Parquet into parts of equally many rows, regardless of its row groups.

    Parameters
    ----------
    storage : Storage
        Holds the input.
    stored : Stored
        The input.
    part_bytes : int
        Approximate length of the decoded rows of a part.
    folder : Path
        For a copy of the row groups of one part.

    Raises
    ------
    InputRefused
        The input is not Parquet.
    """

    start = 0

    def __init__(self, storage: Storage, stored: Stored, part_bytes: int, folder: Path) -> None:
        self._storage, self._stored = storage, stored
        self._footer = parquet_footer.read(storage, stored)
        self._groups = parquet_footer.row_groups(self._footer)
        self._path = folder / "input.parquet"
        self._fetched: tuple[RowGroup, ...] | None = None
        self._rows = sum(group.rows for group in self._groups)
        encoded_bytes = sum(group.stop - group.start for group in self._groups)
        rows_of_a_part = part_bytes * self._rows // max(1, encoded_bytes * _EXPANSION)
        self._step = max(1, rows_of_a_part, ceil(self._rows / (MAX_PARTS - 1)))

    @classmethod
    def layout(cls, storage: Storage, stored: Stored, signature: Signature, folder: Path) -> Layout:
        """Read the columns of an input; raises `InputRefused` if they are not the model's."""
        cutter = cls(storage, stored, 1, folder)
        return parquet_reader.layout(cutter._fetch(()), signature)

    def next_part(self, index: int, start: int, first: int) -> Part:
        """Cut the part that begins with the row `start`."""
        stop = min(start + self._step, self._rows)
        return Part(
            index=index,
            start=start,
            stop=stop,
            first=first,
            records=stop - start,
            last=stop == self._rows,
        )

    def read(self, part: Part) -> Slice:
        """Fetch the row groups that hold the rows of a part."""
        groups, before = [], 0
        for group in self._groups:
            if before < part.stop and part.start < before + group.rows:
                groups.append(group)
            before += group.rows
        path = self._fetch(tuple(groups))
        rows = part.start, part.stop
        return Slice(path=path, rows=rows, first=part.first, header=part.index == 0)

    def _fetch(self, groups: tuple[RowGroup, ...]) -> Path:
        if self._fetched != groups:
            parquet_footer.fetch(self._storage, self._stored, self._footer, groups, self._path)
            self._fetched = groups
        return self._path


type Cutter = TextCutter | ParquetCutter


def part_after(cutter: Cutter, before: Part | None) -> Part:
    """Cut the part that follows another; the first if it is None."""
    if before is None:
        return cutter.next_part(0, cutter.start, 1)
    return cutter.next_part(before.index + 1, before.stop, before.first + before.records)
