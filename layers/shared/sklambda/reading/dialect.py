"""How the records of a CSV file are written."""

from dataclasses import dataclass
from typing import Final

BLANKS: Final = " \t\u00a0\u2007\u202f\ufeff"
"""What is removed around a cell where blanks are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the records of a CSV file are written.

    Attributes
    ----------
    delimiter : str
        Separates cells.
    quote : str
        Encloses a cell that holds a delimiter or a line end; empty for none.
    escape : str or None
        Precedes a quote inside of a quoted cell, and a delimiter or a line end elsewhere; None for
        doubled quotes.
    comment : str or None
        Begins lines that are no records.
    trim : bool
        Whether blanks around a cell are removed.
    width : int or None
        The number of cells of a record, if it is known.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    comment: str | None = None
    trim: bool = False
    width: int | None = None

    def is_plain(self, record: bytes) -> bool:
        """Check whether a record has neither quotes nor escapes: each delimiter separates cells."""
        return not any(sign and sign.encode() in record for sign in (self.quote, self.escape))

    def is_scanned(self, content: bytes) -> bool:
        """Check whether records can be found by their quotes and line ends alone."""
        return not any(sign and sign.encode() in content for sign in (self.escape, self.comment))
