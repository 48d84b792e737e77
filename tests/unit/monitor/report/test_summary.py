"""The summary of a run is written so that a person can act on it."""

from dataclasses import replace
from math import nan

import pytest

from functions.monitor.drift.verdict import Verdict
from functions.monitor.performance.estimated import Estimate
from functions.monitor.performance.measure import ConceptDrift, Performance
from functions.monitor.report.summary import MAX_HEADLINE, chapters, headline, summary
from functions.monitor.report.wording import (
    NONE,
    describe,
    enumeration,
    format_span,
    number,
    p_value,
    percent,
    percentage_points,
)
from functions.monitor.results import Comparison, Results
from functions.monitor.statistics.intervals import Interval
from sklambda.manifest import MetricInterval
from tests.support.reporting import results


@pytest.fixture(scope="module")
def shifted() -> Results:
    return replace(results(), diagnosis=None)


@pytest.fixture(scope="module")
def calm() -> Results:
    return results(shifted=False)


def test_the_features_that_changed_are_named_with_their_figures(shifted: Results) -> None:
    [sentence] = [one for one in summary(shifted) if "features have changed since training" in one]

    assert sentence.startswith("3 of 7 features have changed since training: duration_months is")
    assert "duration_months is higher" in sentence
    assert "standard deviations" in sentence
    assert "purpose has a different mix" in sentence


def test_the_chapters_go_from_what_to_what_to_do(shifted: Results) -> None:
    titles = [title for title, _ in chapters(shifted)]

    assert titles == ["What changed", "Does it matter?", "What to do"]


def test_the_summary_is_the_chapters(shifted: Results) -> None:
    assert summary(shifted) == [one for _, some in chapters(shifted) for one in some]


def test_a_week_without_a_change_has_a_short_summary(calm: Results) -> None:
    assert headline(calm) == "credit: stable"
    assert summary(calm)[-1] == "No action is needed."


def test_data_that_is_stable_hides_no_drop(calm: Results) -> None:
    [one] = calm.performance
    worse = replace(calm, performance=[replace(one, dropped=("accuracy",))])

    assert headline(worse) == "credit: data stable; accuracy dropped"
    assert any("accuracy is worse than in training" in one for one in summary(worse))


def test_an_alarm_comes_first() -> None:
    explained = results()

    assert headline(explained).startswith("credit: alarm credit-p99-latency; ")
    assert chapters(explained)[0][0] == "The alarm"


@pytest.mark.parametrize("model", ["m" * 300, "modèle\nSubject: x", "\u202emodel\t"])
def test_the_headline_is_a_subject_that_sns_takes(shifted: Results, model: str) -> None:
    line = headline(replace(shifted, model=model))

    assert len(line) <= MAX_HEADLINE
    assert line.isascii()
    assert line.isprintable()


def test_without_predictions_there_is_one_sentence(shifted: Results) -> None:
    empty = Results("m", "i", shifted.made, replace(shifted.window, rows=0), "no_data")

    assert summary(empty) == [
        "There are no predictions from 21 Nov 2026 10:00 to 22 Nov 2026 10:00 UTC."
    ]


def test_too_few_predictions_are_not_called_stable(calm: Results) -> None:
    few = replace(calm, state="insufficient_data", window=replace(calm.window, rows=43))

    assert headline(few) == "credit: too few predictions to judge"
    assert "43 predictions" in summary(few)[0]
    assert "too few to call it stable" in summary(few)[0]


def test_without_outcomes_the_advice_is_to_send_some(shifted: Results) -> None:
    unknown = replace(shifted, performance=[], groups=[], retrain=())
    findings = shifted.comparisons[0].findings
    drifts = [one for one in findings.features if one.check == "distribution"]
    unknown = replace(
        unknown, comparisons=[Comparison("training", replace(findings, features=drifts))]
    )

    assert "POST /feedback" in summary(unknown)[-1]
    assert "no reason to retrain" in summary(unknown)[-1]


def test_the_advice_on_data_quality_comes_first(shifted: Results) -> None:
    assert summary(shifted)[-1] == (
        "First check the source of <script>alert(2)</script>: the data quality has changed."
    )


def test_the_obstacles_to_retraining_are_listed(shifted: Results) -> None:
    held = replace(shifted, retrain=(), held=("12 outcomes are too few",))

    assert "Do not retrain yet: 12 outcomes are too few." in summary(held)


