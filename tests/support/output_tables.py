"""Tables of input, output columns to write with them, and readers of the result."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection

from functions.batch.formats.layout import Layout
from functions.batch.scoring.columns import OutputColumn, prediction_columns
from sklambda.arrays import FloatMatrix
from sklambda.signature import Feature, Target

FEATURES = (
    Feature(name="age", kind="number", nullable=True),
    Feature(name="city", kind="category", nullable=True, vocabulary=("B",)),
)
BINARY = Target(task="binary", classes=("no", "yes"))
REGRESSION = Target(task="regression", scores="value", outputs=("y",))
WARNINGS = OutputColumn("warnings", ("warnings",), "VARCHAR", "")
NO_WARNINGS = OutputColumn("warnings", ("warnings",), "JSON", "[]")
CSV = Layout("csv", ("id", "age", "city"))
LINES = Layout("json_lines")
LINE = '{"age": 3.0, "a/b~\\"c": [1], "id": 7}'
ROWS = [("a", "1", "B"), ("b", "2.50", 'say "B", or\nnot'), ("c", None, "")]

type Write = Callable[..., bytes]
"""Writes a piece of the rows in the table."""


def fill(con: DuckDBPyConnection, rows: Sequence[Sequence[Any]], columns: str) -> None:
    con.execute(f'CREATE OR REPLACE TABLE records ("#" BIGINT, {columns})')
    marks = ", ".join("?" * (1 + len(rows[0]))) if rows else ""
    for place, row in enumerate(rows):
        con.execute(f"INSERT INTO records VALUES ({marks})", [place, *row])


def fill_texts(con: DuckDBPyConnection, rows: Sequence[Sequence[Any]] = ROWS) -> None:
    fill(con, rows, "id VARCHAR, age VARCHAR, city VARCHAR")


def scores(*second: float) -> FloatMatrix:
    return np.array([(1 - each, each) for each in second]).reshape(-1, 2)


def output_columns(*second: float) -> list[OutputColumn]:
    return [*prediction_columns(BINARY, scores(*second)), WARNINGS]


def json_output_columns(*second: float) -> list[OutputColumn]:
    return [*prediction_columns(BINARY, scores(*second)), NO_WARNINGS]


def cells_of(content: bytes) -> list[list[str]]:
    return [*csv.reader(content.decode().splitlines(keepends=True))]


def from_parquet(con: DuckDBPyConnection, content: bytes, names: str) -> list[tuple[Any, ...]]:
    """Return the columns of a Parquet file."""
    ((folder,),) = con.execute("SELECT current_setting('temp_directory')").fetchall()
    path = Path(folder, "read.parquet")
    path.write_bytes(content)
    return [*zip(*con.execute(f"SELECT {names} FROM '{path}'").fetchall(), strict=True)]
