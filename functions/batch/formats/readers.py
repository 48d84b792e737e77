"""The reader of each format."""

from pathlib import Path
from typing import Protocol

from functions.batch.formats.csv_reader import CsvReader
from functions.batch.formats.json_lines_reader import JsonLinesReader
from functions.batch.formats.layout import Layout
from functions.batch.formats.parquet_reader import ParquetReader
from functions.batch.formats.slices import EncodedSlice, Slice
from sklambda.signature import Signature


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
