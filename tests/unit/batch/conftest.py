"""What the tests of writing share."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from functions.batch.formats.layout import Layout, OutputOptions
from functions.batch.formats.sql import connect
from functions.batch.scoring.columns import OutputColumn
from functions.batch.scoring.writer import Writer
from sklambda.reading.suffixes import Compression, Format
from sklambda.signature import Signature, Target
from tests.support.output_tables import BINARY, CSV, FEATURES, Write


@pytest.fixture
def con(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with connect(tmp_path) as con:
        yield con


@pytest.fixture
def write(con: DuckDBPyConnection, tmp_path: Path) -> Write:
    """Write a piece of the rows in the table."""

    def write(
        columns: Sequence[OutputColumn],
        into: Format = "csv",
        layout: Layout = CSV,
        keep: str | tuple[str, ...] = "all",
        compression: Compression = "none",
        bad: Sequence[int] = (),
        header: bool = True,
        target: Target = BINARY,
    ) -> bytes:
        options = OutputOptions(into, compression, keep)
        signature = Signature(features=FEATURES, target=target, row_id="id")
        ((rows,),) = con.execute("SELECT count(*) FROM records").fetchall()
        good = ~np.isin(np.arange(rows), bad)
        path = tmp_path / "piece"
        writer = Writer(layout, options, signature, columns)
        assert writer.write(con, good, columns, path, header) == good.sum()
        return path.read_bytes()

    return write
