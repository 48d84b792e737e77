"""Events of the function, parsed into requests."""

import json
from typing import Any

import pytest

from functions.batch.service import Continue, EventRefused, Score, ScorePart, Sweep, parse
from tests.conftest import REPOSITORY


def event(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((REPOSITORY / f"events/{name}").read_text())
    return document


def test_a_dropped_file_is_scored() -> None:
    [request] = parse(event("batch-dropped.json"))  # events/batch-dropped.json

    assert isinstance(request, Score)
    assert request.input == "s3://sklambda-data/inbox/june + july.csv"
    assert request.model_fields_set == {"input"}


def test_the_schedule_sweeps_the_inbox() -> None:
    assert parse(event("batch-scheduled.json")) == [
        Sweep(sweep="inbox/")
    ]  # events/batch-scheduled.json


def test_a_direct_call_may_state_options() -> None:
    [request] = parse(event("batch-direct.json"))  # events/batch-direct.json

    assert isinstance(request, Score)
    assert request.output == "s3://sklambda-data/campaign/"
    assert request.keep == ("customerID",)
    assert request.explain is True


@pytest.mark.parametrize("key", ["scored/a.csv", "rejects/a.jsonl", "jobs/1.json", "inbox/folder/"])
def test_a_published_object_starts_nothing(key: str) -> None:
    dropped = event("batch-dropped.json")
    dropped["detail"]["object"]["key"] = key

    assert parse(dropped) == []


def test_keys_of_s3s_own_notifications_are_decoded() -> None:
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "inbox/june+%2B+july.csv"}}}

    [request] = parse({"Records": [record]})

    assert isinstance(request, Score)
    assert request.input == "s3://b/inbox/june + july.csv"


def test_steps_are_distinguished() -> None:
    part = {"index": 0, "start": 0, "stop": 9, "first": 1, "records": 2, "last": True}

    [step] = parse({"step": "part", "job": "a", "part": part})
    [again] = parse({"step": "continue", "job": "a", "after": 3})

    assert isinstance(step, ScorePart)
    assert step.part.stop == 9
    assert again == Continue(step="continue", job="a", after=3)


@pytest.mark.parametrize(
    ("refused", "place"),
    [
        ({}, "input"),
        ({"input": "customers.csv"}, "input"),
        ({"input": "s3://b/k", "keeep": "all"}, "keeep"),
        ({"input": "s3://b/k", "tolerance": 2}, "tolerance"),
        ({"input": "s3://b/k", "output": "s3://b/file.csv"}, "output"),
        ({"step": "jump", "job": "secret"}, "event"),
        ({"detail-type": "Object Created", "detail": {}}, "no object"),
        ({"Records": [{"eventSource": "aws:sqs"}]}, "no object"),
    ],
)
def test_an_unsupported_event_is_refused_by_place(refused: dict[str, Any], place: str) -> None:
    with pytest.raises(EventRefused, match=place) as error:
        parse(refused)

    assert "secret" not in str(error.value)
