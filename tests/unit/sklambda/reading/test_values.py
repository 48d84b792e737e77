"""What cells mean, and what they do not."""

from typing import Any

import pytest

from sklambda.reading.rules import Reading
from sklambda.reading.values import MISSING, cell_parser

EUROPEAN = Reading(decimal=",", thousands=".")


@pytest.mark.parametrize(
    ("reading", "kind", "cell", "value"),
    [
        (Reading(), "number", "1.5", 1.5),
        (Reading(), "number", " -2e3 ", -2000.0),
        (Reading(), "number", "1_000", "1_000"),
        (Reading(), "number", "9007199254740993", 9007199254740993),
        (Reading(), "integer", "7", 7),
        (Reading(), "integer", "7.0", 7),
        (Reading(), "integer", "7.5", 7.5),
        (EUROPEAN, "number", "1.234,5", 1234.5),
        (EUROPEAN, "number", "1234,5", 1234.5),
        (EUROPEAN, "number", "1.234.567", 1234567.0),
        (EUROPEAN, "number", "1.23", "1.23"),
        (EUROPEAN, "number", ",5", 0.5),
        (EUROPEAN, "number", ",", ","),
        (EUROPEAN, "number", "-1,5e3", -1500.0),
        (Reading(thousands=" "), "number", "1 234", 1234.0),
        (Reading(thousands=" "), "number", "12 34", "12 34"),
        (Reading(units=("$", "USD")), "number", "$5", 5.0),
        (Reading(units=("$", "USD")), "number", "-$5", -5.0),
        (Reading(units=("$", "USD")), "number", "5 USD", 5.0),
        (Reading(units=("$", "USD")), "number", "5 kg", "5 kg"),
        (Reading(units=("%",)), "integer", "12%", 12),
        (Reading(), "boolean", "TRUE", True),
        (Reading(), "boolean", "0", False),
        (Reading(true=("ja",), false=("nein",)), "boolean", "nein", False),
        (Reading(), "boolean", "ja", "ja"),
        (Reading(), "category", " a ", " a "),
        (Reading(dates={"x": "%d.%m.%Y"}), "datetime", "31.12.2026", "2026-12-31T00:00:00"),
        (Reading(dates={"x": "%d.%m.%Y"}), "datetime", "2026-12-31", "2026-12-31"),
        (Reading(zone="UTC"), "datetime", "2026-01-01T01:00+02:00", "2025-12-31T23:00:00"),
        (Reading(zone="-05:30"), "datetime", "2026-01-01T06:00Z", "2026-01-01T00:30:00"),
        (Reading(zone="UTC"), "datetime", "2026-01-01T01:00:00.123456789", None),
    ],
)
def test_a_cell_has_the_value_that_json_would_have(
    reading: Reading, kind: str, cell: str, value: Any
) -> None:
    found = cell_parser(reading, "x", kind)(cell)

    assert found == (cell if value is None else value)
    assert type(found) is type(cell if value is None else value)


def test_words_for_missing_are_those_of_pandas_and_those_that_are_stated() -> None:
    parse = cell_parser(Reading(missing=("?",)), "x", "category")

    assert [parse(cell) for cell in (None, "", "NA", "?", "-")] == [None, None, None, None, "-"]


def test_the_words_of_pandas_can_be_left_out() -> None:
    parse = cell_parser(Reading(default_missing=False), "x", "category")

    assert [parse(cell) for cell in sorted(MISSING)] == [cell or None for cell in sorted(MISSING)]


@pytest.mark.parametrize("trim", [False, True])
def test_a_known_category_is_never_missing_but_the_empty_one_without_blanks(trim: bool) -> None:
    parse = cell_parser(Reading(trim=trim), "x", "category", ("NA", ""))

    assert [parse("NA"), parse(""), parse(None)] == ["NA", None if trim else "", None]
