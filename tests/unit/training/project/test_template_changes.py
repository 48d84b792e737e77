"""Which parameters change between two templates, and which data would be lost."""

from collections.abc import Mapping

import pytest
import yaml

from tests.conftest import REPOSITORY
from training.errors import ConfigurationError
from training.project.template_changes import compare


def template(
    resources: Mapping[str, object], parameters: Mapping[str, object] | None = None
) -> str:
    text = yaml.safe_dump({"Parameters": dict(parameters or {}), "Resources": dict(resources)})
    return str(text)


BUCKET: dict[str, object] = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
ROLE: dict[str, object] = {"Type": "AWS::IAM::Role"}


def test_a_template_does_not_differ_from_itself() -> None:
    text = (REPOSITORY / "template.yaml").read_text()

    changes = compare(text, text)

    assert (changes.added, changes.removed, changes.defaults, changes.losses) == ({}, (), {}, ())


@pytest.mark.parametrize(
    "name", ["Data", "Records", "Api", "ApiKey", "BatchFailures", "MonitorTopic", "MonitorKey"]
)
def test_what_keeps_data_here_would_be_missed(name: str) -> None:
    text = (REPOSITORY / "template.yaml").read_text()
    assert f"\n  {name}:\n    Type: " in text

    changes = compare(text, text.replace(f"\n  {name}:\n    Type: ", f"\n  {name}2:\n    Type: "))

    assert [(loss.name, f"is renamed to {name}2" in loss.reason) for loss in changes.losses] == [
        (name, True)
    ]


def test_parameters_are_compared_by_name_and_default() -> None:
    old = {"A": {"Default": "1"}, "B": {"Default": 2}, "C": {}, "D": {"Default": 1}}
    new = {
        "B": {"Default": 3},
        "C": {"Default": "x"},
        "D": {"Default": "1"},
        "E": {},
        "F": {"Default": 5},
    }

    changes = compare(template({"R": ROLE}, old), template({"R": ROLE}, new))

    assert changes.removed == ("A",)
    assert changes.added == {"E": None, "F": "5"}
    assert changes.defaults == {"B": ("2", "3"), "C": (None, "x")}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"R": ROLE}, "is removed: with it its files would be lost"),
        ({"R": ROLE, "Store": BUCKET}, "is renamed to Store"),
        ({"Data": ROLE}, "has another type"),
        ({"Data": {**BUCKET, "Properties": {"BucketName": "x"}}}, "has another BucketName"),
        ({"Data": {**BUCKET, "Condition": "Keeps"}}, "depends on the condition Keeps now"),
        ({"Data": {"Type": "AWS::S3::Bucket"}}, "is deleted with its stack now"),
    ],
)
def test_a_bucket_that_would_be_lost_is_named(after: dict[str, object], said: str) -> None:
    [loss] = compare(template({"Data": BUCKET}), template(after)).losses

    assert loss.name == "Data"
    assert said in loss.reason


@pytest.mark.parametrize(
    "after",
    [
        {"Data": BUCKET},
        {"Data": {**BUCKET, "Properties": {"Tags": []}}, "More": BUCKET},
        {"Data": {**BUCKET, "DeletionPolicy": "RetainExceptOnCreate"}},
    ],
)
def test_a_bucket_that_stays_is_no_loss(after: dict[str, object]) -> None:
    assert compare(template({"Data": BUCKET}), template(after)).losses == ()


def test_what_keeps_nothing_may_go() -> None:
    before = {"Data": BUCKET, "Role": ROLE, "LogRole": {**ROLE, "DeletionPolicy": "Retain"}}

    assert compare(template(before), template({"Data": BUCKET})).losses == ()


def test_whatever_is_retained_keeps_something() -> None:
    before = {"Other": {"Type": "AWS::EFS::FileSystem", "DeletionPolicy": "Retain"}}

    [loss] = compare(template(before), template({"R": ROLE})).losses

    assert loss.name == "Other"


@pytest.mark.parametrize("text", ["a: [", "- a list", "Resources: 3", ""])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"template.yaml (is not YAML|has no Resources)"):
        compare(text, template({"R": ROLE}))
