"""Warnings of parts are added up and compared with what training leads to expect."""

from dataclasses import dataclass
from typing import Any

import pytest

from functions.batch.jobs import fit
from functions.batch.jobs.job import ObjectRange, Part, PartResult
from functions.batch.jobs.options import Options
from functions.batch.scoring.trials import Trial
from sklambda.signature import Feature, Signature, Target
from sklambda.sketch.sketch import Histogram
from sklambda.storage.receipt import Match, Warned

SIGNATURE = Signature(
    features=(
        Feature(name="age", kind="number", nullable=True, range=(0.0, 9.0)),
        Feature(name="city", kind="category", nullable=True, vocabulary=("Bern", "Chur")),
        Feature(name="since", kind="datetime", nullable=True, unit="s"),
    ),
    target=Target(task="binary", classes=("no", "yes")),
)
ROWS = 100


@dataclass
class Column:
    column: Histogram


@dataclass
class Counted:
    """As much of a baseline as is compared."""

    features: dict[str, Column]


def result(warnings: dict[str, dict[str, int]] | None, *trials: Trial) -> PartResult:
    return PartResult(
        part=Part(index=0, start=0, stop=1, first=1, records=1, last=False),
        rejected=0,
        scored=ObjectRange(key="k", size=0, etag="e", version=None, start=0, stop=0, sha256=""),
        rejects=None,
        seconds=0,
        warnings=warnings,
        trials=trials,
    )


def counted(**columns: Histogram) -> Any:
    usual = Histogram(rows=1000, counts=(500, 500))
    return Counted({name: Column(columns.get(name, usual)) for name in SIGNATURE.names})


def warned(feature: str, code: str, share: float, expected: float | None = 0.0) -> Warned:
    rows = round(share * ROWS)
    return Warned(feature=feature, code=code, rows=rows, share=share, expected=expected)


def test_the_counts_of_parts_are_added() -> None:
    results = [
        result({"city": {"unseen_category": 3}}),
        result({}),
        result({"city": {"unseen_category": 4}, "age": {"missing": 1, "out_of_range": 2}}),
    ]

    found = fit.add_up(results, ROWS, SIGNATURE, None)

    assert found is not None
    assert [(one.feature, one.code, one.rows, one.share) for one in found] == [
        ("age", "missing", 1, 0.01),
        ("age", "out_of_range", 2, 0.02),
        ("city", "unseen_category", 7, 0.07),
    ]


def test_a_part_of_a_version_that_did_not_count_leaves_them_unknown() -> None:
    assert fit.add_up([result({}), result(None)], ROWS, SIGNATURE, None) is None


@pytest.mark.parametrize(
    ("code", "column", "expected"),
    [
        ("missing", Histogram(rows=50, missing=10), 0.2),
        ("unseen_category", Histogram(rows=50, counts=(1, 1, 1, 47)), 0.06),
        ("unseen_category", Histogram(rows=50, counts=(25, 20), unseen=5), 0.1),
        ("out_of_range", Histogram(rows=50, missing=1), 0.04),
        ("out_of_range", Histogram(rows=2), 0.666667),
        ("out_of_range", Histogram(rows=50, above=6), 0.12),
        ("coerced", Histogram(rows=50), None),
    ],
)
def test_training_tells_what_to_expect(code: str, column: Histogram, expected: float) -> None:
    results = [result({"age": {code: 5}})]

    found = fit.add_up(results, ROWS, SIGNATURE, counted(age=column))

    assert found is not None
    assert [one.expected for one in found] == [expected]


