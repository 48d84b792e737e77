"""The reader of each format."""

from pathlib import Path

from functions.batch.formats.layout import Layout
from functions.batch.formats.reading import Reader
from sklambda.signature import Signature


def reader(layout: Layout, signature: Signature, folder: Path) -> Reader:
    """Make the reader of an input, which has a file in `folder` until it is cleared."""
    # They say what they read in the words above.
    from functions.batch.formats.csv_reader import CsvReader
    from functions.batch.formats.json_lines_reader import JsonLinesReader
    from functions.batch.formats.parquet_reader import ParquetReader

    match layout.format:
        case "csv":
            return CsvReader(layout, signature, folder)
        case "json_lines":
            return JsonLinesReader(signature, folder)
        case "parquet":
            return ParquetReader(layout, signature, folder)
