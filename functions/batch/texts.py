"""CSV and JSON Lines cut into parts, at the ends of records."""

from functions.batch import records
from functions.batch.layout import Layout
from functions.batch.parts import Part
from functions.batch.slices import Slice
from functions.batch.sources import Source


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
