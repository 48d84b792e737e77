"""A slice of an input: its records before and after they are read, encoded and checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from sklambda.arrays import FloatMatrix, IntVector
from sklambda.reading.records import MalformedRecord

ROW: Final = "\x1f#"
"""The column of `records` that numbers its rows: a name that no input has, though many have "#"."""

_MAX_VALUE_BYTES: Final = 1000


@dataclass(frozen=True, slots=True)
class Slice:
    """Whole records of an input.

    Attributes
    ----------
    content : bytes
        CSV or JSON Lines: the records, without a header. Empty for Parquet.
    path : Path or None
        Parquet: a file that holds at least the row groups of these rows.
    rows : tuple of int
        Parquet: the first row and the one after the last, from 0.
    first : int
        Number of the first record in the whole input, from 1.
    header : bool
        Whether the slice begins the scored file, so that a CSV header precedes it.
    """

    content: bytes = b""
    path: Path | None = None
    rows: tuple[int, int] = (0, 0)
    first: int = 1
    header: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """One fault of one record.

    Attributes
    ----------
    place : int
        Position of the record in the slice, from 0.
    column : str or None
        The column at fault; None where the record as a whole is.
    code, detail : str
        For programs and for people.
    value : str or None
        Text of the refused value, written only with ``show_values``.
    """

    place: int
    column: str | None
    code: str
    detail: str
    value: str | None = None


def malformed_reject(place: int, record: bytes, error: MalformedRecord) -> Reject:
    """Return the reject of a record that cannot be parsed."""
    value = record[:_MAX_VALUE_BYTES].decode(errors="replace")
    return Reject(place, None, "malformed", str(error), value)


@dataclass(frozen=True, slots=True)
class EncodedSlice:
    """The records of a slice, encoded.

    Attributes
    ----------
    con : DuckDBPyConnection
        Has a table `records` with a row for each well-formed record, in order: the column `ROW`,
        which counts from 0, then those of the input; for JSON Lines only `line`.
    read : int
        Number of records in the slice, malformed ones included.
    places : IntVector
        [n], the position in the slice of each row of `records`.
    X : FloatMatrix
        [n, K] float64, the input of the graph; arbitrary in rows that have a fault.
    rejects : list of Reject
        All faults in the order of the records; a record with one is rejected.
    coerced : list of (int, str)
        Row of `X` and feature of each value whose type was changed.
    lines : bytes or None
        The rows of `records` as lines of CSV, where a writer would write the same bytes.
    """

    con: DuckDBPyConnection
    read: int
    places: IntVector
    X: FloatMatrix
    rejects: list[Reject]
    coerced: list[tuple[int, str]]
    lines: bytes | None = None
