"""Retraining is asked for where it is due and can help, and drift alone never asks for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sklambda.errors import DocumentInvalid
from sklambda.policy.retraining import Decision, Signals, recent, recommend, without_overlap
from sklambda.policy.watching import RetrainingPolicy

POLICY = RetrainingPolicy()
START = datetime(2026, 11, 1, tzinfo=UTC)


def window(hours: int = 0, **members: Any) -> Signals:
    """Make the signals of a day that ends so many hours after the first one."""
    start = START + timedelta(hours=hours)
    stop = start + timedelta(days=1)
    plain: dict[str, Any] = {"estimated": {}, "labels": 300}
    return Signals(start=start.isoformat(), stop=stop.isoformat(), **plain | members)


def bad(hours: int = 0, **members: Any) -> Signals:
    return window(hours, **{"concept": ("Churn",)} | members)


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"concept": ("Churn",)}, "concept drift in Churn"),
        ({"dropped": ("roc_auc of Churn",)}, "roc_auc of Churn dropped"),
        (
            {"estimated": {"roc_auc of Churn": 0.03}},
            "estimated roc_auc of Churn is worse by 0.030 beyond its error",
        ),
    ],
)
def test_a_reason_that_stands_asks_for_retraining(signals: dict[str, Any], reason: str) -> None:
    decision = recommend(POLICY, window(24, **signals), [window(0, **signals)])

    assert decision == Decision((reason,), ())


def test_without_a_reason_nothing_is_asked_and_nothing_held() -> None:
    assert recommend(POLICY, window(24, incidents=("a: missing",)), [bad(0)]) == Decision()


def test_an_estimate_that_is_little_worse_is_no_reason() -> None:
    assert window(estimated={"accuracy of Churn": 0.019}).reasons(POLICY) == ()


def test_a_reason_must_stand_in_so_many_windows() -> None:
    decision = recommend(POLICY, bad(48), [window(24), window(0)])

    assert decision.retrain == ()
    assert decision.held == ("1 of the last 3 windows have a reason, and 2 must",)


def test_windows_that_overlap_are_not_counted_twice() -> None:
    hourly = [bad(hours) for hours in range(1, 23)]

    decision = recommend(POLICY, bad(23), hourly)

    assert decision.held == ("1 of the last 3 windows have a reason, and 2 must",)


def test_windows_that_lie_without_overlap_are_found_whatever_lies_between() -> None:
    before = [window(hours) for hours in range(72)]

    found = without_overlap(window(72), before, 3)

    assert [one.start for one in found] == [window(hours).start for hours in (72, 48, 24)]


def test_too_few_outcomes_hold_it() -> None:
    decision = recommend(POLICY, bad(24, labels=60), [bad(0, labels=60)])

    assert decision.held == ("120 outcomes are known, and 200 are required",)


def test_retraining_that_was_just_asked_for_holds_it() -> None:
    called = window(0).stop

    held = recommend(POLICY, bad(24), [bad(0)], called)
    over = recommend(POLICY, bad(168), [bad(144)], called)

    assert held.held == (f"retraining was requested at {called}, less than 168 hours ago",)
    assert over.retrain == ("concept drift in Churn",)


def test_data_that_is_not_as_it_should_be_holds_it() -> None:
    decision = recommend(POLICY, bad(24, incidents=("tenure: missing",)), [bad(0)])

    assert decision.held == ("the data has faults (tenure: missing)",)


def test_every_obstacle_is_named() -> None:
    decision = recommend(POLICY, bad(0, labels=0, incidents=("a: constant",)), [], window(0).stop)

    assert len(decision.held) == 4


def test_what_no_decision_counts_is_forgotten() -> None:
    before = [window(hours) for hours in range(500)]

    kept = recent(POLICY, before, window(500))

    assert len(kept) <= 4 * 24 + 2
    assert recommend(POLICY, bad(501), kept) == recommend(POLICY, bad(501), [*before, window(500)])


def report(**members: Any) -> dict[str, Any]:
    target = {
        "target": "Churn",
        "trained": {"accuracy": {"value": 0.8, "low": 0.8, "high": 0.8}},
        "estimated": {"accuracy": {"value": 0.7, "deviation": 0.01}},
        "labelled": 12,
        "concept": None,
        "dropped": ["accuracy", "estimated accuracy"],
    }
    verdicts = [
        {"name": "a", "check": "distribution", "state": "changed"},
        {"name": "b", "check": "out_of_range", "state": "changed"},
        {"name": "c", "check": "missing", "state": "stable"},
        {"name": "", "check": "duplicated", "state": "changed"},
    ]
    return {
        "window": {"start": window().start, "stop": window().stop},
        "comparisons": [{"findings": {"features": verdicts}}],
        "performance": [target | members],
    }


def test_signals_are_read_from_a_report() -> None:
    signals = Signals.of_report(report(concept={"alarm": True}))

    assert signals.concept == ("Churn",)
    assert signals.dropped == ("accuracy of Churn",)
    assert signals.labels == 12
    assert signals.incidents == ("b: out of range", "rows: duplicated")
    assert signals.estimated["accuracy of Churn"] == pytest.approx(0.1 - 1.96 * 0.01)


def test_an_estimate_is_measured_beyond_the_error_of_training_too() -> None:
    wide = {"accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}}

    signals = Signals.of_report(report(trained=wide))

    assert signals.estimated["accuracy of Churn"] < 0.001


def test_of_an_error_more_is_worse_and_relative() -> None:
    name, figure = "mean_absolute_error", {"value": 50.0, "low": 50.0, "high": 50.0}
    estimated = {name: {"value": 60.0, "deviation": 0.0}}

    signals = Signals.of_report(report(trained={name: figure}, estimated=estimated))

    assert signals.estimated == {f"{name} of Churn": pytest.approx(0.2)}


@pytest.mark.parametrize(
    "estimated",
    [{}, {"accuracy": {"value": None, "deviation": None}}, {"f1": {"value": 0.1, "deviation": 0}}],
)
def test_what_cannot_be_compared_says_nothing(estimated: dict[str, Any]) -> None:
    assert Signals.of_report(report(estimated=estimated)).estimated == {}


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(KeyError):
        Signals.of_report({"window": {}})
    with pytest.raises(DocumentInvalid):
        Signals.of_report(report(labelled="many"))
