"""How an input is to be read: found once, from its head, and the same for all of its parts."""

from dataclasses import dataclass
from typing import Literal

type Format = Literal["csv", "json_lines", "parquet"]
type Compression = Literal["none", "gzip", "zstd"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How an input is to be read.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        What it is.
    columns : tuple of str
        The names of its columns, in their order; JSON Lines have none.
    delimiter : str
        What stands between the cells of CSV.
    quote : str
        What encloses a cell of CSV that holds a delimiter or a line end.
    start : int
        The byte where the first record begins, behind a byte order mark and the header.
    """

    format: Format
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    start: int = 0
