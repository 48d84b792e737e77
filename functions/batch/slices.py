"""A part of an input on its way in, and what became of it on its way out."""

from dataclasses import dataclass
from pathlib import Path

from functions.batch.layout import Compression, Format


@dataclass(frozen=True, slots=True)
class Answering:
    """What the scored file is to hold.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        What it is.
    compression : {"none", "gzip", "zstd"}
        How it is compressed; Parquet inside of itself.
    keep : "all", "none" or tuple of str
        Which columns of the input it repeats, besides the row's id.
    explain : bool
        Whether the scores are explained.
    show : bool
        Whether a reject shows the value that was refused.
    """

    format: Format
    compression: Compression = "none"
    keep: str | tuple[str, ...] = "all"
    explain: bool = False
    show: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Whole records of an input.

    Attributes
    ----------
    content : bytes
        Of CSV or JSON Lines: the records, without a header. Of Parquet: nothing.
    path : Path or None
        Of Parquet: a file that holds at least the row groups of these rows.
    rows : tuple of int
        Of Parquet: the first row and the one after the last, from 0.
    first : int
        The number of the first record in the whole input, from 1.
    header : bool
        Whether the part begins the scored file, so that a CSV file's header is before it.
    """

    content: bytes = b""
    path: Path | None = None
    rows: tuple[int, int] = (0, 0)
    first: int = 1
    header: bool = True


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of a slice: each record is scored or rejected.

    Attributes
    ----------
    output : Path
        The scored records, as a piece of the scored file.
    rejects : bytes
        What was wrong, a JSON object a line.
    read : int
        How many records there were.
    rejected : int
        How many of them were rejected.
    """

    output: Path
    rejects: bytes
    read: int
    rejected: int

    @property
    def scored(self) -> int:
        """How many records were scored."""
        return self.read - self.rejected
