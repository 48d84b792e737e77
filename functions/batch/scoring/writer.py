"""Writes pieces of the scored file: repeated input columns, then the output columns.

Pieces one after the other are the file, compressed or not; pieces of Parquet are joined.
"""

import csv
import gzip
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from itertools import compress
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import zstandard
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from functions.batch.formats.layout import Layout, OutputOptions
from functions.batch.formats.sql import literal
from functions.batch.scoring.columns import OutputColumn
from functions.batch.scoring.selection import Selection, column_name
from sklambda.arrays import Flags
from sklambda.reading.suffixes import Compression
from sklambda.signature import Signature

_GZIP_LEVEL: Final = 1
"""The default takes seven times as long for 7 % less."""

_JSON_LINES: Final = r"FORMAT csv, HEADER false, DELIMITER E'\x01', QUOTE E'\x02', ESCAPE E'\x02'"
"""JSON unchanged: it holds no character that would be quoted."""

_PARQUET: Final[dict[Compression, str]] = {
    "none": "uncompressed",
    "gzip": "gzip",
    "zstd": "zstd",
}


class Writer:
    """Writes the pieces of one scored file.

    Parameters and errors are those of `Selection`.
    """

    def __init__(
        self,
        layout: Layout,
        options: OutputOptions,
        signature: Signature,
        columns: Sequence[OutputColumn],
    ) -> None:
        self._selection = Selection(layout, options, signature, columns)
        self._format = options.format
        self._inside = options.compression
        self._outside: Compression = "none" if self._format == "parquet" else self._inside
        as_input = layout.format == "csv"
        self._dialect = (layout.delimiter, '"') if as_input else (",", '"')

    def write(
        self,
        con: DuckDBPyConnection,
        good: Flags,
        columns: Sequence[OutputColumn],
        path: Path,
        header: bool,
        lines: bytes | None = None,
    ) -> int:
        """Write a piece.

        Parameters
        ----------
        con : DuckDBPyConnection
            Has the table `records` of an `EncodedSlice`.
        good : Flags
            Which of its rows are written.
        columns : sequence of OutputColumn
            The output of these rows, in their order.
        path : Path
            The file to write.
        header : bool
            Whether the piece begins the scored file.
        lines : bytes or None
            The rows of `records` as lines of CSV, if they would be written so.

        Returns
        -------
        int
            Number of rows written.
        """
        body = path.with_name(f"{path.name}.body")
        outputs = [self._representable(column, int(good.sum())) for column in columns]
        con.register("outputs", _arrays(outputs))
        con.register("good", {"good": good})
        try:
            rows = self._repeat_lines(con, outputs, good, lines, body)
            if rows is None:
                rows = self._copy(con, self._query(con, outputs, bool(good.all())), body)
            _compress_file(body, self._header() if header else b"", self._outside, path)
        finally:
            con.unregister("outputs")
            con.unregister("good")
            body.unlink(missing_ok=True)
        return rows

    def _repeat_lines(
        self,
        con: DuckDBPyConnection,
        columns: Sequence[OutputColumn],
        good: Flags,
        lines: bytes | None,
        body: Path,
    ) -> int | None:
        """Write the output at the ends of the input's lines; None if that is impossible."""
        if lines is None or not self._selection.repeats_lines:
            return None
        rows = self._copy(
            con, f"SELECT {self._selection.outputs_sql(columns)} FROM outputs o", body
        )
        content = extend_lines(lines, good, body.read_bytes())
        if content is None:
            return None
        body.write_bytes(content)
        return rows

    def _query(self, con: DuckDBPyConnection, columns: Sequence[OutputColumn], whole: bool) -> str:
        good = "(SELECT k.* FROM records k POSITIONAL JOIN good g WHERE g.good)"
        source = f"{'records' if whole else good} r POSITIONAL JOIN outputs o"
        return f"SELECT {self._selection.sql(con, columns)} FROM {source}"

    def _copy(self, con: DuckDBPyConnection, query: str, body: Path) -> int:
        copy = f"COPY ({query}) TO {literal(str(body))} ({self._copy_options()})"
        ((rows,),) = con.execute(copy).fetchall()
        return int(rows)

    def _copy_options(self) -> str:
        if self._format == "parquet":
            return f"FORMAT parquet, COMPRESSION {_PARQUET[self._inside]}"
        if self._format == "json_lines":
            return _JSON_LINES
        delimiter, quote = map(literal, self._dialect)
        return (
            f"FORMAT csv, HEADER false, NULLSTR '', DELIMITER {delimiter}, "
            f"QUOTE {quote}, ESCAPE {quote}"
        )

    def _header(self) -> bytes:
        if self._format != "csv":
            return b""
        text = StringIO(newline="")
        delimiter, quote = self._dialect
        writer = csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator="\n")
        writer.writerow(self._selection.names)
        return text.getvalue().encode()

    def _representable(self, column: OutputColumn, rows: int) -> OutputColumn:
        """Replace what the format cannot hold; DuckDB itself reads NaN as NULL.

        Only Parquet holds infinity. There a constant becomes an array: of a constant, DuckDB
        writes into the schema that it is never null, and pieces must have one schema.
        """
        values = column.values
        if self._format != "parquet":
            return column if isinstance(values, str) else replace(column, values=_finite(values))
        if isinstance(values, str):
            return replace(column, values=np.full(rows, values, dtype=object))
        return column


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    infinite = values.dtype.kind == "f" and bool(np.isinf(values).any())
    return np.where(np.isfinite(values), values, np.nan) if infinite else values


def _arrays(columns: Sequence[OutputColumn]) -> dict[str, NDArray[Any]]:
    return {
        column_name(place): column.values
        for place, column in enumerate(columns)
        if not isinstance(column.values, str)
    }


def extend_lines(lines: bytes, good: Flags, outputs: bytes) -> bytes | None:
    """Append a line of output to each line of input.

    Parameters
    ----------
    lines : bytes
        One for each of `good`; the last one may lack its end.
    good : Flags
        Which lines are written.
    outputs : bytes
        A line for each that is written.

    Returns
    -------
    bytes or None
        None where an output takes several lines.
    """
    ends = outputs.split(b"\n")[:-1]
    if len(ends) != int(good.sum()):
        return None
    if not good.all():
        lines = b"\n".join(compress(lines.split(b"\n"), good.tolist()))
    if ends and not lines.endswith(b"\n"):
        lines += b"\n"
    # Formatting copies all that is between two outputs at once; a list of lines and outputs would
    # take as long as the rest of this module.
    template = lines.replace(b"%", b"%%").replace(b"\n", b"%b\n")
    return template % tuple(ends)


def _compress_file(body: Path, header: bytes, compression: Compression, path: Path) -> None:
    """Write `header` and the content of `body`, which is removed, to `path`."""
    if compression == "none" and not header:
        body.replace(path)
        return
    with body.open("rb") as plain, _open_compressed(path, compression) as packed:
        packed.write(header)
        shutil.copyfileobj(plain, packed, 2**20)
    body.unlink()


@contextmanager
def _open_compressed(path: Path, compression: Compression) -> Iterator[IO[bytes] | gzip.GzipFile]:
    with path.open("wb") as file:
        if compression == "none":
            yield file
        elif compression == "gzip":
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as member:
                yield member
        else:
            with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as frame:
                yield frame
