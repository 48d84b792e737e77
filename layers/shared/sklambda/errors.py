"""The errors of sklambda.

SklambdaError
├── SettingsInvalid      a setting is absent or invalid
├── PackageRefused       a model package is absent, damaged or too new
├── DocumentInvalid      a JSON document does not fit its schema
├── ValueRefused         a value does not fit its feature
├── RowsInvalid          rows do not fit the signature
├── OutOfTime            some work was not done in the time that it had
├── InputRefused         a file is not a table of the model's features
└── ObjectReplaced       a stored object was replaced or removed
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class SklambdaError(Exception):
    """Base of all errors that sklambda and training raise."""


class SettingsInvalid(SklambdaError):
    """A setting is absent or invalid; the message names it."""


class PackageRefused(SklambdaError):
    """A model package is absent, damaged or too new; the message is one sentence."""


class DocumentInvalid(SklambdaError):
    """A document does not fit its schema; the message holds the place and no value."""


class FaultCode(StrEnum):
    """The kinds of faults of a row or one of its values."""

    ABSENT = "absent"
    NULL = "null"
    TYPE = "type"
    NOT_FINITE = "not_finite"
    NOT_INTEGRAL = "not_integral"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    IN_GAP = "in_gap"
    UNSEEN_CATEGORY = "unseen_category"
    NOT_A_DATETIME = "not_a_datetime"
    HAS_OFFSET = "has_offset"
    TOO_PRECISE = "too_precise"
    UNKNOWN_FEATURE = "unknown_feature"
    NOT_AN_OBJECT = "not_an_object"
    NO_SCORE = "no_score"


class ValueRefused(SklambdaError):
    """A value does not fit its feature; with its row and feature it becomes a `Fault`.

    Attributes
    ----------
    code : FaultCode
        For programs.
    detail : str
        For people; never holds the value.
    """

    def __init__(self, code: FaultCode, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a row, or of one of its values.

    Attributes
    ----------
    row : int
        Position of the row, from 0.
    feature : str or None
        The name of the feature; None for a fault of the row as a whole.
    code : FaultCode
        For programs.
    detail : str
        For people; never holds a value of the row.
    """

    row: int
    feature: str | None
    code: FaultCode
    detail: str

    @property
    def place(self) -> tuple[int] | tuple[int, str]:
        """The row and, if any, the feature."""
        return (self.row,) if self.feature is None else (self.row, self.feature)


class RowsInvalid(SklambdaError):
    """Some rows do not fit the signature; no row was scored.

    Attributes
    ----------
    faults : tuple of Fault
        All faults, in the order of rows and features.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        place = f"row {first.row}" + (f", {first.feature}" if first.feature else "")
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{place}: {first.detail}{more}")

    def good_rows(self, count: int) -> list[int]:
        """Return the positions of the rows without a fault, of `count` rows."""
        bad = {fault.row for fault in self.faults}
        return [row for row in range(count) if row not in bad]


class OutOfTime(SklambdaError):
    """Some work was not done in the time that it had.

    Attributes
    ----------
    done : int
        The number of rows that were done.
    """

    def __init__(self, done: int = 0) -> None:
        super().__init__(f"the time was over after {done} rows")
        self.done = done


class InputRefused(SklambdaError):
    """A file cannot be scored as a whole.

    Attributes
    ----------
    code : str
        For programs.
    detail : str
        One sentence for people; never holds a value.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class ObjectReplaced(SklambdaError):
    """An object was replaced or removed after it was found; the message names its key."""
