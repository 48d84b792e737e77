"""Outcomes reach a bucket, over HTTP; the emulator's S3 needs no Docker engine."""

from pathlib import Path
from typing import Any

from tests.conftest import Trained
from tests.support.observed import observe

TIME = "2026-11-22T10:15:00+01:00"


def test_outcomes_are_objects_of_their_hour_and_a_repetition_is_none(
    s3: Any, churn: Trained
) -> None:
    s3.create_bucket(Bucket="kept")
    observed = observe(churn.package, lambda: s3, feedback_store="s3://kept/here")
    outcomes = [{"prediction_id": f"a-{k}", "outcome": "Yes", "time": TIME} for k in range(30)]

    answers = [observed.client.post("/feedback", json={"outcomes": outcomes}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    found = s3.list_objects_v2(Bucket="kept")["Contents"]
    assert {str(Path(one["Key"]).parent) for one in found} == {
        "here/outcomes/year=2026/month=11/day=22/hour=09"
    }
    assert len(found) == 30
