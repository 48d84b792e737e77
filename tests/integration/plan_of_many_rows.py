"""Plans a job of rows that are generated as they are read; prints the memory that took.

In a process of its own, whose peak of memory is the plan's. Usage: PACKAGE FOLDER ROWS.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from functions.batch.jobs import opening, planning
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import MAX_PARTS
from functions.batch.jobs.options import Options
from sklambda.predictor import Predictor
from sklambda.storage import Directory, Piece, Stored

_BLOCK_ROWS: Final = 2**16


class Rows:
    """A storage of one CSV file, all of whose rows are the same.

    Parameters
    ----------
    header, row : bytes
        Its lines.
    rows : int
        How many rows it has.
    """

    def __init__(self, header: bytes, row: bytes, rows: int) -> None:
        self._header, self._width, self._rows = header, len(row), rows
        self._block = memoryview(row * _BLOCK_ROWS)

    def find(self, key: str) -> Stored | None:
        """Describe the file, under any key."""
        size = len(self._header) + self._width * self._rows
        return Stored(key, size, "none", None, datetime(2026, 1, 1, tzinfo=UTC))

    def read(self, stored: Stored, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes of a range."""
        end = stored.size if stop is None else min(stop, stored.size)
        pieces: list[bytes | memoryview] = [self._header[start:end]]
        position = max(start, len(self._header))
        while position < end:
            place = (position - len(self._header)) % self._width
            piece = self._block[place : place + end - position]
            pieces.append(piece)
            position += len(piece)
        return b"".join(pieces)

    def stream(self, stored: Stored, start: int = 0) -> Iterator[bytes]:
        """Refuse: plain files are read in ranges."""
        raise NotImplementedError

    def list(self, prefix: str) -> Iterator[Stored]:
        """Refuse: inputs are only read."""
        raise NotImplementedError

    def put(self, objects: Mapping[str, bytes], media_type: str = "") -> None:
        """Refuse: inputs are only read."""
        raise NotImplementedError

    def create(self, key: str, content: bytes | Path, media_type: str = "") -> bool:
        """Refuse: inputs are only read."""
        raise NotImplementedError

    def join(self, key: str, pieces: Sequence[Piece], media_type: str = "") -> bool:
        """Refuse: inputs are only read."""
        raise NotImplementedError

    def remove(self, keys: Iterable[str]) -> None:
        """Refuse: inputs are only read."""
        raise NotImplementedError


def plan(package: Path, folder: Path, rows: int) -> dict[str, object]:
    """Plan a job of so many rows, in about as many parts as allowed."""
    predictor = Predictor.open(package)
    names = [feature.name for feature in predictor.package.signature.features]
    header = (",".join(names) + "\n").encode()
    rows_ = Rows(header, b"," * (len(names) - 1) + b"\n", rows)
    context = Context(predictor, Directory(folder), lambda address: (rows_, address), folder)
    outline = opening.outline_job(context, "rows.csv", _in_most_parts(rows_))
    before = _megabytes()
    parts = planning.plan(context, opening.open_job(context, outline), lambda: float("inf"))
    assert parts is not None
    return {
        "parts": len(parts),
        "records": sum(part.records for part in parts),
        "bytes": parts[-1].stop,
        "contiguous": all(a.stop == b.start for a, b in pairwise(parts)),
        "megabytes": _megabytes() - before,
    }


def _in_most_parts(rows_: Rows) -> Options:
    """Return options of parts so short that the limit of their number applies."""
    stored = rows_.find("rows.csv")
    assert stored is not None
    return Options(part_bytes=stored.size // MAX_PARTS)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(plan(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
