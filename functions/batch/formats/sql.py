"""The database that reads and writes tables, and the pieces of SQL that all formats share."""

from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from sklambda.signature import Feature

_MEMORY: Final = "384MB"


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, on one thread, whose overflow goes to `folder`."""
    con = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": _MEMORY,
            "temp_directory": str(folder),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("set enable_progress_bar = false")
    return con


def identifier(name: str) -> str:
    """Return a name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text, quoted."""
    return "'" + text.replace("'", "''") + "'"


def category_code(con: DuckDBPyConnection, feature: Feature, place: int, column: str) -> str:
    """Return SQL of a category's code: NaN for null, and null for an unseen category."""
    if any("\0" in category for category in feature.vocabulary):
        return "null::double"  # SQL has no literal for a NUL
    vocabulary = ", ".join(map(literal, feature.vocabulary))
    con.execute(f"create or replace type category_{place} as enum ({vocabulary})")
    return f"enum_code(try_cast({column} as category_{place}))::double"


def or_missing(column: str, code: str) -> str:
    """Return SQL of a code, or NaN where the column is null."""
    return f"coalesce({code}, case when {column} is null then 'nan'::double end)"
