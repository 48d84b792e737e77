"""Event sources that the function does not serve, each with what serves it instead.

The error is raised, not returned: a queue or a stream would take any answer for success, and drop
what was not scored.
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from functions.predict.app.api import Application
from sklambda.errors import SklambdaError

type Event = Mapping[str, Any]


class EventRefused(SklambdaError):
    """An event of a source that is not for this function; the message says what to use instead."""


_BATCH: Final = "put the rows into a file below inbox/ of the data bucket, for the batch function"
_CONSUMER: Final = 'let a consumer of your own invoke the function with {"instances": [...]}'
_HTTP: Final = "let the API forward its requests over HTTP"
_DIRECT: Final = 'invoke the function with {"instances": [...]} or over HTTP'

_RECORDS: Final = {
    "aws:s3": ("Amazon S3", _BATCH),
    "aws:sqs": ("Amazon SQS", _CONSUMER),
    "aws:sns": ("Amazon SNS", _CONSUMER),
    "aws:ses": ("Amazon SES", _DIRECT),
    "aws:kinesis": ("Amazon Kinesis", _CONSUMER),
    "aws:dynamodb": ("a DynamoDB stream", _CONSUMER),
    "aws:codecommit": ("AWS CodeCommit", _DIRECT),
    "aws:kafka": ("Apache Kafka", _CONSUMER),
    "selfmanagedkafka": ("Apache Kafka", _CONSUMER),
    "aws:mq": ("Amazon MQ", _CONSUMER),
    "aws:rmq": ("Amazon MQ", _CONSUMER),
    "aws:docdb": ("Amazon DocumentDB", _CONSUMER),
}
"""Name and remedy by the source that records, or the event as a whole, name."""

_MARKED: Final = (
    ({"awslogs"}, "CloudWatch Logs", _DIRECT),
    ({"deliveryStreamArn", "records"}, "Amazon Data Firehose", _CONSUMER),
    ({"records", "invocationId"}, "Amazon Data Firehose", _CONSUMER),
    ({"detail-type", "detail"}, "EventBridge", _CONSUMER),
    ({"type", "methodArn"}, "an API Gateway authorizer", "set the function Authorize there"),
    ({"type", "routeArn"}, "an API Gateway authorizer", "set the function Authorize there"),
    ({"triggerSource", "userPoolId"}, "Amazon Cognito", _DIRECT),
    ({"info", "arguments"}, "AWS AppSync", "resolve the field by an HTTP data source"),
    ({"sessionState", "bot"}, "Amazon Lex", _DIRECT),
    ({"currentIntent", "bot"}, "Amazon Lex", _DIRECT),
    ({"Details", "Name"}, "Amazon Connect", _DIRECT),
    ({"CodePipeline.job"}, "AWS CodePipeline", _DIRECT),
    ({"RequestType", "ResponseURL"}, "CloudFormation", _DIRECT),
    ({"invokingEvent"}, "AWS Config", _DIRECT),
    ({"invocationSchemaVersion", "tasks"}, "S3 Batch Operations", _BATCH),
    ({"alarmArn", "alarmData"}, "a CloudWatch alarm", "set the function Monitor there"),
)
"""Members that together mark an event, with name and remedy."""


def matches(event: Event, context: Any) -> bool:
    """Return whether an event is of a source that the function does not serve."""
    return _source(event) is not None


def answer(app: Application, event: Event, context: Any) -> NoReturn:
    """Raise the error of an event of another source."""
    _refuse(*(_source(event) or ("", "")))


def _refuse(name: str, remedy: str) -> NoReturn:
    raise EventRefused(
        f"unsupported event: the prediction function does not read events of {name}; {remedy}"
    ) from None


def refuse_batch(first: Event, context: Any) -> None:
    """Raise the error of a list whose first item is of a source that the function does not serve.

    EventBridge Pipes hands on the records of a queue or a stream as a list, and deletes those for
    which the function returns anything; AppSync lists the requests of a batch.
    """
    found = _source(first)
    source = first.get("eventSource")
    if found is None and isinstance(source, str) and source.startswith("aws:"):
        found = ("a queue or stream", _CONSUMER)
    if found is not None:
        _refuse(*found)


def _source(event: Event) -> tuple[str, str] | None:
    records = event.get("Records")
    if isinstance(records, list) and records:
        first = records[0] if isinstance(records[0], dict) else {}
        if "cf" in first:
            return "CloudFront (Lambda@Edge)", "set the API or the function URL as the origin"
        source = first.get("eventSource") or first.get("EventSource")
        return _RECORDS.get(str(source).lower(), ("a queue or stream", _CONSUMER))
    if (source := str(event.get("eventSource")).lower()) in _RECORDS:
        return _RECORDS[source]
    context = event.get("requestContext")
    if isinstance(context, dict) and "connectionId" in context:
        return "a WebSocket API", _HTTP
    marked = ((name, remedy) for marks, name, remedy in _MARKED if marks <= event.keys())
    return next(marked, None)
