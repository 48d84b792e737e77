"""Why sklambda says no.

SklambdaError
├── SettingsInvalid      a setting is absent or has no sense
├── PackageRefused       a model package is damaged, foreign or too new
├── DocumentInvalid      a part of a package, or of a new one, is not as it must be
├── ValueRefused         one value that its feature does not admit
├── RowsInvalid          rows that the model's signature does not admit
├── InputRefused         a file that is no table of the model's features
└── ObjectReplaced       an object is no longer what it was when it was found
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class SklambdaError(Exception):
    """Base of all errors that sklambda raises on purpose."""


class SettingsInvalid(SklambdaError):
    """A setting is absent or has no sense; the message names it."""


class PackageRefused(SklambdaError):
    """A model package cannot be trusted; the message is one sentence."""


class DocumentInvalid(SklambdaError):
    """A document is not what its members say; the message names the place and holds no value."""


class FaultCode(StrEnum):
    """What can be wrong with one value of one row."""

    ABSENT = "absent"
    NULL = "null"
    TYPE = "type"
    NOT_FINITE = "not_finite"
    NOT_INTEGRAL = "not_integral"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    UNSEEN_CATEGORY = "unseen_category"
    NOT_A_DATETIME = "not_a_datetime"
    HAS_OFFSET = "has_offset"
    TOO_PRECISE = "too_precise"
    UNKNOWN_FEATURE = "unknown_feature"
    NOT_AN_OBJECT = "not_an_object"


class ValueRefused(SklambdaError):
    """A value does not fit its feature; a `Fault` once its place is known.

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
    """One thing that is wrong with one row.

    Attributes
    ----------
    row : int
        Position of the row, from 0.
    feature : str or None
        The feature's name; None where the row as a whole is at fault.
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
        """The row, and the feature where there is one."""
        return (self.row,) if self.feature is None else (self.row, self.feature)


class RowsInvalid(SklambdaError):
    """Some rows do not fit the signature; nothing was scored.

    Attributes
    ----------
    faults : tuple of Fault
        All of them, in the order of rows and features.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        place = f"row {first.row}" + (f", {first.feature}" if first.feature else "")
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{place}: {first.detail}{more}")


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
