"""Columns in doubt, and the keys that settle them."""

import tomllib
from collections.abc import Sequence

import pytest

from sklambda.reading.records import trimmed
from sklambda.reading.rules import Reading
from training.data.columns import infer, typed
from training.data.doubts import doubt
from training.train.config import Read

DOUBTS = {
    "decimal commas": (("1,5", "2,25", "-3"), 'data.read.decimal = ","'),
    "both signs": (("1.234,5", "2,25"), 'data.read.decimal = "," with data.read.thousands = "."'),
    "thousands": (("1,234.50", "2.5"), 'data.read.thousands = ","'),
    "blanks between thousands": (("1 234", "5 678"), 'data.read.thousands = " "'),
    "money": (("$5.00", "$7.50"), 'data.read.units = ["$"]'),
    "money in thousands": (
        ("$5.00", "$1,234.00"),
        'data.read.units = ["$"] with data.read.thousands = ","',
    ),
    "percent": (("5%", "6 %"), 'data.read.units = ["%"]'),
    "a unit": (("12 kg", "1.5 kg"), 'data.read.units = ["kg"]'),
    "a currency": (("59USD", "7USD"), 'data.read.units = ["USD"]'),
    "hours of the afternoon": (("01/05/2026 10:30 PM",), 'data.read.dates.x = "%m/%d/%Y %I:%M %p"'),
    "ISO dates": (("2026-11-30", "2026-12-01T10:00:00"), 'data.read.types.x = "datetime"'),
    "German dates": (("30.11.2026", "01.12.2026"), 'data.read.dates.x = "%d.%m.%Y"'),
    "American dates": (("11/30/2026", "12/01/2026"), 'data.read.dates.x = "%m/%d/%Y"'),
    "months by name": (("30-Nov-2026", "01-Dec-2026"), 'data.read.dates.x = "%d-%b-%Y"'),
    "blanks for missing": (("1", "2.5", " "), "data.read.trim = true"),
    "a word for missing": (("1", "2", "3", "n/a?"), "data.read.missing = "),
}
NO_DOUBT = {
    "words": ("a", "b"),
    "codes": ("A12", "B7"),
    "ranges": ("10-20", "20-30"),
    "versions": ("1.2.3", "1.2.4"),
    "long versions": ("3.10.12", "3.11.4"),
    "mostly words": ("red", "blue", "green", "12"),
    "phone numbers": ("+49 170 12", "+49 171 55"),
    "times": ("10:30", "11:45"),
}


def column(cells: Sequence[str]) -> list[str]:
    return [*cells] * 6


@pytest.mark.parametrize("what", DOUBTS)
def test_a_column_in_doubt_names_the_key_that_settles_it(what: str) -> None:
    cells, key = DOUBTS[what]

    found = doubt("x", column(cells), Reading())

    assert infer(cells, Reading()) == "category"
    assert found is not None
    assert any(each.startswith(key) for each in found.keys)
    assert found.keys[-1] == 'data.read.types.x = "category"'


@pytest.mark.parametrize("what", [each for each in DOUBTS if each != "a word for missing"])
def test_the_key_settles_it(what: str) -> None:
    cells, key = DOUBTS[what]
    stated = tomllib.loads("\n".join(key.split(" with ")))["data"]["read"]
    read = Read.model_validate(stated)

    kind = read.types.get("x") or ("datetime" if "x" in read.dates else None)
    split = [trimmed(cell) or None if read.trim else cell for cell in column(cells)]
    found = typed("x", split, read.reading, kind)

    assert found.kind in ("number", "integer", "datetime")


@pytest.mark.parametrize(
    ("cells", "reading"),
    [
        (("1,71", "25,5"), Reading(thousands=",")),
        (("12,5", "12.5", "3"), Reading()),
        (("1,23,450", "2,34,567"), Reading()),
        (("71-", "5", "12-"), Reading()),
        (("(71)", "5"), Reading()),
        (("\u221271", "5"), Reading()),
        (("59\u200b", "6"), Reading()),
        (("'59", "'60"), Reading()),
    ],
    ids=lambda each: repr(each)[:30],
)
def test_numbers_in_spellings_that_no_key_reads_are_doubted(
    cells: tuple[str, ...], reading: Reading
) -> None:
    found = doubt("x", column(cells), reading)

    assert found is not None
    assert found.looks_like.startswith("numbers")


def test_readings_that_both_fit_are_both_named() -> None:
    found = doubt("x", column(("1,234", "2,500")), Reading())

    assert found is not None
    assert found.keys[:2] == ('data.read.decimal = ","', 'data.read.thousands = ","')


@pytest.mark.parametrize("what", NO_DOUBT)
def test_categories_are_not_doubted(what: str) -> None:
    assert doubt("x", column(NO_DOUBT[what]), Reading()) is None


def test_a_name_that_is_no_bare_key_is_quoted() -> None:
    found = doubt("unit price", column(("1,5", "2,5")), Reading())

    assert 'data.read.types."unit price" = "category"' in str(found)


def test_no_value_stands_in_a_doubt() -> None:
    cells = column(("1 s3cret", "2 s3cret", "3 s3cret"))

    assert "s3cret" not in str(doubt("x", cells, Reading()))
