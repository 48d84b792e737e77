"""How an input is to be read: found once, from its head, and the same for all of its parts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from functions.batch.formats.reading import ROW
from sklambda.errors import InputRefused
from sklambda.signature import Signature

_MOST_NAMED: Final = 5


def require_columns(columns: Sequence[str], signature: Signature) -> None:
    """Raise `InputRefused` unless each feature is one of the columns, and no two have one name."""
    absent = [name for name in signature.names if name not in columns]
    if len(absent) == len(signature.names):
        detail = "no column is named as a feature is"
        raise InputRefused("no_header", detail + _alike(absent, columns))
    if absent:
        detail = f"there is no column {_list(absent)}"
        raise InputRefused("columns_absent", detail + _alike(absent, columns))
    # A table of the database has no two names that differ in nothing but capitals.
    counts = Counter(name.lower() for name in (*columns, ROW))
    doubled = [place for place, name in enumerate(columns, 1) if counts[name.lower()] > 1]
    if doubled:
        places = ", ".join(map(str, doubled[:_MOST_NAMED]))
        raise InputRefused(
            "columns_doubled", f"the columns {places} have the same name, capitals aside"
        )


def _alike(absent: Sequence[str], columns: Sequence[str]) -> str:
    """Point to columns whose names differ by blanks or capitals; theirs might be values."""
    known = {_folded(name) for name in columns}
    near = [name for name in absent if _folded(name) in known]
    return f"; {_list(near)} is there with other blanks or capitals" if near else ""


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_MOST_NAMED]) + more


type Format = Literal["csv", "json_lines", "parquet"]
type Compression = Literal["none", "gzip", "zstd"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How an input is to be read.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        What it is.
    columns : tuple of str
        The names of its columns, in their order; JSON Lines have none.
    delimiter : str
        What stands between the cells of CSV.
    quote : str
        What encloses a cell of CSV that holds a delimiter or a line end.
    start : int
        The byte where the first record begins, behind a byte order mark and the header.
    """

    format: Format
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    start: int = 0


@dataclass(frozen=True, slots=True)
class Answering:
    """What the scored file is to hold.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        What it is.
    compression : {"none", "gzip", "zstd"}
        How it is compressed; Parquet inside of itself.
    keep : "all", "none" or tuple of str
        Which columns of the input it repeats, besides the row's id.
    explain : bool
        Whether the scores are explained.
    show : bool
        Whether a reject shows the value that was refused.
    """

    format: Format
    compression: Compression = "none"
    keep: str | tuple[str, ...] = "all"
    explain: bool = False
    show: bool = False
