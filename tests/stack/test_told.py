"""The stack with tokens, an open page, captures and snapshots: each parameter does what it says."""

import gzip
import json
import time
from typing import Any

import pytest

from tests.conftest import Trained
from tests.stack.deployment import Stack
from tests.stack.issuer import Issuer
from tests.support.evidence import wait_for
from tests.support.predict_bodies import instances

pytestmark = pytest.mark.stack

_SECONDS = 60


@pytest.fixture
def body(churn: Trained) -> dict[str, Any]:
    return {"instances": instances(churn.frame.head(2))}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_who_has_a_token_of_the_issuer_is_answered(
    told: Stack, issuer: Issuer, body: dict[str, Any]
) -> None:
    answer = told.ask("/predict", body, bearer(issuer.token()))

    assert answer.status == 200, answer.content
    assert len(json.loads(answer.content)["predictions"]) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 3600},
        {"aud": "somebody else"},
        {"iss": "https://issuer.example"},
    ],
    ids=["expired", "for another audience", "of another issuer"],
)
def test_a_token_that_is_not_accepted_is_a_problem(
    told: Stack, issuer: Issuer, body: dict[str, Any], changed: dict[str, object]
) -> None:
    answer = told.ask("/predict", body, bearer(issuer.token(**changed)))

    assert (answer.status, answer.media_type) == (401, "application/problem+json")
    assert json.loads(answer.content)["type"] == "urn:sklambda:problem:unauthorized"


@pytest.mark.parametrize("headers", [{}, bearer("no-token")], ids=["no header", "no token"])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/churn/infer", "/invocations"])
def test_predictions_stay_closed_beside_the_open_page(
    told: Stack, body: dict[str, Any], path: str, headers: dict[str, str]
) -> None:
    answer = told.ask(path, body, headers)

    assert (answer.status, answer.media_type) == (401, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/openapi.json", "application/json"),
        ("/model", "application/json"),
    ],
)
def test_the_page_and_what_it_reads_are_open(told: Stack, path: str, media_type: str) -> None:
    answer = told.ask(path, None, {})

    assert answer.status == 200, answer.content
    assert answer.media_type.partition(";")[0] == media_type


@pytest.mark.parametrize("path", ["/health/live", "/v2", "/ping"])
def test_other_addresses_are_closed(told: Stack, path: str) -> None:
    assert told.ask(path, None, {}).status == 401


def test_a_prediction_is_captured_in_the_bucket_by_the_hour(
    told: Stack, issuer: Issuer, body: dict[str, Any]
) -> None:
    s3, bucket = told.client("s3"), told.outputs["Records"]

    answer = told.ask("/predict", body, bearer(issuer.token()))
    ids = [one["prediction_id"] for one in json.loads(answer.content)["predictions"]]

    def captured() -> dict[str, Any] | None:
        for listed in s3.list_objects_v2(Bucket=bucket, Prefix="captures/").get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read()
            for line in gzip.decompress(content).splitlines():
                found: dict[str, Any] = json.loads(line) | {"key": listed["Key"]}
                if [one["prediction_id"] for one in found["records"]] == ids:
                    return found
        return None

    capture = wait_for(captured, _SECONDS, "the capture in the bucket")
    assert (capture["kind"], capture["mode"]) == ("capture", "raw")
    assert [one["features"] for one in capture["records"]] == body["instances"]
    hour = time.strptime(capture["time"][:13], "%Y-%m-%dT%H")
    assert time.strftime("year=%Y/month=%m/day=%d/hour=%H/", hour) in capture["key"]


def test_the_published_version_starts_from_a_snapshot(told: Stack) -> None:
    configuration = told.client("lambda").get_function_configuration(
        FunctionName=told.outputs["PredictFunction"], Qualifier="live"
    )

    assert configuration["SnapStart"]["ApplyOn"] == "PublishedVersions"
