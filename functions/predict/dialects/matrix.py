"""Numeric matrices without names: a column for each feature, in the order of the signature."""

from collections.abc import Iterable
from typing import Final

from sklambda.signature import Kind, Signature

_NUMERIC: Final[frozenset[Kind]] = frozenset({"number", "integer", "boolean"})


def why_refused(signature: Signature) -> str | None:
    """Return why a model accepts no matrix of numbers; None where it does."""
    for name, kind in signature.kinds.items():
        if kind not in _NUMERIC:
            return f"{name!r} is not numeric ({kind})"
    return None


def to_booleans(values: Iterable[object]) -> list[object]:
    """Return the values of a boolean feature from 0 and 1; others stay, and the codec refuses them.

    A matrix has one datatype, which cannot be that of a boolean beside a number.
    """
    return [bool(value) if _is_bit(value) else value for value in values]


def _is_bit(value: object) -> bool:
    return isinstance(value, (int, float)) and value in (0, 1)
