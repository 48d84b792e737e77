"""Some row groups of a Parquet object, as a local file that has holes where the others are."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from functions.batch.parquet_footer import MAGIC, Footer, RowGroup
from sklambda.storage import Storage, Stored

_CHUNK: Final = 8 << 20


def fetch(
    storage: Storage, stored: Stored, footer: Footer, groups: Iterable[RowGroup], path: Path
) -> None:
    """Write a file of which these row groups can be read, and no others.

    Its rows have the numbers that they have in the object, and it takes as much of the disk as
    the row groups and the footer do. Bloom filters and page indexes are not in it: it may be
    asked for rows by their numbers (``file_row_number`` of DuckDB), not by their values.

    Parameters
    ----------
    storage : Storage
        Where the object is.
    stored : Stored
        The object.
    footer : Footer
        Of the object.
    groups : iterable of RowGroup
        Those to fetch.
    path : Path
        The file; what is there is replaced.

    Raises
    ------
    ObjectReplaced
        If the object is no longer what was found.
    """
    with path.open("wb") as file:
        file.write(MAGIC)
        for group in groups:
            file.seek(group.start)
            for start in range(group.start, group.stop, _CHUNK):
                file.write(storage.read(stored, start, min(start + _CHUNK, group.stop)))
        file.seek(footer.start)
        file.write(footer.ending)
