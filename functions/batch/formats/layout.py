"""How an input is laid out and what the scored file holds; both hold for all parts of a job."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from functions.batch.formats.slices import ROW
from sklambda.errors import InputRefused
from sklambda.reading.dialect import Dialect
from sklambda.reading.suffixes import Compression, Format
from sklambda.signature import Signature

_MAX_NAMES: Final = 5
"""Names or numbers of columns in one message."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How an input is laid out.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        Its format.
    columns : tuple of str
        Names of its columns in order; empty for JSON Lines.
    delimiter : str
        Separates the cells of CSV.
    quote : str
        Encloses a cell of CSV that holds a delimiter or a line end.
    start : int
        Byte where the first record begins, after a byte order mark and the header.
    escape, comment, trim
        As in `sklambda.reading.dialect.Dialect`.
    encoding : str
        Of the input's bytes; positions count those of UTF-8.
    """

    format: Format
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    start: int = 0
    escape: str | None = None
    comment: str | None = None
    trim: bool = False
    encoding: str = "utf-8"

    @property
    def dialect(self) -> Dialect | None:
        """How the records of CSV are written; None for other formats."""
        if self.format != "csv":
            return None
        return Dialect(
            delimiter=self.delimiter,
            quote=self.quote,
            escape=self.escape,
            comment=self.comment,
            trim=self.trim,
            width=len(self.columns),
        )


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What the scored file and the rejects file hold.

    Attributes
    ----------
    format : {"csv", "json_lines", "parquet"}
        Format of the scored file.
    compression : {"none", "gzip", "zstd"}
        Compression of the file; for Parquet that of its pages.
    keep : "all", "none" or tuple of str
        Input columns to repeat, besides the row id.
    explain : bool
        Whether the scores are explained.
    show_values : bool
        Whether a reject holds the refused value.
    """

    format: Format
    compression: Compression = "none"
    keep: str | tuple[str, ...] = "all"
    explain: bool = False
    show_values: bool = False


def require_columns(columns: Sequence[str], signature: Signature) -> None:
    """Raise `InputRefused` unless every feature has a column and all names are different."""
    absent = [name for name in signature.names if name not in columns]
    similar = _similar(absent, columns)
    if len(absent) == len(signature.names):
        detail = f"no column matches a feature; {similar or 'is the header line missing?'}"
        raise InputRefused("no_header", detail)
    if absent:
        detail = f"missing columns: {_list(absent)}" + (f"; {similar}" if similar else "")
        raise InputRefused("columns_absent", detail)
    # DuckDB compares the names of columns without case.
    counts = Counter(name.lower() for name in (*columns, ROW))
    duplicates = [place for place, name in enumerate(columns, 1) if counts[name.lower()] > 1]
    if duplicates:
        places = ", ".join(map(str, duplicates[:_MAX_NAMES]))
        raise InputRefused(
            "columns_doubled", f"columns {places} have the same name (case is ignored)"
        )


def _similar(absent: Sequence[str], columns: Sequence[str]) -> str:
    """Return a hint at features whose columns differ in blanks or case.

    Names in the input are not repeated: without a header they are values.
    """
    folded = {_folded(name) for name in columns}
    similar = [name for name in absent if _folded(name) in folded]
    return f"the input spells {_list(similar)} with other blanks or case" if similar else ""


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(f"`{name}`" for name in names[:_MAX_NAMES]) + more
