"""Parquet files, written and read by DuckDB."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb

TYPES: Final = """
SELECT * EXCLUDE (empty_struct) FROM test_all_types()
"""
"""Every type of DuckDB: its least value, its greatest and NULL."""


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def write(query: str, path: Path, **options: Any) -> None:
    """Write the result of a query; options are those of ``COPY``."""
    stated = "".join(f", {name} {value!r}" for name, value in options.items())
    _connection().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{stated})")


def read(query: str, path: Path) -> list[Any]:
    """Return the rows of a query in which ``$1`` is the file."""
    return _connection().execute(query, [str(path)]).fetchall()


def texts(path: Path) -> list[Any]:
    """Return all rows, each cast to a text."""
    return read("SELECT whole::VARCHAR FROM read_parquet($1) AS whole", path)
