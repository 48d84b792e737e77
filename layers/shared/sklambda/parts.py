"""The parts that an object in S3 is written of.

S3 wants at least 5 MiB of each part but the last, and at most 10,000 parts. It copies ranges of
objects itself; what is too small for a part of its own is read, and written with its neighbours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Final

from sklambda.objects import Extent, Piece, Stored, length

LEAST: Final = 5 << 20
MOST: Final = 10_000
_LARGEST: Final = 5 << 30
_OF_FILE: Final = 8 << 20

type Read = Callable[[Stored, int, int], bytes]


@dataclass(frozen=True, slots=True)
class Copy:
    """A part that S3 copies."""

    extent: Extent


@dataclass(frozen=True, slots=True)
class Upload:
    """A part that is sent; its content is made only then."""

    content: Callable[[], bytes | bytearray]


type Part = Copy | Upload


def of_file(path: Path) -> list[Part]:
    """Give the parts of a file."""
    size = path.stat().st_size
    step = max(_OF_FILE, ceil(size / MOST))
    return [Upload(_range(path, start, step)) for start in range(0, size or 1, step)]


def of_pieces(pieces: Sequence[Piece], read: Read) -> list[Part]:
    """Give the parts of pieces that are joined in their order; at least one."""
    least = LEAST
    while len(groups := _groups(pieces, least)) > MOST:
        least *= 2
    return [
        Copy(group) if isinstance(group, Extent) else Upload(_gathered(group, read))
        for group in groups
    ]


def _groups(pieces: Iterable[Piece], least: int) -> list[Extent | list[Piece]]:
    cutter = _Cutter(least)
    for piece in pieces:
        cutter.add(piece)
    if cutter.held or not cutter.groups:
        cutter.flush()
    return cutter.groups


@dataclass(slots=True)
class _Cutter:
    least: int
    groups: list[Extent | list[Piece]] = field(default_factory=list)
    pending: list[Piece] = field(default_factory=list)
    held: int = 0

    def add(self, piece: Piece) -> None:
        """Copy what is large, after what is pending has got of it what it lacks."""
        lacking = self.least - self.held if self.held else 0
        if isinstance(piece, Extent) and length(piece) >= lacking + self.least:
            middle = piece.start + lacking
            self._hold(Extent(piece.stored, piece.start, middle))
            self.groups.extend(_copies(Extent(piece.stored, middle, piece.stop)))
        else:
            self._hold(piece)

    def flush(self) -> None:
        self.groups.append(self.pending)
        self.pending, self.held = [], 0

    def _hold(self, piece: Piece) -> None:
        if length(piece):
            self.pending.append(piece)
            self.held += length(piece)
        if self.held >= self.least:
            self.flush()


def _copies(extent: Extent) -> Iterator[Extent]:
    step = ceil(length(extent) / ceil(length(extent) / _LARGEST))
    for start in range(extent.start, extent.stop, step):
        yield Extent(extent.stored, start, min(start + step, extent.stop))


def _gathered(pieces: Iterable[Piece], read: Read) -> Callable[[], bytearray]:
    def content() -> bytearray:
        whole = bytearray()
        for piece in pieces:
            if isinstance(piece, Extent):
                whole += read(piece.stored, piece.start, piece.stop)
            else:
                whole += piece
        return whole

    return content


def _range(path: Path, start: int, size: int) -> Callable[[], bytes]:
    def content() -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)

    return content
