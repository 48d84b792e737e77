"""What starts the function, and what is asked by it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from functions.batch.jobs.job import INBOX, Part
from functions.batch.jobs.options import Options
from sklambda.errors import SklambdaError

_ADDRESS = Annotated[str, Field(pattern=r"^s3://[^/]+/.+", max_length=1200)]


class EventRefused(SklambdaError):
    """An event that asks for nothing that the function does; never quotes it."""


class Call(BaseModel):
    """Base of what is asked: closed and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Score(Options):
    """Score one input.

    Attributes
    ----------
    input : str
        ``s3://bucket/key``.
    output : str, optional
        The folder for what is published, ``s3://bucket/prefix/``, in the bucket of the function.
    """

    input: _ADDRESS
    output: Annotated[str, Field(pattern=r"^s3://[^/]+/(.*/)?$")] | None = None

    @property
    def options(self) -> Options:
        """What is asked beside which input."""
        return Options.model_validate(self.model_dump(exclude={"input", "output"}))


class Sweep(Call):
    """Score whatever is below a prefix and was not scored yet."""

    sweep: Annotated[str, Field(min_length=1)] = INBOX


class Continue(Call):
    """Go on with a job; `after` so many parts of it were done."""

    step: Literal["continue"]
    job: str
    after: int = 0


class Plan(Call):
    """Cut a job into parts for a distributed map."""

    step: Literal["plan"]
    job: str


class ScorePart(Call):
    """Score one part of a job."""

    step: Literal["part"]
    job: str
    part: Part


class Assemble(Call):
    """Publish a job whose parts are done."""

    step: Literal["assemble"]
    job: str


type Step = Annotated[Continue | Plan | ScorePart | Assemble, Field(discriminator="step")]
type Asked = Score | Sweep | Continue | Plan | ScorePart | Assemble

_STEP: TypeAdapter[Step] = TypeAdapter(Step)


def read(event: Mapping[str, Any]) -> list[Asked]:
    """Tell what an event asks for.

    Parameters
    ----------
    event : mapping
        EventBridge's "Object Created", S3's own notification, the schedule's, a step of the state
        machine, or a direct call: ``{"input": "s3://…", "output": "s3://…/", …}``.

    Raises
    ------
    EventRefused
        It is none of these, or names an option that there is not.
    """
    try:
        return _read(event)
    except ValidationError as error:
        places = {".".join(map(str, fault["loc"])) or "event" for fault in error.errors()}
        named = ", ".join(sorted(places))
        raise EventRefused(f"the event is not as expected at: {named}") from None
    except (KeyError, TypeError):
        raise EventRefused("the event names no object as S3 and EventBridge do") from None


def _read(event: Mapping[str, Any]) -> list[Asked]:
    if event.get("detail-type") == "Object Created":
        detail = event.get("detail", {})
        return _dropped(detail["bucket"]["name"], detail["object"]["key"])
    if "Records" in event:
        named = [record["s3"] for record in event["Records"]]
        # S3's own notifications encode keys, EventBridge's do not.
        pairs = [(one["bucket"]["name"], unquote_plus(one["object"]["key"])) for one in named]
        return [asked for pair in pairs for asked in _dropped(*pair)]
    if "step" in event:
        return [_STEP.validate_python(event)]
    if "sweep" in event:
        return [Sweep.model_validate(event)]
    return [Score.model_validate(event)]


def _dropped(bucket: str, key: str) -> list[Asked]:
    """Score what was dropped in the inbox; what is published elsewhere starts nothing."""
    if not key.startswith(INBOX) or key.endswith("/"):
        return []
    return [Score(input=f"s3://{bucket}/{key}")]
