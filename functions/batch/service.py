"""Handles the requests of the function: each becomes work on a job."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from time import time
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_plus

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from functions.batch.jobs import opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import (
    INBOX,
    JOBS,
    WORK,
    FrozenModel,
    Outline,
    Part,
    input_id,
    input_id_of,
)
from functions.batch.jobs.options import Options
from functions.batch.jobs.planning import plan_key
from functions.batch.jobs.run import Remaining, run
from functions.batch.steps import JobOver, Steps
from sklambda.codec.row_warnings import RowWarningCode
from sklambda.errors import InputRefused, SklambdaError
from sklambda.storage.receipt import Receipt
from sklambda.telemetry import Write

_ADDRESS = Annotated[str, Field(pattern=r"^s3://[^/]+/.+", max_length=1200)]
type Json = dict[str, Any]

_RESERVED: Final = (INBOX, JOBS, WORK)
_METRICS: Final = {
    "jobs_scored": "Count",
    "jobs_failed": "Count",
    "rows_scored": "Count",
    "rows_rejected": "Count",
    "batch_seconds": "Seconds",
    **{f"batch_warning_{code}": "Count" for code in RowWarningCode},
}


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


class JobStuck(SklambdaError):
    """A job was continued and made no progress."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Callbacks to AWS.

    Attributes
    ----------
    invoke : callable
        Invokes the function itself with an event, asynchronously.
    distribute : callable or None
        Starts the state machine with the id of a job.
    distribute_above : int
        The length of an input in bytes above which its job is distributed.
    """

    invoke: Callable[[Json], None]
    distribute: Callable[[str], None] | None = None
    distribute_above: int = 2**30


class Service:
    """Handles the events of the function.

    Parameters
    ----------
    context : Context
        The dependencies of a job.
    bucket : str
        The bucket of the context's storage.
    defaults : Options
        Options that a request does not state.
    callbacks : Callbacks
        Callbacks to AWS.
    on_receipt : callable
        Called with each receipt.
    """

    def __init__(
        self,
        context: Context,
        bucket: str,
        defaults: Options,
        callbacks: Callbacks,
        on_receipt: Callable[[Receipt], None] = lambda receipt: None,
    ) -> None:
        self._context, self._bucket, self._defaults = context, bucket, defaults
        self._callbacks, self._on_receipt = callbacks, on_receipt
        self._steps = Steps(context)

    def handle(self, event: Mapping[str, Any], remaining: Remaining) -> Json:
        """Handle the requests of an event; most events hold one.

        Raises
        ------
        EventRefused
            The event is unsupported or invalid.
        InputRefused
            The input does not exist.
        """
        answers = [self._handle(request, remaining) for request in parse(event)]
        return answers[0] if len(answers) == 1 else {"answers": answers}

    @singledispatchmethod
    def _handle(self, request: Request, remaining: Remaining) -> Json:
        raise NotImplementedError

    @_handle.register
    def _(self, request: Score, remaining: Remaining) -> Json:
        outline = self._outline(request)
        if self._is_distributed(outline):
            return self._distribute(outline)
        return self._run(outline, remaining, after=-1)

    @_handle.register
    def _(self, request: Continue, remaining: Remaining) -> Json:
        try:
            return self._run(self._steps.job(request.job), remaining, request.after)
        except JobOver:
            return {"job": request.job, "status": "over"}

    @_handle.register
    def _(self, request: Sweep, remaining: Remaining) -> Json:
        started = 0
        for address in self._unscored(request.sweep):
            self._callbacks.invoke({"input": address})
            started += 1
        return {"status": "swept", "begun": started}

    @_handle.register
    def _(self, request: Plan, remaining: Remaining) -> Json:
        plan = self._steps.plan(request.job, remaining)
        if plan is None:
            return {"job": request.job, "status": "planning"}
        if isinstance(plan, Receipt):
            return self._end(plan)
        manifest = {"bucket": self._bucket, "key": plan_key(request.job)}
        return {"job": request.job, "status": "planned", "parts": len(plan), "manifest": manifest}

    @_handle.register
    def _(self, request: ScorePart, remaining: Remaining) -> Json:
        result = self._steps.score(request.job, request.part)
        return {"records": result.part.records, "rejected": result.rejected}

    @_handle.register
    def _(self, request: Assemble, remaining: Remaining) -> Json:
        receipt = self._steps.assemble(request.job, remaining)
        if receipt is None:
            return {"job": request.job, "status": "assembling"}
        return self._end(receipt)

    def _outline(self, request: Score) -> Outline:
        stated = request.model_dump(exclude_unset=True, exclude={"input", "output"})
        options = Options.model_validate(self._defaults.model_dump() | stated)
        folders = self._folders(request.output)
        return opening.outline_job(self._context, request.input, options, *folders)

    def _folders(self, output: str | None) -> tuple[str, ...]:
        if output is None:
            return ()
        bucket, _, folder = output.removeprefix("s3://").partition("/")
        if bucket != self._bucket:
            raise EventRefused("the output must be in the bucket of the function")
        if folder.startswith(_RESERVED):
            raise EventRefused(f"the output must not be below {', '.join(_RESERVED)}")
        return folder, f"{folder}rejects/"

    def _unscored(self, prefix: str) -> Iterator[str]:
        """Yield the addresses of inputs that no model has scored yet, with any options."""
        scored = {input_id_of(receipt) for receipt in self._context.storage.list(JOBS)}
        for stored in self._context.storage.list(prefix):
            address = f"s3://{self._bucket}/{stored.key}"
            if not stored.key.endswith("/") and input_id(stored, address) not in scored:
                yield address

    def _is_distributed(self, outline: Outline) -> bool:
        large = outline.input.bytes > self._callbacks.distribute_above
        if self._callbacks.distribute is None or not large:
            return False
        try:
            resolved = outline.options.resolve(outline.input.key)
        except InputRefused:
            return False  # running the job writes the receipt of the refusal
        # A compressed file can only be read from its beginning.
        return resolved.input_compression == "none"

    def _distribute(self, outline: Outline) -> Json:
        if (receipt := self._steps.open(outline)) is not None:
            return self._end(receipt)
        assert self._callbacks.distribute is not None
        self._callbacks.distribute(outline.id)
        receipt_address = self._address(outline.receipt)
        return {"job": outline.id, "status": "distributed", "receipt": receipt_address}

    def _run(self, outline: Outline, remaining: Remaining, after: int) -> Json:
        done: list[int] = []
        receipt = run(self._context, outline, remaining, lambda part: done.append(part.index))
        if receipt is not None:
            return self._end(receipt)
        if len(done) <= after:
            raise JobStuck(
                f"the job {outline.id} made no progress: {after} parts were done, now {len(done)}"
            )
        self._callbacks.invoke({"step": "continue", "job": outline.id, "after": len(done)})
        receipt_address = self._address(outline.receipt)
        return {"job": outline.id, "status": "continued", "receipt": receipt_address}

    def _end(self, receipt: Receipt) -> Json:
        self._on_receipt(receipt)
        summary = receipt.model_dump(mode="json", include={"job", "status", "reason", "rows"})
        return summary | {"receipt": self._address(f"{JOBS}{receipt.job}.json")}

    def _address(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


def metrics_writer(namespace: str, write: Write) -> Callable[[Receipt], None]:
    """Return the function that writes the metrics of a receipt."""
    return lambda receipt: write(to_json(_metrics_line(namespace, receipt)))


def _metrics_line(namespace: str, receipt: Receipt) -> dict[str, object]:
    rows, warnings = receipt.rows, dict.fromkeys(RowWarningCode, 0)
    for warned in receipt.warnings or ():
        warnings[RowWarningCode(warned.code)] += warned.rows
    units = [{"Name": name, "Unit": unit} for name, unit in _METRICS.items()]
    directive = {"Namespace": namespace, "Dimensions": [["model"], []], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(time() * 1000), "CloudWatchMetrics": [directive]},
        "kind": "batch",
        "model": receipt.model.name,
        "model_id": receipt.model.id,
        "job": receipt.job,
        "reason": receipt.reason.code if receipt.reason else None,
        "jobs_scored": int(receipt.status == "scored"),
        "jobs_failed": int(receipt.status == "failed"),
        "rows_scored": rows.scored if rows else 0,
        "rows_rejected": rows.rejected if rows else 0,
        "batch_seconds": receipt.seconds,
        **{f"batch_warning_{code}": number for code, number in warnings.items()},
    }
