"""People read sentences, programs get evidence, and both hear of what is new."""

import json
from math import nan

import pytest

from functions.monitor.alarms.diagnosis import Diagnosis
from functions.monitor.notify.messages import Message, happenings, is_well, items, message
from functions.monitor.results import Results
from tests.support.runs import CONCEPT, empty, good, results, verdict

WHERE = "https://example.org/report.html"


def test_a_message_says_it_in_sentences_and_where_the_report_is() -> None:
    told = message(results(verdict("tenure", before=32.0, after=12.0)), WHERE)

    assert told.subject.startswith("churn: 1 feature changed")
    assert told.text.splitlines()[0].startswith("Of 1 feature 1 has changed since training: tenure")
    assert f"Report: {WHERE}" in told.text
    assert "package 7b02a938" in told.text


@pytest.mark.parametrize("name", ["x" * 300, "Größe\nund\tmehr", "\N{BLACK STAR}"])
def test_a_subject_is_what_sns_takes(name: str) -> None:
    alarmed = results(model=name, diagnosis=Diagnosis(alarm=name, reason="r"))

    told: Message = message(alarmed, WHERE)

    assert 0 < len(told.subject) <= 100
    assert told.subject.isascii()
    assert told.subject.isprintable()


def test_that_all_is_well_again_is_said_first() -> None:
    assert message(results(), WHERE, well_again=True).text.startswith("What was reported before")


def test_figures_do_not_make_an_item_a_new_one() -> None:
    assert items(results(verdict("a", effect=0.2))) == items(results(verdict("a", effect=0.9)))


def test_all_that_can_be_told_is_an_item() -> None:
    found = results(
        verdict("tenure"),
        verdict("tenure", check="missing"),
        verdict("gender", state="stable"),
        performance=[good(dropped=("accuracy",), concept=CONCEPT)],
        retrain=("concept drift in Churn",),
    )

    assert items(found) == (
        "drift: tenure: distribution",
        "drift: tenure: missing",
        "performance: Churn: accuracy",
        "performance: Churn: concept",
        "retrain: 2026-11-22T10:00:00Z",
    )


@pytest.mark.parametrize(
    ("found", "well"),
    [
        (results(), True),
        (results(verdict("a")), False),
        (results(state="insufficient_data"), False),
        (results(performance=[good(concept=CONCEPT)]), False),
        (empty(), False),
    ],
)
def test_well_is_what_was_seen_to_be(found: Results, well: bool) -> None:
    assert is_well(found) is well


def test_no_data_is_told() -> None:
    assert items(empty()) == ("no data",)


def told(found: Results, *fresh: str) -> list[str]:
    return [one.name for one in happenings(found, set(fresh), WHERE)]


def test_each_kind_of_news_is_an_event() -> None:
    found = results(verdict("a"), performance=[good(concept=CONCEPT)], retrain=("why",))

    assert told(found, *items(found)) == [
        "sklambda.drift",
        "sklambda.performance",
        "sklambda.retrain",
    ]
    assert told(found, "retrain: 2026-11-22T10:00:00Z") == ["sklambda.retrain"]
    assert told(found) == []


def test_an_event_carries_its_evidence_as_json() -> None:
    found = results(
        verdict("a", p=nan), performance=[good(concept=CONCEPT)], retrain=("concept drift",)
    )

    drift, performance, retrain = (
        one.entry("default") for one in happenings(found, set(items(found)), WHERE)
    )

    assert (drift["Source"], drift["EventBusName"]) == ("sklambda.monitor", "default")
    detail = json.loads(drift["Detail"])
    assert detail["model"] == {"name": "churn", "id": "7b02a938"}
    assert detail["report"] == WHERE
    assert (detail["changes"][0]["name"], detail["changes"][0]["p"]) == ("a", None)
    [target] = json.loads(performance["Detail"])["performance"]
    assert target["concept"]["alarm"] is True
    assert target["trained"]["accuracy"]["value"] == 0.8
    assert json.loads(retrain["Detail"])["reasons"] == ["concept drift"]


def test_an_event_is_no_larger_than_eventbridge_takes() -> None:
    found = results(*(verdict(f"feature {n}" * 20) for n in range(2000)))

    [drift] = happenings(found, set(items(found)), WHERE)

    assert len(json.dumps(drift.entry("default"))) < 256 * 1024
