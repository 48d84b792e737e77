"""Captures and outcomes have a bucket of their own, where a parameter asks for it."""

from typing import Any

import pytest

from tests.support.translated_template import deployed

BUCKET = {"Records", "RecordsPolicy"}
CAPTURE = {
    "CaptureFilter",
    "CaptureFilterPolicy",
    "CaptureFilterRole",
    "CaptureLog",
    "CaptureLogStream",
    "CapturePolicy",
    "CaptureRole",
    "CaptureStream",
}
FEEDBACK = {"FeedbackPolicy"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, set()),
        ({"Feedback": "on"}, BUCKET | FEEDBACK),
        ({"Capture": "binned"}, BUCKET | CAPTURE),
        ({"Capture": "raw", "Feedback": "on"}, BUCKET | CAPTURE | FEEDBACK),
    ],
)
def test_what_keeps_records_is_there_where_it_is_asked_for(
    parameters: dict[str, str], expected: set[str]
) -> None:
    found = (BUCKET | CAPTURE | FEEDBACK) & deployed(**parameters).keys()

    assert found == expected


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(deployed(Capture="raw", Feedback="on"))


def test_the_bucket_is_closed_and_encrypted(resources: dict[str, Any]) -> None:
    bucket = resources["Records"]["Properties"]
    [denied] = resources["RecordsPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert (denied["Effect"], denied["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_only_lines_for_monitoring_leave_the_log(resources: dict[str, Any]) -> None:
    pattern = resources["CaptureFilter"]["Properties"]["FilterPattern"]

    assert pattern == '{ ($.kind = "capture") || ($.kind = "shadow") }'


def test_firehose_takes_the_lines_out_and_sorts_them_by_the_hour(
    resources: dict[str, Any],
) -> None:
    destination = resources["CaptureStream"]["Properties"]["ExtendedS3DestinationConfiguration"]
    processors = [one["Type"] for one in destination["ProcessingConfiguration"]["Processors"]]

    assert processors == ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"]
    assert destination["Prefix"].startswith("captures/year=")
    assert destination["Prefix"].endswith("/hour=!{timestamp:HH}/")


@pytest.mark.parametrize(
    ("policy", "actions"),
    [
        ("FeedbackPolicy", {"s3:PutObject"}),
        ("CaptureFilterPolicy", {"firehose:PutRecord", "firehose:PutRecordBatch"}),
        (
            "CapturePolicy",
            {
                "s3:GetBucketLocation",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:PutObject",
                "s3:AbortMultipartUpload",
                "logs:PutLogEvents",
            },
        ),
    ],
)
def test_a_role_may_do_what_it_needs_and_nowhere_else(
    resources: dict[str, Any], policy: str, actions: set[str]
) -> None:
    statements = resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    listed = [
        {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
        for one in statements
    ]

    assert set().union(*listed) == actions
    assert all(one["Resource"] != "*" for one in statements)
