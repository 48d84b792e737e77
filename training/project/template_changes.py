"""What changes between two templates: parameters, and resources that keep data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from training.errors import ConfigurationError

KEEPS: Final = {
    "AWS::ApiGateway::ApiKey": "the key that callers have",
    "AWS::DynamoDB::Table": "its items",
    "AWS::KMS::Key": "the reading of what it encrypted",
    "AWS::Kinesis::Stream": "the records in it",
    "AWS::RDS::DBInstance": "its rows",
    "AWS::S3::Bucket": "its files",
    "AWS::SNS::Topic": "its subscriptions",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::Serverless::Api": "the address that callers have",
}
"""What is lost with a resource of a type. Log lines are not counted: they are deleted in time."""

_NAMING: Final = {
    "AWS::ApiGateway::ApiKey": "Name",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property of a type that cannot be changed without another resource in its place."""

_RETAINED: Final = ("Retain", "RetainExceptOnCreate", "Snapshot")

type Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Loss:
    """A resource that keeps data, and that an update would delete or replace.

    Attributes
    ----------
    name : str
        Its logical id in the old template.
    reason : str
        What happens to it, and what is lost, as the rest of a sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The differences between two templates that matter to who deploys them.

    Attributes
    ----------
    added : dict of str to str or None
        New parameters with their defaults; None has to be set.
    removed : tuple of str
        Parameters that are no more.
    defaults : dict of str to (str or None, str or None)
        The old and the new default of parameters in which it differs.
    losses : tuple of Loss
        The resources with data that would be lost.
    """

    added: dict[str, str | None]
    removed: tuple[str, ...]
    defaults: dict[str, tuple[str | None, str | None]]
    losses: tuple[Loss, ...]


def compare(old: str, new: str) -> Changes:
    """Compare the texts of two templates.

    Raises
    ------
    ConfigurationError
        One is not a template.
    """
    before, after = _read(old), _read(new)
    mine, theirs = _defaults(before), _defaults(after)
    return Changes(
        added={name: default for name, default in theirs.items() if name not in mine},
        removed=tuple(name for name in mine if name not in theirs),
        defaults={
            name: (default, theirs[name])
            for name, default in mine.items()
            if name in theirs and theirs[name] != default
        },
        losses=tuple(_losses(_section(before, "Resources"), _section(after, "Resources"))),
    )


def _losses(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    for name, resource in before.items():
        if not isinstance(resource, dict) or not _keeps(resource):
            continue
        kind = str(resource.get("Type"))
        lost = f"with it {KEEPS.get(kind, 'what it keeps')} would be lost"
        if name not in after:
            renamed = sorted(
                other
                for other, one in after.items()
                if other not in before and isinstance(one, dict) and one.get("Type") == kind
            )
            what = f"is renamed to {renamed[0]}" if renamed else "is removed"
            yield Loss(name, f"({kind}) {what}: {lost}")
        elif changed := _replaced(resource, after[name]):
            yield Loss(name, f"({kind}) {changed}: {lost}")


def _replaced(old: Members, new: Any) -> str | None:
    """Return what happens to a resource of which both templates have the name, or None."""
    if not isinstance(new, dict) or new.get("Type") != old.get("Type"):
        return "has another type"
    naming = _NAMING.get(str(old.get("Type")), "")
    if _section(old, "Properties").get(naming) != _section(new, "Properties").get(naming):
        return f"has another {naming}, for which it is replaced"
    if new.get("Condition") not in (None, old.get("Condition")):
        return f"depends on the condition {new['Condition']} now"
    if old.get("DeletionPolicy") in _RETAINED and new.get("DeletionPolicy") not in _RETAINED:
        return "is deleted with its stack now"
    return None


def _keeps(resource: Members) -> bool:
    if resource.get("Type") in KEEPS:
        return True
    # An account's role for logs is retained, and has nothing in it.
    kind = str(resource.get("Type"))
    return resource.get("DeletionPolicy") in _RETAINED and not kind.startswith(
        ("AWS::IAM::", "AWS::ApiGateway::Account")
    )


def _defaults(template: Members) -> dict[str, str | None]:
    return {
        name: None if "Default" not in one else _said(one["Default"])
        for name, one in _section(template, "Parameters").items()
        if isinstance(one, dict)
    }


def _said(default: object) -> str:
    """Return a default as CloudFormation reads it: `1` and `"1"` are one value."""
    return str(default).lower() if isinstance(default, bool) else str(default)


def _section(members: Members, name: str) -> Members:
    found = members.get(name)
    return found if isinstance(found, dict) else {}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as their name with their argument."""


def _short_function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_function)


def _read(text: str) -> Members:
    try:
        template = yaml.load(text, _Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place else ""
        raise ConfigurationError(f"template.yaml is not YAML{where}") from None
    if not isinstance(template, dict) or not _section(template, "Resources"):
        raise ConfigurationError("template.yaml has no Resources")
    return template
