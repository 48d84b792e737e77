"""What a slice of an input holds: its records, encoded, and what is wrong with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from duckdb import DuckDBPyConnection

from sklambda.arrays import FloatMatrix, IntVector

ROW: Final = "\x1f#"
"""The column of `records` that numbers its rows: a name that no input has, though many have "#"."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One fault of one record.

    Attributes
    ----------
    place : int
        The record's position in the slice, from 0.
    column : str or None
        Where the fault is; None where the record as a whole is at fault.
    code, detail : str
        For programs and for people.
    value : str or None
        The text of what was refused, for those who ask to see it.
    """

    place: int
    column: str | None
    code: str
    detail: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A slice that was read.

    Attributes
    ----------
    con : DuckDBPyConnection
        Has a table `records` with a row for each record that could be read as one, in order: the
        column `ROW`, which counts from 0, then those of the input; of JSON Lines only `line`.
    read : int
        How many records the slice has, malformed ones too.
    places : IntVector
        [n], the position in the slice of each row of `records`.
    X : FloatMatrix
        [n, K] float64, what the graph takes; a row with a fault holds anything.
    rejects : list of Reject
        All faults in the order of the records; a record with one is rejected.
    coerced : list of (int, str)
        The row of `X` and the feature of each value whose type was changed.
    lines : bytes or None
        The rows of `records` as CSV, each a line, where a writer would write the same.
    """

    con: DuckDBPyConnection
    read: int
    places: IntVector
    X: FloatMatrix
    rejects: list[Reject]
    coerced: list[tuple[int, str]]
    lines: bytes | None = None


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


class Reader(Protocol):
    """Reads the slices of one input."""

    def read(self, part: Slice) -> Reading:
        """Read a slice; what was read before it is gone."""
        ...

    def clear(self) -> None:
        """Forget the slice, and leave no file of it."""
        ...