@pytest.mark.parametrize(
    ("each", "is_unfit"),
    [
        (warned("city", "unseen_category", 0.2), False),
        (warned("city", "unseen_category", 0.21), True),
        (warned("city", "unseen_category", 0.21, None), True),
        (warned("city", "unseen_category", 0.21, 0.05), False),
        (warned("city", "unseen_category", 1.0, 1.0), False),
        (warned("age", "out_of_range", 0.5), False),
        (warned("age", "out_of_range", 0.51), True),
        (warned("age", "missing", 0.51), True),
        (warned("age", "missing", 0.51, None), False),
        (warned("age", "missing", 0.7, 0.6), False),
        (warned("age", "missing", 0.85, 0.6), True),
        (warned("age", "coerced", 1.0, None), False),
        (warned("since", "out_of_range", 1.0), False),
        (warned("since", "missing", 1.0), True),
    ],
    ids=lambda each: (
        f"{each.feature} {each.code} {each.share} of {each.expected}"
        if isinstance(each, Warned)
        else None
    ),
)
def test_a_share_beyond_training_and_the_limit_is_unfit(each: Warned, is_unfit: bool) -> None:
    assert bool(fit.unfit([each], Options(), SIGNATURE)) is is_unfit


def test_a_few_rows_decide_nothing() -> None:
    few, enough = (
        Warned(feature="city", code="unseen_category", rows=rows, share=1.0) for rows in (4, 5)
    )

    assert fit.unfit([few], Options(), SIGNATURE) == []
    assert fit.unfit([enough], Options(), SIGNATURE) == [enough]


def test_categories_that_match_after_a_change_are_not_new() -> None:
    new = warned("city", "unseen_category", 1.0, 1.0)
    padded = new.model_copy(update={"match": Match(change="blanks", rows=90)})

    assert fit.unfit([new, padded], Options(), SIGNATURE) == [padded]


@pytest.mark.parametrize("code", ["unseen_category", "out_of_range", "missing"])
def test_a_limit_of_one_accepts_all(code: str) -> None:
    options = Options(max_unseen=1, max_out_of_range=1, max_missing=1)

    assert fit.unfit([warned("age", code, 1.0)], options, SIGNATURE) == []


def test_the_reason_names_features_shares_the_remedy_and_the_option() -> None:
    trials = Trial("city", 60, {"leading_blanks": 50, "several": 50, "case": 2})
    results = [result({"city": {"unseen_category": 60}, "age": {"missing": 90}}, trials)]
    found = fit.add_up(results, ROWS, SIGNATURE, counted()) or ()

    reason = fit.describe_unfit(fit.unfit(found, Options(), SIGNATURE), ROWS)

    assert reason == (
        "the 100 scored rows are unlike those of training: unseen categories in `city` (60.00%); "
        "missing values in `age` (90.00%); `city` matches after removing leading blanks: clean the "
        "file, or train with `trim = true` in [data.read], by which files are read; to accept such "
        "a file, raise `max_missing` and `max_unseen`"
    )


def test_a_change_that_helps_less_than_half_of_the_rows_is_no_remedy() -> None:
    trials = Trial("city", 60, {"leading_blanks": 30})

    assert fit.describe_results([result({}, trials)]) == ""


def test_the_trials_of_parts_are_added() -> None:
    parts = [
        result({}, Trial("city", 10, {"case": 10})),
        result({}, Trial("city", 90, {"case": 1, "quotes": 89})),
        result({}, Trial("age", 9, {"divided_by_1000": 9})),
    ]

    assert fit.describe_results(parts) == (
        "; `city` matches after removing quotes: write these values as the training data had them"
        "; `age` matches after dividing by 1000: write these values as the training data had them"
    )


def test_the_closing_lines_begin_with_the_least_expected() -> None:
    usual, odd = warned("age", "missing", 0.4, 0.39), warned("city", "unseen_category", 0.1)

    assert [*fit.summary([usual, odd])] == [
        "warnings: unseen categories in `city`, 10 (10.00%)",
        "warnings: missing values in `age`, 40 (40.00%, 39.00% expected)",
    ]


def test_the_closing_lines_are_few() -> None:
    lines = [*fit.summary([warned(f"f{place}", "missing", 0.4) for place in range(30)])]

    assert lines[-1] == "and 22 more warnings, listed in the receipt"
    assert len(lines) == 9