def test_the_concept_alarm_names_both_figures(calm: Results) -> None:
    [one] = calm.performance
    drift = ConceptDrift(200, 0.8, 0.6, 7.0, 1e-12, True)
    drifted = replace(calm, performance=[replace(one, concept=drift)])

    [sentence] = [one for one in summary(drifted) if "Concept drift" in one]
    assert sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        "Concept drift: 60 % of 200 predictions were right, but their scores predict 80 % "
        "(p < 0.0001)."
    )


def test_an_estimated_drop_is_called_estimated(calm: Results) -> None:
    one = Performance(
        target="credit",
        trained={"accuracy": MetricInterval(value=0.8, low=0.78, high=0.82)},
        estimated={"accuracy": Estimate(0.7, 0.01)},
        dropped=("estimated accuracy",),
    )

    assert (
        "The accuracy is worse than in training: estimated at 0.7, no outcomes; in training "
        "0.8 (0.78 to 0.82)." in summary(replace(calm, performance=[one]))
    )


def test_an_undefined_estimate_is_left_out(calm: Results) -> None:
    one = Performance(target="credit", estimated={"accuracy": Estimate(nan, nan)})

    titles = [title for title, _ in chapters(replace(calm, performance=[one], groups=[]))]

    assert "Does it matter?" not in titles


def test_a_regressor_is_described_by_its_error(calm: Results) -> None:
    metrics = {"bias": Interval(0.1, 0, 0.2, 9), "mean_absolute_error": Interval(3, 2, 4, 9)}
    one = Performance(target="price", realised=metrics, labelled=9)

    sentences = summary(replace(calm, performance=[one], groups=[]))

    assert any(
        one.startswith("The mean absolute error is 3 (2 to 4) by 9 outcomes") for one in sentences
    )


@pytest.mark.parametrize(
    ("verdict", "clause"),
    [
        (
            Verdict("a", "distribution", 9, 0.62, 0.1, 0, 20.9, 28.4, "up"),
            "a is higher (20.9 → 28.4, by 0.62 standard deviations)",
        ),
        (
            Verdict("a", "distribution", 9, 0.3, 0.1, 0, 1, 1, "wider"),
            "a is more spread out (by 0.3 standard deviations)",
        ),
        (
            Verdict("a", "distribution", 9, 0.3, 0.1, 0, direction="mix", shifts=(("x", -0.04),)),
            "a has a different mix (x \N{MINUS SIGN}4 points)",
        ),
        (
            Verdict("Yes", "distribution", 9, 0.3, 0.1, 0, 1, 2, "down", about="prediction"),
            "the score of Yes is lower (1 → 2, by 0.3 standard deviations)",
        ),
        (Verdict("a", "missing", 9, 0.2, 0.05, 0, 0.02, 0.25, "up"), "a is missing in 25 %"),
        (Verdict("a", "unseen", 9, 0.2, 0.05, 0, 0, 0.1), "a has categories that training did"),
        (Verdict("a", "out_of_range", 9, 0.2, 0.05, 0, 0, 0.1), "a is outside the range"),
        (Verdict("a", "coerced", 9, 0.2, 0.05, 0, 0, 0.1), "a was converted from another type"),
        (Verdict("a", "constant", 9, 0.2, 0.05, 0), "a has become constant"),
        (Verdict("", "duplicated", 9, 0.2, 0.05, 0, 0, 0.1), "10 % of the rows are duplicates"),
    ],
)
def test_each_check_has_its_clause(verdict: Verdict, clause: str) -> None:
    assert describe(verdict).replace("\N{NO-BREAK SPACE}", " ").startswith(clause)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.123"), (20.93, "20.9"), (-3.5, "\N{MINUS SIGN}3.5"), (12345.6, "12,346"),
        (0.0000123, "1.23e-05"), (1e300, "1.00e+300"), (None, NONE), (float("nan"), NONE),
        (0, "0"), (5.0, "5"),
    ],
)  # fmt: skip
def test_numbers_have_three_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_other_figures() -> None:
    assert percent(0.0213).replace("\N{NO-BREAK SPACE}", " ") == "2.1 %"
    assert percentage_points(-0.034) == "\N{MINUS SIGN}3.4 points"
    assert p_value(0.00001) == "< 0.0001"
    assert enumeration(["a", "b", "c"]) == "a, b and c"
    assert enumeration(list("abcd"), 2) == "a, b and 2 more"
    assert format_span("2026-11-22T09:00:00+00:00", "2026-11-22T10:00:00+00:00") == (
        "22 Nov 2026 09:00 to 10:00 UTC"
    )
