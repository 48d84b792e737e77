"""People get sentences, programs get JSON, both for new findings only."""

import json
from math import nan

import pytest

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.notify import Message, events, finding_ids, is_healthy, message
from functions.monitor.results import Results
from tests.support.runs import CONCEPT, empty, good, results, verdict

REPORT = "https://example.org/report.html"


def test_a_message_has_sentences_and_the_address_of_the_report() -> None:
    sent = message(results(verdict("tenure", before=32.0, after=12.0)), REPORT)

    assert sent.subject.startswith("churn: 1 feature changed")
    assert sent.text.splitlines()[0].startswith("1 of 1 feature has changed since training: tenure")
    assert f"Report: {REPORT}" in sent.text
    assert "package 7b02a938" in sent.text


@pytest.mark.parametrize("name", ["x" * 300, "Größe\nund\tmehr", "\N{BLACK STAR}"])
def test_a_subject_is_what_sns_takes(name: str) -> None:
    alarmed = results(model=name, diagnosis=Diagnosis(alarm=name, reason="r"))

    sent: Message = message(alarmed, REPORT)

    assert 0 < len(sent.subject) <= 100
    assert sent.subject.isascii()
    assert sent.subject.isprintable()


def test_a_recovery_comes_first() -> None:
    assert message(results(), REPORT, recovered=True).text.startswith(
        "The earlier findings are resolved."
    )


def test_figures_do_not_make_a_finding_new() -> None:
    assert finding_ids(results(verdict("a", effect=0.2))) == finding_ids(
        results(verdict("a", effect=0.9))
    )


def test_each_finding_has_an_id() -> None:
    found = results(
        verdict("tenure"),
        verdict("tenure", check="missing"),
        verdict("gender", state="stable"),
        performance=[good(dropped=("accuracy",), concept=CONCEPT)],
        retrain=("concept drift in Churn",),
    )

    assert finding_ids(found) == (
        "drift: tenure: distribution",
        "drift: tenure: missing",
        "performance: Churn: accuracy",
        "performance: Churn: concept",
        "retrain: 2026-11-22T10:00:00Z",
    )


@pytest.mark.parametrize(
    ("found", "healthy"),
    [
        (results(), True),
        (results(verdict("a")), False),
        (results(state="insufficient_data"), False),
        (results(performance=[good(concept=CONCEPT)]), False),
        (empty(), False),
    ],
)
def test_a_model_is_healthy_with_enough_rows_and_no_findings(found: Results, healthy: bool) -> None:
    assert is_healthy(found) is healthy


def test_no_data_is_a_finding() -> None:
    assert finding_ids(empty()) == ("no data",)


def event_names(found: Results, *new: str) -> list[str]:
    return [one.name for one in events(found, set(new), REPORT)]


def test_each_kind_of_new_finding_is_an_event() -> None:
    found = results(verdict("a"), performance=[good(concept=CONCEPT)], retrain=("why",))

    assert event_names(found, *finding_ids(found)) == [
        "sklambda.drift",
        "sklambda.performance",
        "sklambda.retrain",
    ]
    assert event_names(found, "retrain: 2026-11-22T10:00:00Z") == ["sklambda.retrain"]
    assert event_names(found) == []


def test_an_event_has_its_findings_as_json() -> None:
    found = results(
        verdict("a", p=nan), performance=[good(concept=CONCEPT)], retrain=("concept drift",)
    )

    drift, performance, retrain = (
        one.entry("default") for one in events(found, set(finding_ids(found)), REPORT)
    )

    assert (drift["Source"], drift["EventBusName"]) == ("sklambda.monitor", "default")
    detail = json.loads(drift["Detail"])
    assert detail["model"] == {"name": "churn", "id": "7b02a938"}
    assert detail["report"] == REPORT
    assert (detail["changes"][0]["name"], detail["changes"][0]["p"]) == ("a", None)
    [target] = json.loads(performance["Detail"])["performance"]
    assert target["concept"]["alarm"] is True
    assert target["trained"]["accuracy"]["value"] == 0.8
    assert json.loads(retrain["Detail"])["reasons"] == ["concept drift"]


def test_an_event_is_no_larger_than_eventbridge_takes() -> None:
    found = results(*(verdict(f"feature {n}" * 20) for n in range(2000)))

    [drift] = events(found, set(finding_ids(found)), REPORT)

    assert len(json.dumps(drift.entry("default"))) < 256 * 1024
