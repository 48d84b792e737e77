"""The database that reads and writes tables."""

from pathlib import Path
from typing import Final

import duckdb

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
