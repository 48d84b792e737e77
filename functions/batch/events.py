"""The events that start the function, parsed into requests."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from pydantic import Field, TypeAdapter, ValidationError

from functions.batch.jobs.job import INBOX, FrozenModel, Part
from functions.batch.jobs.options import Options
from sklambda.errors import SklambdaError

_ADDRESS = Annotated[str, Field(pattern=r"^s3://[^/]+/.+", max_length=1200)]


class EventRefused(SklambdaError):
    """An unsupported or invalid event; the message holds no value of it."""


class Score(Options):
    """Score one input.

    Attributes
    ----------
    input : str
        ``s3://bucket/key``.
    output : str, optional
        The folder to publish in, ``s3://bucket/prefix/``, in the bucket of the function.
    """

    input: _ADDRESS
    output: Annotated[str, Field(pattern=r"^s3://[^/]+/(.*/)?$")] | None = None


class Sweep(FrozenModel):
    """Score all inputs below a prefix that were not scored yet."""

    sweep: Annotated[str, Field(min_length=1)] = INBOX


class Continue(FrozenModel):
    """Continue a job, of which `after` parts were done."""

    step: Literal["continue"]
    job: str
    after: int = 0


class Plan(FrozenModel):
    """Cut a job into parts for a Distributed Map."""

    step: Literal["plan"]
    job: str


class ScorePart(FrozenModel):
    """Score one part of a job."""

    step: Literal["part"]
    job: str
    part: Part


class Assemble(FrozenModel):
    """Publish a job whose parts are done."""

    step: Literal["assemble"]
    job: str


type Step = Annotated[Continue | Plan | ScorePart | Assemble, Field(discriminator="step")]
type Request = Score | Sweep | Continue | Plan | ScorePart | Assemble

_STEP: TypeAdapter[Step] = TypeAdapter(Step)


def parse(event: Mapping[str, Any]) -> list[Request]:
    """Parse an event into requests.

    Parameters
    ----------
    event : mapping
        EventBridge's "Object Created", S3's own notification, the schedule's, a step of the state
        machine, or a direct call: ``{"input": "s3://…", "output": "s3://…/", …}``.

    Raises
    ------
    EventRefused
        It is none of these, or has an unknown or invalid option.
    """
    try:
        return _parse(event)
    except ValidationError as error:
        places = {".".join(map(str, fault["loc"])) or "event" for fault in error.errors()}
        members = ", ".join(sorted(places))
        raise EventRefused(f"the event has absent, unknown or invalid members: {members}") from None
    except (KeyError, TypeError):
        raise EventRefused(
            "the event has no object; expected a notification of S3 or EventBridge"
        ) from None


def _parse(event: Mapping[str, Any]) -> list[Request]:
    if event.get("detail-type") == "Object Created":
        detail = event.get("detail", {})
        return _score_dropped(detail["bucket"]["name"], detail["object"]["key"])
    if "Records" in event:
        entities = [record["s3"] for record in event["Records"]]
        # S3's own notifications encode keys, EventBridge's do not.
        pairs = [(one["bucket"]["name"], unquote_plus(one["object"]["key"])) for one in entities]
        return [request for pair in pairs for request in _score_dropped(*pair)]
    if "step" in event:
        return [_STEP.validate_python(event)]
    if "sweep" in event:
        return [Sweep.model_validate(event)]
    return [Score.model_validate(event)]


def _score_dropped(bucket: str, key: str) -> list[Request]:
    """Return a request for an object in the inbox; published objects start nothing."""
    if not key.startswith(INBOX) or key.endswith("/"):
        return []
    return [Score(input=f"s3://{bucket}/{key}")]
