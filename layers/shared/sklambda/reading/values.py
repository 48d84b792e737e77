"""What the cells of a column mean: the values that a client would send in JSON."""

import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from sklambda.reading.records import Cell
from sklambda.reading.rules import Reading, time_zone

type Parse = Callable[[str], object]

MISSING: Final = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""The words that pandas reads as missing values in CSV."""

BINARY_DIGITS: Final = {"1": True, "0": False}
BOOLEANS: Final = {"true": True, "false": False}

_EXACT: Final = 2**53
_MAX_DIGITS: Final = 400
_SIGNS: Final = "+-"


def missing_words(reading: Reading, vocabulary: Collection[str] = ()) -> frozenset[str]:
    """Return the cells that mean a missing value; a known category is none of them."""
    words = frozenset(("", *reading.missing)) | (
        MISSING if reading.default_missing else frozenset()
    )
    known = words.intersection(vocabulary)
    # With blanks removed, an empty cell is the same with quotes and without.
    return words - (known - {""} if reading.trim else known) if known else words


def cell_parser(
    reading: Reading, name: str, kind: str, vocabulary: Collection[str] = ()
) -> Callable[[Cell], object]:
    """Return the function from a cell to the value that JSON would have.

    Parameters
    ----------
    reading : Reading
        The rules.
    name : str
        The column.
    kind : str
        A kind of `sklambda.signature`.
    vocabulary : collection of str
        Categories that are known.

    Returns
    -------
    callable
        Returns None for a missing value, and the text of a cell that has no value of the kind,
        which the codec refuses.
    """
    missing, parse = missing_words(reading, vocabulary), _parser(reading, name, kind)
    return lambda cell: None if cell is None or cell in missing else parse(cell)


def _parser(reading: Reading, name: str, kind: str) -> Parse:
    match kind:
        case "number":
            return number_parser(reading)
        case "integer":
            return _integer_parser(reading)
        case "boolean":
            return boolean_parser(reading)
        case "datetime":
            return datetime_parser(reading, name)
    return str


def _integer_parser(reading: Reading) -> Parse:
    number = number_parser(reading)

    def parse(cell: str) -> object:
        value = number(cell)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return parse


def number_parser(reading: Reading) -> Parse:
    """Return the function that reads a number, whole ones past 2^53 as an int."""
    parse = _number if reading.decimal == "." else _grouped(reading)
    if reading.thousands is not None:
        parse = _grouped(reading)
    if not reading.units:
        return parse
    units = "|".join(map(re.escape, sorted(reading.units, key=len, reverse=True)))
    around = re.compile(
        rf"[ \t]*([+-]?)[ \t]*(?:{units})?[ \t]*([^ \t].*?)[ \t]*(?:{units})?[ \t]*"
    )

    def without_unit(cell: str) -> object:
        found = around.fullmatch(cell)
        number = parse(found[1] + found[2]) if found else cell
        return cell if isinstance(number, str) else number

    return without_unit


def _grouped(reading: Reading) -> Parse:
    """Return the function that reads a number with its own signs before decimals or thousands."""
    decimal, thousands = re.escape(reading.decimal), reading.thousands
    groups = "" if thousands is None else rf"|[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+"
    written = re.compile(
        rf"[ \t]*([+-]?)((?:[0-9]+{groups})?)(?:{decimal}([0-9]*))?((?:[eE][+-]?[0-9]+)?)[ \t]*"
    )

    def parse(cell: str) -> object:
        found = written.fullmatch(cell)
        if found is None or not (found[2] or found[3]):
            return cell
        sign, whole, fraction, exponent = found.groups(default="")
        digits = whole.replace(thousands, "") if thousands else whole
        point = f".{fraction}" if fraction or not digits else ""
        return _number(f"{sign}{digits}{point}{exponent}")

    return parse


def _number(cell: str) -> object:
    if "_" in cell:
        return cell
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if abs(number) < _EXACT else _large(cell, number)


def _large(cell: str, number: float) -> object:
    """Read a whole number as an int: a float would hide digits past 2^53."""
    digits = cell.strip().lstrip(_SIGNS)
    if not digits.isdecimal():
        return number
    # Python refuses to parse thousands of digits; any number as large is refused alike.
    return int(cell) if len(digits) < _MAX_DIGITS else 10**_MAX_DIGITS


def boolean_parser(reading: Reading) -> Parse:
    """Return the function that reads a boolean."""
    words = dict.fromkeys(reading.true, True) | dict.fromkeys(reading.false, False)

    def parse(cell: str) -> object:
        if cell in words:
            return words[cell]
        return BOOLEANS.get(cell.lower(), BINARY_DIGITS.get(cell, cell))

    return parse


def datetime_parser(reading: Reading, name: str) -> Parse:
    """Return the function that reads a date and time as text in ISO 8601 without an offset."""
    form = reading.dates.get(name)
    if form is None and reading.zone is None:
        return str
    zone = None if reading.zone is None else time_zone(reading.zone)

    def parse(cell: str) -> object:
        try:
            found = datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)
        except ValueError:
            return cell
        if found.tzinfo is not None and zone is not None:
            found = found.astimezone(zone).replace(tzinfo=None)
        elif form is None:
            return cell  # with all its digits
        return found.isoformat()

    return parse
