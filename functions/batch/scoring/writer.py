"""What was answered, beside what is kept of the input, as a piece of the scored file."""

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

from functions.batch.formats.layout import Answering, Compression, Layout
from functions.batch.formats.sql import literal
from functions.batch.scoring.columns import Column
from functions.batch.scoring.selection import Selection, name_of
from sklambda.arrays import Flags
from sklambda.signature import Signature


def behind(lines: bytes, good: Flags, answers: bytes) -> bytes | None:
    """Put an answer behind each line.

    Parameters
    ----------
    lines : bytes
        One for each of `good`; the last one may lack its end.
    good : Flags
        Which lines are written.
    answers : bytes
        A line for each that is written.

    Returns
    -------
    bytes or None
        None where an answer takes several lines.
    """
    ends = answers.split(b"\n")[:-1]
    if len(ends) != int(good.sum()):
        return None
    if not good.all():
        lines = b"\n".join(compress(lines.split(b"\n"), good.tolist()))
    if ends and not lines.endswith(b"\n"):
        lines += b"\n"
    # Formatting copies all that is between two answers at once, where a list of lines and answers
    # takes as long as all else that is done here.
    template = lines.replace(b"%", b"%%").replace(b"\n", b"%b\n")
    return template % tuple(ends)


_GZIP_LEVEL: Final = 1
"""The default takes seven times as long for 7 % less."""


def pack(body: Path, head: bytes, compression: Compression, path: Path) -> None:
    """Write `head` and the file `body`, which is gone then, to `path`."""
    if compression == "none" and not head:
        body.replace(path)
        return
    with body.open("rb") as plain, _opened(path, compression) as packed:
        packed.write(head)
        shutil.copyfileobj(plain, packed, 2**20)
    body.unlink()


@contextmanager
def _opened(path: Path, compression: Compression) -> Iterator[IO[bytes] | gzip.GzipFile]:
    with path.open("wb") as file:
        if compression == "none":
            yield file
        elif compression == "gzip":
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as member:
                yield member
        else:
            with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as frame:
                yield frame


_JSON_LINES: Final = r"FORMAT csv, HEADER false, DELIMITER E'\x01', QUOTE E'\x02', ESCAPE E'\x02'"
"""JSON as it is: none holds what would have to be quoted."""

_PARQUET: Final[dict[Compression, str]] = {
    "none": "uncompressed",
    "gzip": "gzip",
    "zstd": "zstd",
}


class Writer:
    """Writes the pieces of one scored file; takes and raises what `Selection` does."""

    def __init__(
        self,
        layout: Layout,
        answering: Answering,
        signature: Signature,
        columns: Sequence[Column],
    ) -> None:
        self._selection = Selection(layout, answering, signature, columns)
        self._format = answering.format
        self._inside = answering.compression
        self._outside: Compression = "none" if self._format == "parquet" else self._inside
        as_input = layout.format == "csv"
        self._dialect = (layout.delimiter, layout.quote) if as_input else (",", '"')

    def write(
        self,
        con: DuckDBPyConnection,
        good: Flags,
        columns: Sequence[Column],
        path: Path,
        header: bool,
        lines: bytes | None = None,
    ) -> int:
        """Write a piece.

        Parameters
        ----------
        con : DuckDBPyConnection
            Has the table `records` of a `Reading`.
        good : Flags
            Which of its rows are written.
        columns : sequence of Column
            What is answered to these rows, in their order.
        path : Path
            Where to.
        header : bool
            Whether the piece begins the file.
        lines : bytes or None
            The rows of `records` as CSV, each a line, if they would be written so.

        Returns
        -------
        int
            How many rows were written.
        """
        body = path.with_name(f"{path.name}.body")
        answer = [self._fit(column, int(good.sum())) for column in columns]
        con.register("answers", _arrays(answer))
        con.register("good", {"good": good})
        try:
            rows = self._repeat(con, answer, good, lines, body)
            if rows is None:
                rows = self._copy(con, self._query(con, answer, bool(good.all())), body)
            pack(body, self._head() if header else b"", self._outside, path)
        finally:
            con.unregister("answers")
            con.unregister("good")
            body.unlink(missing_ok=True)
        return rows

    def _repeat(
        self,
        con: DuckDBPyConnection,
        columns: Sequence[Column],
        good: Flags,
        lines: bytes | None,
        body: Path,
    ) -> int | None:
        """Write the answer alone, and lines before it as they are; None if it cannot be done."""
        if lines is None or not self._selection.repeats_lines:
            return None
        rows = self._copy(con, f"SELECT {self._selection.end(columns)} FROM answers a", body)
        whole = behind(lines, good, body.read_bytes())
        if whole is None:
            return None
        body.write_bytes(whole)
        return rows

    def _query(self, con: DuckDBPyConnection, columns: Sequence[Column], whole: bool) -> str:
        picked = "(SELECT k.* FROM records k POSITIONAL JOIN good g WHERE g.good)"
        source = f"{'records' if whole else picked} r POSITIONAL JOIN answers a"
        return f"SELECT {self._selection.sql(con, columns)} FROM {source}"

    def _copy(self, con: DuckDBPyConnection, query: str, body: Path) -> int:
        copy = f"COPY ({query}) TO {literal(str(body))} ({self._options()})"
        ((rows,),) = con.execute(copy).fetchall()
        return int(rows)

    def _options(self) -> str:
        if self._format == "parquet":
            return f"FORMAT parquet, COMPRESSION {_PARQUET[self._inside]}"
        if self._format == "json_lines":
            return _JSON_LINES
        delimiter, quote = map(literal, self._dialect)
        return (
            f"FORMAT csv, HEADER false, NULLSTR '', DELIMITER {delimiter}, "
            f"QUOTE {quote}, ESCAPE {quote}"
        )

    def _head(self) -> bytes:
        if self._format != "csv":
            return b""
        text = StringIO(newline="")
        delimiter, quote = self._dialect
        writer = csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator="\n")
        writer.writerow(self._selection.names)
        return text.getvalue().encode()

    def _fit(self, column: Column, rows: int) -> Column:
        """Leave what the format has a word for; DuckDB itself reads NaN as NULL.

        Parquet has a word for infinity. Of a constant DuckDB writes into the schema that it is
        never absent, and pieces with other schemas would be no file.
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


def _arrays(columns: Sequence[Column]) -> dict[str, NDArray[Any]]:
    return {
        name_of(place): column.values
        for place, column in enumerate(columns)
        if not isinstance(column.values, str)
    }
