"""The rules of reading that a training run states and its package keeps."""

import re
from datetime import UTC, timedelta, timezone
from typing import Final

from sklambda.document import Document
from sklambda.errors import DocumentInvalid

_LINE_ENDS: Final = "\r\n"
_OF_NUMBERS: Final = "0123456789 \t+-.,eE"
_OFFSET: Final = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


class Reading(Document):
    r"""How the text of a file becomes values; a file in JSON Lines or Parquet has values already.

    Attributes
    ----------
    encoding : str or None
        Of the bytes, by its name in Python; None for UTF-8 or what a byte order mark says.
    delimiter : str or None
        Separates cells; None for the one of comma, semicolon, tab and | that fits the header.
    quote : str
        Encloses a cell that holds a delimiter or a line end; empty for none.
    escape : str or None
        Precedes a quote inside of a cell; None for doubled quotes, or a backslash where only that
        makes all records of the beginning of a file equally long.
    names : tuple of str
        The columns of a file without a header.
    skip : int
        Lines before the header.
    comment : str or None
        Begins lines that are no records.
    trim : bool
        Whether blanks around a cell are removed.
    decimal : str
        The sign before decimals.
    thousands : str or None
        The sign between groups of three digits.
    units : tuple of str
        Signs and words before or after a number that are no part of it, as $ and %.
    missing : tuple of str
        Words that mean a missing value, besides those of pandas.
    default_missing : bool
        Whether the words of pandas do.
    true, false : tuple of str
        Spellings of booleans, besides true and false in any case, and 1 and 0.
    dates : dict of str to str
        The formats of columns with dates, as ``strptime`` has them; ISO 8601 for the others.
    zone : str or None
        UTC, or an offset such as +01:00, to which dates with an offset are converted; None refuses
        dates with one.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    escape: str | None = None
    names: tuple[str, ...] = ()
    skip: int = 0
    comment: str | None = None
    trim: bool = False
    decimal: str = "."
    thousands: str | None = None
    units: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    default_missing: bool = True
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    dates: dict[str, str] = {}  # noqa: RUF012 - a Document is immutable
    zone: str | None = None

    def validate(self) -> None:
        """Raise `DocumentInvalid` for signs and spellings that contradict each other."""
        self._validate_signs()
        if self.skip < 0:
            raise DocumentInvalid(f"skip must be at least 0, got {self.skip}")
        if both := {*self.true} & {*self.false}:
            raise DocumentInvalid(f"true and false must be spelt differently, got {min(both)!r}")
        if len(set(self.names)) != len(self.names):
            raise DocumentInvalid("names must be different")
        if not all(unit.strip(_OF_NUMBERS) for unit in self.units):
            raise DocumentInvalid("units must be signs or words that are no part of a number")
        if self.encoding is not None:
            _require_encoding(self.encoding)
        if self.zone is not None:
            time_zone(self.zone)
        for column, form in self.dates.items():
            if "%" not in form:
                raise DocumentInvalid(
                    f"dates.{column} must be a format such as %d.%m.%Y, got {form!r}"
                )

    def _validate_signs(self) -> None:
        signs = {
            "delimiter": self.delimiter,
            "quote": self.quote or None,
            "escape": self.escape,
            "comment": self.comment,
        }
        for name, sign in signs.items():
            if sign is not None and not _is_sign(sign):
                raise DocumentInvalid(
                    f"{name} must be one ASCII character and no line end, got {sign!r}"
                )
        given = [sign for sign in signs.values() if sign is not None]
        if len(set(given)) < len(given):
            raise DocumentInvalid("delimiter, quote, escape and comment must be different")
        if self.decimal not in (".", ","):
            raise DocumentInvalid(f"decimal must be '.' or ',', got {self.decimal!r}")
        if self.thousands is not None and (
            self.thousands == self.decimal or self.thousands not in _THOUSANDS
        ):
            raise DocumentInvalid(
                "thousands must be one of '.', ',', \"'\", '_' and a blank, and not the decimal "
                f"sign, got {self.thousands!r}"
            )


_THOUSANDS: Final = (".", ",", "'", "_", " ", "\u00a0", "\u202f", "\u2019")


def _is_sign(sign: str) -> bool:
    return len(sign) == 1 and sign.isascii() and sign not in _LINE_ENDS and sign != "\0"


def _require_encoding(name: str) -> None:
    try:
        if "a".encode(name).decode(name) == "a":
            return
    except (LookupError, UnicodeError):
        pass
    raise DocumentInvalid(f"encoding must be one that Python knows, as latin-1, got {name!r}")


def time_zone(name: str) -> timezone:
    """Return UTC or a zone of a constant offset as +01:00; raises `DocumentInvalid`.

    Zones by the name of a place change their rules from one release of their database to the next,
    and a package must read the same everywhere.
    """
    if name == "UTC":
        return UTC
    found = _OFFSET.fullmatch(name)
    if found is None:
        raise DocumentInvalid(f"zone must be UTC or an offset such as +01:00, got {name!r}")
    sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
