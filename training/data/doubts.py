"""Columns of a file whose meaning is in doubt: refused, with the key that settles it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sklambda.datetimes import datetime_encoder
from sklambda.errors import ValueRefused
from sklambda.reading.records import Cell, trimmed
from sklambda.reading.rules import Reading
from sklambda.reading.values import missing_words, number_parser

_NEARLY_ALL: Final = 0.9
_MOST: Final = 0.5
_PLAIN: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_UNITS: Final = re.compile(
    # No other letters: a part of a value must not stand in a message.
    r"[$€£¥₹₽₩₺₴฿¢%‰°]|(?<![A-Za-z])(?:[A-Z]{3}(?<=EUR|USD|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|BRL))\b"
    r"|(?<=[0-9 ])(?:kg|g|mg|km|m|cm|mm|mi|ft|in|lbs?|oz|l|ml|h|min|s|ms|kWh?|hp|mph|cc|CC|bhp)\b"
)
_SPELT: Final = re.compile(
    # Thousands in groups of two or three, a sign behind, brackets for a minus, Excel's apostrophe.
    r"'?[-+\u2212(]?(?:[0-9]{1,3}(?:[.'][0-9]{3})+|[0-9]{1,3}(?:,[0-9]{2,3})+|[0-9]+)"
    r"(?:[.,][0-9]+)?[)-]?"
)
_INVISIBLE: Final = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff\u00ad")
_FORMATS: Final = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d"),
    *("%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y"),
    *("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d-%b-%y", "%d %B %Y", "%B %d, %Y"),
    *("%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"),
    *("%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"),
)
_COMPARED: Final = 2_000
"""Distinct cells that are tried with each format."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a column of categories may be instead.

    Attributes
    ----------
    column : str
        The column.
    looks_like : str
        What its cells look like, as the end of "looks like".
    keys : tuple of str
        Lines of TOML, each of which settles it.
    """

    column: str
    looks_like: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        keys = " or ".join(f"`{key}`" for key in self.keys)
        return f"column `{self.column}` looks like {self.looks_like}: state {keys}"


def doubt(name: str, cells: Sequence[Cell], reading: Reading) -> Doubt | None:
    """Return the doubt of a column that was inferred to hold categories; None without one."""
    missing = missing_words(reading)
    counts = Counter(cell for cell in cells if cell is not None and cell not in missing)
    if not counts:
        return None
    category = f'data.read.types.{key_of(name)} = "category"'
    for looks_like, keys in _suspicions(name, counts, reading):
        if keys:
            return Doubt(name, looks_like, (*keys, category))
    if _in_several_formats(counts):
        looks_like = "dates in several formats, of which the source must have one"
        return Doubt(name, looks_like, (category,))
    numbers = sum(count for cell, count in counts.items() if _PLAIN.fullmatch(trimmed(cell)))
    blank = sum(count for cell, count in counts.items() if not trimmed(cell))
    if blank and numbers + blank == counts.total():
        looks_like = "numbers, with blanks for missing ones"
        return Doubt(name, looks_like, ("data.read.trim = true", category))
    if reading.decimal == "," and numbers == counts.total():
        return Doubt(name, 'numbers, but not with `data.read.decimal = ","`', (category,))
    spelt = sum(n for cell, n in counts.items() if _is_spelt(cell, reading))
    if numbers < spelt and spelt >= _NEARLY_ALL * counts.total():
        looks_like = "numbers in several spellings (write them alike in the file, as -1234.5)"
        return Doubt(name, looks_like, (category,))
    if numbers > counts.total() * _MOST:
        others = counts.total() - numbers
        return Doubt(
            name,
            f"numbers in {numbers:,} records and texts in {others:,}",
            ('data.read.missing = ["the words that mean a missing number"]', category),
        )
    return None


def _is_spelt(cell: str, reading: Reading) -> bool:
    """Check whether a cell is a number in some spelling, with a unit that is stated or known."""
    plain = cell.translate(_INVISIBLE)
    for unit in reading.units:
        plain = plain.replace(unit, "")
    return bool(_SPELT.fullmatch(trimmed(_UNITS.sub("", plain))))


def _suspicions(
    name: str, counts: Counter[str], reading: Reading
) -> Iterator[tuple[str, list[str]]]:
    """Return what cells may look like, and the keys that say so; none where they do not."""
    yield "dates", _dates(name, counts)
    yield "numbers with signs between their digits", _numbers(counts, reading)
    units = _units(counts)
    listed = ", ".join(f'"{each}"' for each in units)
    united = reading.replace(units=(*reading.units, *units))
    found = _numbers(counts, united) if units else []
    if units and not found and _holds(counts, united):
        yield f"numbers with {listed}", [f"data.read.units = [{listed}]"]
    yield (
        f"numbers with {listed}",
        [f"data.read.units = [{listed}] with {key}" for key in found],
    )


def _numbers(counts: Counter[str], reading: Reading) -> list[str]:
    """Return the keys for the signs in numbers under which nearly all cells are some."""
    if reading.thousands is not None or reading.decimal != ".":
        return []
    signs = {
        'data.read.decimal = ","': {"decimal": ","},
        'data.read.decimal = "," with data.read.thousands = "."': {
            "decimal": ",",
            "thousands": ".",
        },
        'data.read.thousands = ","': {"thousands": ","},
        """data.read.thousands = "'\"""": {"thousands": "'"},
        'data.read.thousands = " "': {"thousands": " "},
    }
    found = [key for key, one in signs.items() if _holds(counts, reading.replace(**one))]
    if _holds(counts, reading):
        return []
    return [
        key for key in found if not any(key != other and key.startswith(other) for other in found)
    ]


