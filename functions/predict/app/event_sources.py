"""The event sources of the function: which one sent an event, and what answers it.

A ping that keeps the function warm reaches no service, so that it is not counted. A source that the
function does not serve is refused, with what serves it instead.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

from functions.predict.app import bedrock, direct, http_events, redshift
from functions.predict.app.api import Application
from sklambda.errors import SklambdaError

_PLUGIN: Final = "serverless-plugin-warmup"
_CLOCKS: Final = ("aws.events", "aws.scheduler")
"""EventBridge's rules, and its Scheduler's default payload."""
_FLAGS: Final = ("warmer", "warmup")
type Event = Mapping[str, Any]


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


class EventRefused(SklambdaError):
    """An event of a source that is not for this function; the message says what to use instead.

    It is raised, not returned: a queue or a stream would take any answer for success, and drop what
    was not scored.
    """


def _is_unserved(event: Event, context: Any) -> bool:
    """Return whether an event is of a source that the function does not serve."""
    return _unserved_source(event) is not None


def _refuse_event(app: Application, event: Event, context: Any) -> NoReturn:
    """Raise the error of an event of another source."""
    _refuse(*(_unserved_source(event) or ("", "")))


def _refuse(name: str, remedy: str) -> NoReturn:
    raise EventRefused(
        f"unsupported event: the prediction function does not read events of {name}; {remedy}"
    ) from None


def _refuse_batch(first: Event, context: Any) -> None:
    """Raise the error of a list whose first item is of a source that the function does not serve.

    EventBridge Pipes hands on the records of a queue or a stream as a list, and deletes those for
    which the function returns anything; AppSync lists the requests of a batch.
    """
    found = _unserved_source(first)
    source = first.get("eventSource")
    if found is None and isinstance(source, str) and source.startswith("aws:"):
        found = ("a queue or stream", _CONSUMER)
    if found is not None:
        _refuse(*found)


def _unserved_source(event: Event) -> tuple[str, str] | None:
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


def _is_ping(event: Event, context: Any) -> bool:
    """Return whether an event only keeps the function warm."""
    if event.get("source") == _PLUGIN or any(event.get(name) is True for name in _FLAGS):
        return True
    if event.get("source") in _CLOCKS and event.get("detail-type") == "Scheduled Event":
        return True
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    return isinstance(custom, dict) and custom.get("source") == _PLUGIN


def _answer_ping(app: Application, event: Event, context: Any) -> dict[str, Any]:
    """Return the answer to a ping."""
    return {"statusCode": 200, "body": '{"status":"warm"}'}


class Source(NamedTuple):
    """A source: which events are its own, and the answer to one of them.

    `matches` takes the event and Lambda's context.
    """

    matches: Callable[[Event, Any], bool]
    answer: Callable[[Application, Event, Any], Any]


SOURCES: Final = (
    Source(_is_ping, _answer_ping),
    Source(bedrock.matches, bedrock.answer),
    Source(redshift.matches, redshift.answer),
    Source(_is_unserved, _refuse_event),
    Source(http_events.matches, http_events.answer),
)


def answer(app: Application, event: Any, context: Any) -> Any:
    """Return the answer to an event of any source, or to the payload of a direct invocation.

    Raises
    ------
    EventRefused
        The event is of a source that this function does not serve.
    """
    if isinstance(event, dict):
        for source in SOURCES:
            if source.matches(event, context):
                return source.answer(app, event, context)
    elif isinstance(event, list) and event and isinstance(event[0], dict):
        _refuse_batch(event[0], context)
    return direct.answer(app, event, context)
