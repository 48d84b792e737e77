"""What the cells of CSV say: texts, to values as JSON would have them."""

from collections.abc import Callable
from typing import Final

from sklambda.signature import Feature, Kind
from sklambda.values import EXACT_INTEGER

type Parse = Callable[[str], object]

MISSING: Final = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""The words that pandas takes for missing where it reads CSV, as training does."""

_MOST_DIGITS: Final = 400

BITS: Final = {"1": True, "0": False}
_WORDS: Final = {"true": True, "false": False}


def parser(feature: Feature) -> Callable[[str | None], object]:
    """Make the function that reads a cell of one feature; what it cannot read stays a text."""
    missing = MISSING.difference(feature.vocabulary)
    parse = _PARSERS.get(feature.kind, str)
    return lambda cell: None if cell is None or cell in missing else parse(cell)


def _number(cell: str) -> object:
    if "_" in cell:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if abs(number) < EXACT_INTEGER else _great(cell, number)


def _great(cell: str, number: float) -> object:
    """Read what looks like a whole number as one: a float would hide digits past 2^53."""
    digits = cell.strip().lstrip("+-")
    if not digits.isdecimal():
        return number
    # Python refuses to read thousands of digits; which they are matters no more by then.
    return int(cell) if len(digits) < _MOST_DIGITS else 10**_MOST_DIGITS


def _boolean(cell: str) -> object:
    return (_WORDS | BITS).get(cell.lower(), cell)


_PARSERS: Final[dict[Kind, Parse]] = {"number": _number, "integer": _number, "boolean": _boolean}