def _holds(counts: Counter[str], reading: Reading) -> bool:
    number = number_parser(reading)
    fits = sum(n for cell, n in counts.items() if not isinstance(number(trimmed(cell)), str))
    return fits >= _NEARLY_ALL * counts.total()


def _dates(name: str, counts: Counter[str]) -> list[str]:
    if sum(n for cell, n in counts.items() if _is_iso(cell)) >= _NEARLY_ALL * counts.total():
        return [f'data.read.types.{key_of(name)} = "datetime"']
    # Most columns hold no dates: a look at the most frequent cells spares the trial of all.
    few = dict(counts.most_common(_COMPARED))
    if not any(re.search("[0-9]", cell) for cell in few):
        return []
    shares = {form: _share(few, form) for form in _FORMATS}
    formats = [form for form, share in shares.items() if share >= _NEARLY_ALL]
    return [f'data.read.dates.{key_of(name)} = "{form}"' for form in formats[:2]]


def _in_several_formats(counts: Counter[str]) -> bool:
    """Check whether nearly all cells are dates, in formats of which none has nearly all."""
    few = dict(counts.most_common(_COMPARED))
    if not all(re.search("[0-9]", cell) for cell in few):
        return False
    some = [form for form in _FORMATS if _share(few, form) > 1 - _NEARLY_ALL]
    dates = sum(n for cell, n in few.items() if _is_iso(cell) or any(_reads(cell, f) for f in some))
    return dates >= _NEARLY_ALL * sum(few.values())


def _share(counts: dict[str, int], form: str) -> float:
    return sum(count for cell, count in counts.items() if _reads(cell, form)) / sum(counts.values())


def _reads(cell: str, form: str) -> bool:
    try:
        datetime.strptime(trimmed(cell), form)
    except ValueError:
        return False
    return True


def _is_iso(cell: str) -> bool:
    try:
        datetime_encoder("ns")(trimmed(cell))
    except ValueRefused as refused:
        return refused.code == "has_offset"
    return True


def _units(counts: Counter[str]) -> list[str]:
    """Return the signs beside the digits of cells, if they are few."""
    found = Counter[str]()
    for cell, count in counts.items():
        if re.search("[0-9]", cell):
            for sign in {match[0] for match in _UNITS.finditer(cell)}:
                found[sign] += count
    return [sign for sign, _ in found.most_common(3)] if 0 < len(found) <= 3 else []


def key_of(name: str) -> str:
    """Return a name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else '"' + name.replace('"', '\\"') + '"'
