"""The reader of each format; in JSON Lines pydantic parses objects and the codec encodes them."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic_core import from_json, to_json

from functions.batch.formats.csv_reader import CsvReader
from functions.batch.formats.layout import Layout
from functions.batch.formats.parquet_reader import ParquetReader
from functions.batch.formats.slices import ROW, EncodedSlice, Reject, Slice, malformed_reject
from functions.batch.formats.sql import connect, identifier
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.errors import Fault, RowsInvalid
from sklambda.reading.records import MAX_RECORD_BYTES, MalformedRecord, spans
from sklambda.signature import Signature

type Row = dict[str, Any]


class JsonLinesReader:
    """Reads slices of JSON Lines, whose objects may have other members than features.

    Parameters
    ----------
    signature : Signature
        Names the features, members of each object.
    folder : Path
        For what the database cannot hold in memory.
    """

    def __init__(self, signature: Signature, folder: Path) -> None:
        self._con, self._codec = connect(folder), Codec(signature)
        self._names, self._width = signature.names, signature.width

    def read(self, part: Slice) -> EncodedSlice:
        """Read and encode a slice; the one read before is dropped."""
        records = spans(part.content, None).split(part.content)
        rows, places, rejects = _parse(records)
        self._store([records[place].decode() for place in places])
        X, faults = self._encode([self._features(row) for row in rows])
        rejects += [_reject(fault, places[fault.row], rows[fault.row]) for fault in faults]
        rejects.sort(key=attrgetter("place"))
        positions = np.array(places, dtype=np.intp)
        return EncodedSlice(self._con, len(records), positions, X, rejects, [])

    def clear(self) -> None:
        """Drop the slice and its files."""
        self._con.execute("drop table if exists records")

    def _features(self, row: Row) -> Row:
        return {name: row[name] for name in self._names if name in row}

    def _store(self, lines: list[str]) -> None:
        self._con.register("lines", {"line": np.array(lines, dtype=object)})
        self._con.execute(
            f"create or replace table records as select row_number() over () - 1"
            f" as {identifier(ROW)}, line::varchar as line from lines"
        )
        self._con.unregister("lines")

    def _encode(self, rows: Sequence[Row]) -> tuple[FloatMatrix, Sequence[Fault]]:
        X = np.zeros((len(rows), self._width))
        try:
            if rows:
                X[:] = self._codec.encode(rows)
            return X, ()
        except RowsInvalid as invalid:
            good = invalid.good_rows(len(rows))
            if good:
                X[good] = self._codec.encode([rows[row] for row in good])
            return X, invalid.faults


def _parse(records: Iterable[bytes]) -> tuple[list[Row], list[int], list[Reject]]:
    """Parse the records; returns the objects, the place of each, and the malformed records."""
    rows, places, rejects = list[Row](), list[int](), list[Reject]()
    for place, record in enumerate(records):
        try:
            rows.append(_object(record))
            places.append(place)
        except MalformedRecord as error:
            rejects.append(malformed_reject(place, record, error))
    return rows, places, rejects


def _object(record: bytes) -> Row:
    if len(record) > MAX_RECORD_BYTES:
        raise MalformedRecord("is longer than 1 MiB")
    try:
        value = from_json(record, allow_inf_nan=False)
    except ValueError:
        raise MalformedRecord("is not JSON") from None
    if not isinstance(value, dict):
        raise MalformedRecord("is not an object")
    return value


def _reject(fault: Fault, place: int, row: Row) -> Reject:
    value = row.get(str(fault.feature))
    text = value if value is None or isinstance(value, str) else to_json(value).decode()
    return Reject(place, fault.feature, fault.code, fault.detail, text)


class Reader(Protocol):
    """Reads the slices of one input."""

    def read(self, part: Slice) -> EncodedSlice:
        """Read and encode a slice; the one read before is dropped."""
        ...

    def clear(self) -> None:
        """Drop the slice and its files."""
        ...


def open_reader(layout: Layout, signature: Signature, folder: Path) -> Reader:
    """Return the reader of an input; its scratch file stays in `folder` until it is cleared."""
    match layout.format:
        case "csv":
            return CsvReader(layout, signature, folder)
        case "json_lines":
            return JsonLinesReader(signature, folder)
        case "parquet":
            return ParquetReader(layout, signature, folder)
