"""Values that training did not have are tried with blanks, case and the like changed."""

from collections.abc import Sequence

import numpy as np
import pytest
from duckdb import DuckDBPyConnection

from functions.batch.formats.slices import EncodedSlice, Reject
from functions.batch.scoring.trials import REWRITES, Trial, Trials
from sklambda.arrays import FloatMatrix
from sklambda.codec.row_warnings import RowWarner
from sklambda.reading.rules import Reading
from sklambda.reading.suffixes import Format
from sklambda.signature import Feature, Signature, Target

TARGET = Target(task="binary", classes=("no", "yes"))


def signature(*levels: str) -> Signature:
    city = Feature(name="city", kind="category", nullable=True, vocabulary=levels)
    return Signature(features=(city,), target=TARGET)


def numeric(example: float) -> Signature:
    amount = Feature(
        name="amount", kind="number", nullable=True, range=(-500.0, 500.0), example=example
    )
    return Signature(features=(amount,), target=TARGET)


def encoded(con: DuckDBPyConnection, X: FloatMatrix, rejects: Sequence[Reject]) -> EncodedSlice:
    return EncodedSlice(con, len(X), np.arange(len(X)), X, [*rejects], [])


def tried(
    con: DuckDBPyConnection, signature: Signature, texts: Sequence[str], given: Format = "csv"
) -> Trial:
    """Try texts of which none is in the vocabulary."""
    name = "line" if given == "json_lines" else "city"
    con.execute(f"CREATE OR REPLACE TABLE records ({name} VARCHAR)")
    con.executemany("INSERT INTO records VALUES (?)", [[text] for text in texts])
    X = np.full((len(texts), 1), -1.0)
    counts = RowWarner(signature).check_many(X).counts
    trials = Trials(signature, given)
    [trial] = trials.of(encoded(con, X, []), np.ones(len(X), dtype=bool), X, counts)
    return trial


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        ("leading_blanks", "Bern", "  Bern"),
        ("leading_blanks", " Bern", "Bern"),
        ("trailing_blanks", "Bern", "Bern\t"),
        ("blanks", "Bern", " Bern "),
        ("blanks", "Bern", "\ufeffBern\xa0"),
        ("invisible_characters", "Bern", "\u200bBern\u2060"),
        ("quotes", "Bern", '"Bern"'),
        ("quotes", "Bern", "\u201cBern\u201d"),
        ("case", "Bern", "BERN"),
        ("case", "Straße", "STRASSE"),
        ("trailing_zeros", "3", "3.0"),
        ("trailing_zeros", "3.0", "3"),
        ("leading_zeros", "02134", "2134"),
        ("normal_form", "Zürich", "Zu\u0308rich"),
        ("normal_form", "New York", "New\xa0 York"),
        ("several", "Bern", " 'BERN' "),
        ("several", "7", " 07.0"),
    ],
)
def test_the_simplest_change_that_fits_is_found(
    con: DuckDBPyConnection, change: str, level: str, text: str
) -> None:
    trial = tried(con, signature("Chur", level), [text, text, "elsewhere"])

    assert (trial.feature, trial.tried) == ("city", 3)
    best = max(trial.matched, key=lambda one: (trial.matched[one], -[*REWRITES].index(one)))
    assert (best, trial.matched[best]) == (change, 2)


def test_a_member_of_an_object_is_tried(con: DuckDBPyConnection) -> None:
    trial = tried(con, signature("Bern"), ['{"city": " Bern"}'] * 3, "json_lines")

    assert trial.matched["leading_blanks"] == 3


def test_blanks_that_the_package_removes_need_no_change(con: DuckDBPyConnection) -> None:
    model = signature("Bern").replace(read=Reading(trim=True))

    trial = tried(con, model, [" BERN"])

    assert "leading_blanks" not in trial.matched
    assert trial.matched["case"] == 1


def test_categories_that_are_refused_are_tried(con: DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE records AS SELECT unnest(['Bern', ' Bern', ' Bern', 'x']) AS city")
    X = np.array([[0.0], [np.nan], [np.nan], [np.nan]])
    rejects = [Reject(place, "city", "unseen_category", "") for place in (1, 2, 3)]
    good = np.array([True, False, False, False])

    [trial] = Trials(signature("Bern"), "csv").of(encoded(con, X, rejects), good, X[good], {})

    assert (trial.tried, trial.matched["leading_blanks"]) == (3, 2)


def test_a_few_unseen_categories_are_not_tried(con: DuckDBPyConnection) -> None:
    X = np.zeros((200, 1))
    X[7] = -1
    counts = RowWarner(signature("Bern")).check_many(X).counts

    trials = Trials(signature("Bern"), "csv")

    assert trials.of(encoded(con, X, []), np.ones(200, dtype=bool), X, counts) == []


@pytest.mark.parametrize(
    ("values", "example", "expected"),
    [
        (np.linspace(100_000, 400_000, 50), 250.0, {"divided_by_1000": 50}),
        (np.linspace(-40_000, -20_000, 50), -300.0, {"divided_by_100": 50}),
        (np.linspace(510, 600, 50), 250.0, {}),
        (np.linspace(5_000, 9_000, 50), -250.0, {}),
        (np.full(50, 1e308), 5e-324, {}),
        (np.linspace(1_000, 9_000, 50), 0.0, {}),
    ],
    ids=["thousand", "hundred, negative", "just outside", "other sign", "extreme", "no typical"],
)
def test_a_unit_is_tried_by_the_median_of_training(
    con: DuckDBPyConnection, values: FloatMatrix, example: float, expected: dict[str, int]
) -> None:
    model, X = numeric(example), values.reshape(-1, 1)
    counts = RowWarner(model).check_many(X).counts

    [trial] = Trials(model, "csv").of(encoded(con, X, []), np.ones(len(X), dtype=bool), X, counts)

    assert trial == Trial("amount", 50, expected)
