"""CSV and JSON Lines cut into parts, at the ends of records."""

from math import ceil
from pathlib import Path
from typing import Final

from functions.batch.formats import parquet_footer, parquet_reader, records
from functions.batch.formats.layout import Layout
from functions.batch.formats.parquet_footer import RowGroup
from functions.batch.formats.reading import Slice
from functions.batch.jobs.job import MOST_PARTS, Part
from functions.batch.jobs.sources import Source
from sklambda.signature import Signature
from sklambda.storage import Storage, Stored

_UNPACKED: Final = 8
"""About how many times longer rows are once they are unpacked."""


class Groups:
    """An input of Parquet.

    Parameters
    ----------
    storage : Storage
        Where it is.
    stored : Stored
        What it was when it was found.
    part_bytes : int
        About how long the rows of a part are, unpacked.
    folder : Path
        For a copy of the row groups of one part.

    Raises
    ------
    InputRefused
        It is no Parquet file.
    """

    start = 0

    def __init__(self, storage: Storage, stored: Stored, part_bytes: int, folder: Path) -> None:
        self._storage, self._stored = storage, stored
        self._footer = parquet_footer.read(storage, stored)
        self._groups = parquet_footer.row_groups(self._footer)
        self._path = folder / "input.parquet"
        self._held: tuple[RowGroup, ...] | None = None
        self._rows = sum(group.rows for group in self._groups)
        packed = sum(group.stop - group.start for group in self._groups)
        of_a_part = part_bytes * self._rows // max(1, packed * _UNPACKED)
        self._step = max(1, of_a_part, ceil(self._rows / (MOST_PARTS - 1)))

    @classmethod
    def layout(cls, storage: Storage, stored: Stored, signature: Signature, folder: Path) -> Layout:
        """Read which columns there are; raises `InputRefused` if they are not the model's."""
        empty = cls(storage, stored, 1, folder)
        return parquet_reader.layout(empty._fetched(()), signature)

    def following(self, index: int, start: int, first: int) -> Part:
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

    def slice(self, part: Part) -> Slice:
        """Fetch the row groups that the rows of a part are in."""
        within, before = [], 0
        for group in self._groups:
            if before < part.stop and part.start < before + group.rows:
                within.append(group)
            before += group.rows
        path = self._fetched(tuple(within))
        rows = part.start, part.stop
        return Slice(path=path, rows=rows, first=part.first, header=part.index == 0)

    def _fetched(self, groups: tuple[RowGroup, ...]) -> Path:
        if self._held != groups:
            parquet_footer.fetch(self._storage, self._stored, self._footer, groups, self._path)
            self._held = groups
        return self._path


class Texts:
    """An input of CSV or JSON Lines.

    Parameters
    ----------
    source : Source
        Its bytes.
    layout : Layout
        How it is written.
    part_bytes : int
        How long a part is, but for the record that it ends within.
    """

    def __init__(self, source: Source, layout: Layout, part_bytes: int) -> None:
        self._source, self._layout, self._bytes = source, layout, part_bytes
        self._held: tuple[Part, bytes] | None = None

    @property
    def start(self) -> int:
        """Where the first part begins."""
        return self._layout.start

    def following(self, index: int, start: int, first: int) -> Part:
        """Cut the part that begins at `start`.

        Raises
        ------
        InputRefused
            A record is longer than any may be, or the input is damaged.
        """
        length = self._bytes
        while True:
            content, ended = self._source.read(start, length)
            cut = records.cut(content, self._layout, ended)
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
        self._held = part, content[:end]
        return part

    def slice(self, part: Part) -> Slice:
        """Read the records of a part."""
        if self._held is None or self._held[0] != part:
            content, _ = self._source.read(part.start, part.stop - part.start)
            self._held = part, content
        return Slice(content=self._held[1], first=part.first, header=part.index == 0)
