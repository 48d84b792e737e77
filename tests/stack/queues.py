"""Queues that hear what a stack tells."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.stack.deployment import Stack

_SENDERS: Final = {
    "Effect": "Allow",
    "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
    "Action": "sqs:SendMessage",
}

type Json = dict[str, Any]


@dataclass(frozen=True)
class Queue:
    """A queue that hears what a stack tells.

    Attributes
    ----------
    stack : Stack
        Who tells.
    url, arn : str
        The queue's address and name.
    kept : list of dict
        What has come, in its order.
    """

    stack: Stack
    url: str
    arn: str
    kept: list[Json] = field(default_factory=list)

    @classmethod
    def made(cls, stack: Stack, name: str) -> "Queue":
        """Make it, open to topics and rules."""
        sqs = stack.client("sqs")
        url = sqs.create_queue(QueueName=f"{stack.name}-{name}")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = found["Attributes"]["QueueArn"]
        policy = {"Version": "2012-10-17", "Statement": [_SENDERS | {"Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        return cls(stack, url, arn)

    @classmethod
    def of_events(cls, stack: Stack, name: str, pattern: Json) -> "Queue":
        """Make one that gets the events of a pattern."""
        queue, events = cls.made(stack, name), stack.client("events")
        events.put_rule(Name=f"{stack.name}-{name}", EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": queue.arn}
        events.put_targets(Rule=f"{stack.name}-{name}", Targets=[target])
        return queue

    def heard(self) -> list[Json]:
        """Give what has come until now."""
        sqs = self.stack.client("sqs")
        while found := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for one in found:
                self.kept.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"])
        return self.kept
