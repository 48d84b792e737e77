"""Parquet files as DuckDB writes them, and what it reads of them."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb

TYPES: Final = """
SELECT * EXCLUDE (empty_struct) FROM test_all_types()
"""
"""All that DuckDB writes: every type, its least value, its greatest and NULL."""


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def write(query: str, path: Path, **options: Any) -> None:
    """Write what a query gives; options are those of ``COPY``."""
    stated = "".join(f", {name} {value!r}" for name, value in options.items())
    _connection().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{stated})")


def read(query: str, path: Path) -> list[Any]:
    """Give the rows of a query that names the file ``$1``."""
    return _connection().execute(query, [str(path)]).fetchall()


def texts(path: Path) -> list[Any]:
    """Give all rows, each as the text that DuckDB makes of it."""
    return read("SELECT whole::VARCHAR FROM read_parquet($1) AS whole", path)
